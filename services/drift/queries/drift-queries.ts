/** Everything drift reads from ClickHouse: what has come and been judged here, the counts of windows in `window-queries.ts`. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { gathered } from '../../../lib/clickhouse/request-batcher.ts'
import { progressQueries } from './progress-queries.ts'
import { windowQueries } from './window-queries.ts'
import type { Promotion, StoredReference } from '../plan/references.ts'
import { saidQueries } from './published-results.ts'
import { sqlTime } from '../data/cohort.ts'
import { pastOf, type PastQuestion } from './past-queries.ts'
import { rowQueries } from './sample-rows.ts'
import type { Window } from '../../../lib/models/windows.ts'

interface ReferenceRow extends Record<'model' | 'name' | 'start' | 'end' | 'version', string> {
  kind: StoredReference['kind']
  revision: number
}

const referenceOf = (row: ReferenceRow): StoredReference => ({
  modelId: row.model,
  name: row.name,
  kind: row.kind,
  span: { start: Number(row.start), end: Number(row.end) },
  modelVersion: row.version,
  revision: row.revision,
})

export function driftQueries(db: ClickHouse) {
  return {
    /** How many models events have come of. */
    modelCount: async (): Promise<number> => {
      const [row] = await db.query<{ n: string }>('SELECT uniqExact(model_id) AS n FROM watermarks')
      return Number(row?.n ?? 0)
    },

    /**
     * Models that events have come of: those of a list, and of the others at most so many, those with the most events. Counting
     * the events of all is left out where there is room for everyone.
     */
    modelIds: async (
      declared: readonly string[],
      most: number,
      isRoom: boolean,
    ): Promise<string[]> => {
      const rows = await db.query<{ model: string }>(
        isRoom
          ? 'SELECT DISTINCT model_id AS model FROM watermarks'
          : `SELECT model_id AS model FROM event_counts WHERE model_id NOT IN {declared:Array(String)}
             GROUP BY model ORDER BY sum(events) DESC, model LIMIT {most:UInt32}
             UNION ALL SELECT DISTINCT model_id AS model FROM watermarks WHERE model_id IN {declared:Array(String)}`,
        { declared, most },
      )
      return rows.map(({ model }) => model)
    },

    /** References of a model that were frozen or put. */
    referencesOf: gathered(
      () => '',
      async (models: readonly string[]): Promise<StoredReference[][]> => {
        const rows = await db.query<ReferenceRow>(
          `SELECT model_id AS model, name, kind, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, model_version AS version, revision
           FROM \`references\` FINAL WHERE model_id IN {models:Array(String)}`,
          { models },
        )
        const byModel = Map.groupBy(rows.map(referenceOf), ({ modelId }) => modelId)
        return models.map((model) => byModel.get(model) ?? [])
      },
    ),

    /** When each version of a model was first served, to more than its shadow. */
    promotions: async (modelId: string): Promise<Promotion[]> => {
      const rows = await db.query<{ version: string; at: string }>(
        `SELECT model_version AS version, toUnixTimestamp(min(step)) * 1000 AS at FROM event_counts
         WHERE model_id = {model:String} AND NOT shadow GROUP BY version ORDER BY at, version`,
        { model: modelId },
      )
      return rows.map(({ version, at }) => ({ version, at: Number(at) }))
    },

    /** Whether producers of a model number their events. */
    isProducing: gathered(
      () => '',
      async (models: readonly string[]): Promise<boolean[]> => {
        const rows = await db.query<{ model: string }>(
          'SELECT DISTINCT model_id AS model FROM producer_counts WHERE model_id IN {models:Array(String)}',
          { models },
        )
        const producing = new Set(rows.map((row) => row.model))
        return models.map((model) => producing.has(model))
      },
    ),

    /** The newest revision of a reference made over HTTP; 0 where there is none. */
    referenceRevision: async (modelId: string, name: string): Promise<number> => {
      const [row] = await db.query<{ revision: number }>(
        'SELECT max(revision) AS revision FROM `references` WHERE model_id = {model:String} AND name = {name:String}',
        { model: modelId, name },
      )
      return row?.revision ?? 0
    },

    putReference: (
      { modelId, name, kind, span, modelVersion }: Omit<StoredReference, 'revision'>,
      revision: number,
      at: number,
    ): Promise<void> =>
      db.insertRows(
        '`references`',
        [
          {
            model_id: modelId,
            name,
            kind,
            window_start: sqlTime(span.start),
            window_end: sqlTime(span.end),
            model_version: modelVersion,
            revision,
            frozen_at: sqlTime(at),
          },
        ],
        `reference\u0001${modelId}\u0001${name}\u0001${revision}`,
      ),

    freezeReference: (modelId: string, name: string, span: Window, at: number) =>
      db.insertRows(
        '`references`',
        [
          {
            model_id: modelId,
            name,
            kind: 'first',
            window_start: sqlTime(span.start),
            window_end: sqlTime(span.end),
            revision: 1,
            frozen_at: sqlTime(at),
          },
        ],
        `reference\u0001${modelId}\u0001${name}`,
      ),

    /** What was said of the windows before one. */
    past: (question: PastQuestion) => pastOf(db, question),

    ...rowQueries(db),
    ...saidQueries(db),
    ...progressQueries(db),
    ...windowQueries(db),
  }
}
export type DriftQueries = ReturnType<typeof driftQueries>
