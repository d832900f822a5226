/** Everything drift reads from ClickHouse: what has come and been judged here, the counts of windows in `window-queries.ts`. */
import type { ClickHouse } from '../../lib/clickhouse.ts'
import { gathered } from '../../lib/gathered.ts'
import { progressQueries } from './progress-queries.ts'
import { windowQueries } from './window-queries.ts'
import type { Promotion, StoredReference } from './references.ts'
import { keyOf, sqlTime } from './scope.ts'
import { lossQueries } from './loss-queries.ts'
import { pastLevelsOf, type LevelRow, type PastLevels } from './past-levels.ts'
import { pastShiftsOf, type PastShift, type ShiftRow } from './past-shifts.ts'
import type { Window } from '../../lib/windows.ts'
import { factKey, type Fact } from './facts.ts'

/** What was said of a combination. */
export interface Said {
  /** The newest revision that was begun. */
  revision: number
  /** Of the newest complete one; empty where none is. */
  facts: Map<string, Fact>
}

/** 64-bit integers come as strings. */
type Counted = 'n_reference' | 'n_current' | 'n_labelled'
type FactRow = Omit<Fact, Counted> &
  Record<Counted, string> & {
    model_id: string
    model_version: string
    variant: string
    slice_key: string
    slice_value: string
    revision: number
    stands: boolean
    begun: number
  }

const ofWindow = `model_id IN {models:Array(String)} AND window_start = {start:DateTime64(3, 'UTC')} AND window_end = {end:DateTime64(3, 'UTC')}`

function saidOf(rows: readonly FactRow[]): Map<string, Said> {
  const found = new Map<string, Said>()
  for (const row of rows) {
    const { model_version: modelVersion, variant } = row
    const slice = { key: row.slice_key, value: row.slice_value }
    const key = keyOf({ modelVersion, variant, slice })
    const entry = found.get(key) ?? { revision: row.begun, facts: new Map<string, Fact>() }
    found.set(key, entry)
    if (!row.stands) continue
    const numbers = {
      n_reference: Number(row.n_reference),
      n_current: Number(row.n_current),
      n_labelled: Number(row.n_labelled),
    }
    entry.facts.set(factKey(row), { ...row, ...numbers })
  }
  return found
}

