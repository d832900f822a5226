/** The route that tells what is kept for how long. */
import type { EventLog } from '../../../lib/event-log/port.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import { answers } from '../../../schemas/http/errors.ts'
import { RetentionAnswer } from '../../../schemas/http/keep.ts'
import { RETAINED, type RetainedTable } from '../data/retention-tables.ts'
import {
  daysBy,
  RETENTION_EVERY_MS,
  RETENTION_WORK,
  retentionOf,
  type RetentionParts,
} from '../loop/apply-retention.ts'
import { dropAt, type MonthOfModel } from '../plan/due-drops.ts'
import { lastDone } from '../queries/control-store.ts'
import { monthsOf, tableSizes } from '../queries/retention.ts'
import { kafkaTopics } from './kafka-topics.ts'

const MAX_PAIRS = 10_000
const DAY_MS = 86_400_000

/** Adds `GET /v1/retention`. */
export function retentionRoutes(http: Http, parts: RetentionParts & { eventLog: EventLog }): void {
  http.get(
    '/v1/retention',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'What is kept for how long: sizes by table and model, and what goes next',
        tags: ['data'],
        response: answers({ 200: RetentionAnswer }),
      },
    },
    async () => {
      const { db, postgres, models, now } = parts
      const tables = await tableSizes(db)
      const bytesOf = new Map(tables.map(({ table, bytes }) => [table, bytes]))
      const pairs = []
      for (const table of RETAINED)
        for (const pair of pairsOf(
          parts,
          table,
          await monthsOf(db, table),
          bytesOf.get(table.table) ?? 0,
        ))
          pairs.push(pair)
      const last = await lastDone(postgres, RETENTION_WORK)
      return {
        last_run_at: last?.toISOString() ?? null,
        next_run_at: new Date(
          Math.max(now(), last ? last.getTime() + RETENTION_EVERY_MS : 0),
        ).toISOString(),
        tables,
        models: pairs.slice(0, MAX_PAIRS),
        references: referencesOf(models, daysBy(parts), now()),
        kafka: await kafkaTopics(parts.eventLog),
      }
    },
  )
}

function pairsOf(
  parts: RetentionParts,
  { table, kind }: RetainedTable,
  months: readonly MonthOfModel[],
  bytes: number,
) {
  const total = months.reduce((sum, { rows }) => sum + rows, 0)
  return [...Map.groupBy(months, ({ model }) => model)].map(([model, own]) => {
    const rows = own.reduce((sum, one) => sum + one.rows, 0)
    const oldest = own.reduce((least, { month }) => Math.min(least, month), Infinity)
    const at = dropAt(oldest, daysBy(parts)(kind, model))
    return {
      model_id: model,
      table,
      keep: retentionOf(parts, kind, model) ?? null,
      rows,
      bytes: Math.round((bytes * rows) / total),
      oldest_month: `${Math.floor(oldest / 100)}-${String(oldest % 100).padStart(2, '0')}`,
      next_drop_at: at === undefined ? null : new Date(at).toISOString(),
    }
  })
}

/** Fixed references lie where the model file says; those of other kinds move on with the windows. */
function referencesOf({ declared }: Models, daysOf: ReturnType<typeof daysBy>, now: number) {
  return declared.flatMap(({ modelId, references }) => {
    const days = daysOf('predictions', modelId)
    if (days === undefined) return []
    return Object.entries(references).flatMap(([name, { kind, from }]) => {
      if (kind !== 'fixed' || from === undefined) return []
      const until = Date.parse(from) + days * DAY_MS
      return [
        {
          model_id: modelId,
          name,
          rows_until: new Date(until).toISOString(),
          lost: until <= now,
        },
      ]
    })
  })
}
