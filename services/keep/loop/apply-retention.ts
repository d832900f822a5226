/** Drops what has passed its retention, once an hour, by one process. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import type { KeepConfig } from '../config.ts'
import { RETAINED, type Kind } from '../data/retention-tables.ts'
import { dueDrops, type DaysOf, type Drop } from '../plan/due-drops.ts'
import { toldDrops } from '../plan/told-drops.ts'
import { lastDone } from '../queries/control-store.ts'
import { dropRows, monthsOf } from '../queries/retention.ts'
import { alone } from './alone.ts'

/** How often it is looked for what is due. */
export const RETENTION_EVERY_MS = 3_600_000
/** The name of this work among those that one process at a time does. */
export const RETENTION_WORK = 'retention'
const HOLD_MS = 1_800_000

/** What retention needs. */
export interface RetentionParts {
  db: ClickHouse
  postgres: Postgres
  models: Models
  config: KeepConfig
  now: () => number
}

/** The retention that is set, as it is written: `180d`; undefined: for ever. */
export function retentionOf(
  { models, config }: Pick<RetentionParts, 'models' | 'config'>,
  kind: Kind,
  model: string,
): string | undefined {
  if (kind === 'dead_letters') return config.PLUMBLINE_RETENTION_DEAD_LETTERS
  if (kind === 'attributes') return config.PLUMBLINE_RETENTION_ATTRIBUTES
  return (
    models.get(model).retention?.[kind] ??
    (kind === 'predictions'
      ? config.PLUMBLINE_RETENTION_PREDICTIONS
      : config.PLUMBLINE_RETENTION_LABELS)
  )
}

/** The retention that is set, in days. */
export const daysBy =
  (parts: Pick<RetentionParts, 'models' | 'config'>): DaysOf =>
  (kind, model) => {
    const text = retentionOf(parts, kind, model)
    return text === undefined ? undefined : Number.parseInt(text, 10)
  }

/**
 * Drops what is due, where an hour has passed since it was done last; what was dropped is an entry of
 * the audit log.
 */
export async function applyRetention(parts: RetentionParts): Promise<Drop[]> {
  const { postgres, now } = parts
  const done = await lastDone(postgres, RETENTION_WORK)
  if (done && now() - done.getTime() < RETENTION_EVERY_MS) return []
  const work = { name: RETENTION_WORK, forMs: HOLD_MS }
  return (await alone(parts, work, () => dropAudited(parts))) ?? []
}

async function dropAudited(parts: RetentionParts): Promise<Drop[]> {
  const { postgres, now } = parts
  const drops = await dropDue(parts)
  if (drops.length > 0)
    await postgres.transaction((tx) =>
      appendAudit(tx, {
        at: new Date(now()),
        actor: 'plumbline',
        action: 'retention.dropped',
        subject: drops[0]!.table,
        detail: toldDrops(drops),
      }),
    )
  return drops
}

async function dropDue(parts: RetentionParts): Promise<Drop[]> {
  const { db, now } = parts
  const dropped: Drop[] = []
  for (const table of RETAINED) {
    const due = dueDrops(table, await monthsOf(db, table), daysBy(parts), now())
    for (const drop of due) {
      await dropRows(db, table, drop)
      dropped.push(drop)
    }
  }
  return dropped
}