export function driftQueries(db: ClickHouse) {
  return {
    modelIds: async () =>
      (await db.query<{ model_id: string }>('SELECT DISTINCT model_id FROM watermarks')).map(
        (row) => row.model_id,
      ),

    /**
     * What was said of a window, per combination: the facts of its newest complete revision, and the newest revision that
     * was begun, which a crash may have cut off.
     */
    latestFacts: gathered(
      ({ window }: { modelId: string; window: Window }) => `${window.start}-${window.end}`,
      async (asked) => {
        const { window } = asked[0]!
        const rows = await db.query<FactRow>(
          // Wrapped: an engine was once seen to look for the column `stands` in the table itself.
          `SELECT * FROM (SELECT * EXCEPT (complete), revision <= complete AS stands, max(revision) OVER (PARTITION BY model_id, model_version, variant, slice_key, slice_value) AS begun
           FROM window_metrics LEFT JOIN (
             SELECT model_id, model_version, variant, slice_key, slice_value, max(revision) AS complete FROM window_revisions
             WHERE ${ofWindow} GROUP BY model_id, model_version, variant, slice_key, slice_value
           ) AS revisions USING (model_id, model_version, variant, slice_key, slice_value)
           WHERE ${ofWindow})
           ORDER BY stands DESC, revision DESC LIMIT 1 BY model_id, model_version, variant, slice_key, slice_value, family, subject, metric, convention, method, reference`,
          {
            models: asked.map(({ modelId }) => modelId),
            start: sqlTime(window.start),
            end: sqlTime(window.end),
          },
        )
        const byModel = Map.groupBy(rows, (row) => row.model_id)
        return asked.map(({ modelId }) => saidOf(byModel.get(modelId) ?? []))
      },
    ),

    /** References that were frozen or put, of all models. */
    storedReferences: async (): Promise<StoredReference[]> => {
      const rows = await db.query<{
        model: string
        name: string
        kind: StoredReference['kind']
        start: string
        end: string
        version: string
        revision: number
      }>(
        `SELECT model_id AS model, name, kind, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, model_version AS version, revision
         FROM \`references\` FINAL`,
      )
      return rows.map(({ model, name, kind, start, end, version, revision }) => ({
        modelId: model,
        name,
        kind,
        span: { start: Number(start), end: Number(end) },
        modelVersion: version,
        revision,
      }))
    },

    /** When each version of a model was first served, to more than its shadow. */
    promotions: async (modelId: string): Promise<Promotion[]> => {
      const rows = await db.query<{ version: string; at: string }>(
        `SELECT model_version AS version, toUnixTimestamp(min(step)) * 1000 AS at FROM event_counts
         WHERE model_id = {model:String} AND NOT shadow GROUP BY version ORDER BY at, version`,
        { model: modelId },
      )
      return rows.map(({ version, at }) => ({ version, at: Number(at) }))
    },

    /** Models whose producers number their events. */
    producing: async (): Promise<Set<string>> => {
      const rows = await db.query<{ model: string }>(
        'SELECT DISTINCT model_id AS model FROM producer_counts',
      )
      return new Set(rows.map((row) => row.model))
    },

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

    /** How windows since `from` differed from a reference, per combination, in the order of time. */
    pastShifts: async (
      modelId: string,
      reference: string,
      from: number,
      to: number,
    ): Promise<Map<string, PastShift[]>> => {
      const rows = await db.query<ShiftRow>(
        `SELECT concat(model_version, '\\x01', variant, '\\x01', slice_key, '\\x01', slice_value) AS key, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, subject, metric, value, n_current AS size, verdict
         FROM window_metrics
         WHERE model_id = {model:String} AND family = 'drift' AND convention = 'plumbline' AND reference = {reference:String}
           AND metric IN ('psi', 'location_shift', 'scale_shift', 'skew_shift')
           AND window_start >= {from:DateTime64(3, 'UTC')} AND window_end <= {to:DateTime64(3, 'UTC')}
         ORDER BY window_start, revision DESC LIMIT 1 BY model_version, variant, slice_key, slice_value, window_start, window_end, subject, metric`,
        { model: modelId, reference, from: sqlTime(from), to: sqlTime(to) },
      )
      return pastShiftsOf(rows)
    },

    /** Numbers of performance and operations of some windows, and of all since, per combination, in the order of time. */
    pastLevels: async (
      modelId: string,
      windows: readonly Window[],
      from: number,
      to: number,
    ): Promise<Map<string, PastLevels>> => {
      const rows = await db.query<LevelRow>(
        `SELECT concat(model_version, '\\x01', variant, '\\x01', slice_key, '\\x01', slice_value) AS key, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end,
           family, subject, metric, value, ci_low, ci_high, ci_level, verdict, n_current, n_labelled
         FROM window_metrics
         WHERE model_id = {model:String} AND family IN ('performance', 'operations') AND convention = 'plumbline' AND method = 'observed'
           AND (toUnixTimestamp64Milli(window_start) IN {starts:Array(Int64)} OR (window_start >= {from:DateTime64(3, 'UTC')} AND window_end <= {to:DateTime64(3, 'UTC')}))
         ORDER BY window_start, revision DESC LIMIT 1 BY model_version, variant, slice_key, slice_value, window_start, window_end, family, subject, metric`,
        {
          model: modelId,
          starts: windows.map(({ start }) => start),
          from: sqlTime(from),
          to: sqlTime(to),
        },
      )
      return pastLevelsOf(
        rows.filter(({ value, verdict }) => value !== null && verdict !== 'incomplete'),
      )
    },

    /** By how much estimates of the last windows were wrong. */
    pastErrors: async (modelId: string, before: number): Promise<number[]> => {
      const rows = await db.query<{ value: number | null }>(
        `SELECT argMax(value, revision) AS value FROM window_metrics
         WHERE model_id = {model:String} AND metric = 'estimate_error' AND model_version = '' AND variant = '' AND slice_key = '' AND window_end <= {before:DateTime64(3, 'UTC')}
         GROUP BY window_start, window_end ORDER BY window_end DESC LIMIT 20`,
        { model: modelId, before: sqlTime(before) },
      )
      return rows.flatMap(({ value }) => (value === null ? [] : [value]))
    },

    ...lossQueries(db),
    ...progressQueries(db),
    ...windowQueries(db),
  }
}
export type DriftQueries = ReturnType<typeof driftQueries>
