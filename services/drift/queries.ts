/** Everything drift reads from ClickHouse: what has come and been judged here, the counts of windows in `window-queries.ts`. */
import type { ClickHouse } from '../../lib/clickhouse.ts'
import { progressQueries } from './progress-queries.ts'
import { windowQueries } from './window-queries.ts'
import type { ModelReference } from '../../schemas/model.ts'
import type { StoredReference } from './references.ts'
import { keyOf, sqlTime } from './scope.ts'
import { pastShiftsOf, type PastShift, type ShiftRow } from './past-shifts.ts'
import type { Window } from '../../lib/windows.ts'
import { factKey, type Fact } from './facts.ts'

export function driftQueries(db: ClickHouse) {
  return {
    modelIds: async () =>
      (await db.query<{ model_id: string }>('SELECT DISTINCT model_id FROM watermarks')).map(
        (row) => row.model_id,
      ),

    /** Facts of a window as they stand, per combination, with the newest revision of each combination. */
    latestFacts: async (
      modelId: string,
      window: Window,
    ): Promise<Map<string, { revision: number; facts: Map<string, Fact> }>> => {
      const rows = await db.query<
        Fact & {
          model_version: string
          variant: string
          slice_key: string
          slice_value: string
          revision: number
          n_reference: string
          n_current: string
          n_labelled: string
        }
      >(
        `SELECT * FROM window_metrics
         WHERE model_id = {model:String} AND window_start = {start:DateTime64(3, 'UTC')} AND window_end = {end:DateTime64(3, 'UTC')}
         ORDER BY revision DESC LIMIT 1 BY model_version, variant, slice_key, slice_value, family, subject, metric, convention, method, reference`,
        { model: modelId, start: sqlTime(window.start), end: sqlTime(window.end) },
      )
      const found = new Map<string, { revision: number; facts: Map<string, Fact> }>()
      for (const row of rows) {
        const { model_version: modelVersion, variant } = row
        const slice = { key: row.slice_key, value: row.slice_value }
        const key = keyOf({ modelVersion, variant, slice })
        const entry = found.get(key) ?? { revision: 0, facts: new Map<string, Fact>() }
        entry.revision = Math.max(entry.revision, row.revision)
        const numbers = {
          n_reference: Number(row.n_reference),
          n_current: Number(row.n_current),
          n_labelled: Number(row.n_labelled),
        }
        entry.facts.set(factKey(row), { ...row, ...numbers })
        found.set(key, entry)
      }
      return found
    },

    /** References that were frozen or put, of all models. */
    storedReferences: async (): Promise<StoredReference[]> => {
      const rows = await db.query<{
        model: string
        name: string
        kind: StoredReference['kind']
        start: string
        end: string
        version: string
      }>(
        `SELECT model_id AS model, name, kind, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, model_version AS version
         FROM \`references\` FINAL`,
      )
      return rows.map(({ model, name, kind, start, end, version }) => ({
        modelId: model,
        name,
        kind,
        span: { start: Number(start), end: Number(end) },
        modelVersion: version,
      }))
    },

    /** Models whose producers number their events. */
    producing: async (): Promise<Set<string>> => {
      const rows = await db.query<{ model: string }>(
        'SELECT DISTINCT model_id AS model FROM producer_counts',
      )
      return new Set(rows.map((row) => row.model))
    },

    /** @returns the revision it has */
    putReference: async (
      modelId: string,
      name: string,
      reference: ModelReference,
      at: number,
    ): Promise<number> => {
      const [row] = await db.query<{ revision: number }>(
        'SELECT max(revision) AS revision FROM `references` WHERE model_id = {model:String} AND name = {name:String}',
        { model: modelId, name },
      )
      const revision = (row?.revision ?? 0) + 1
      await db.insertRows(
        '`references`',
        [
          {
            model_id: modelId,
            name,
            kind: reference.kind,
            window_start: sqlTime(Date.parse(reference.from ?? '1970-01-01')),
            window_end: sqlTime(Date.parse(reference.to ?? '1970-01-01')),
            model_version: reference.model_version ?? '',
            revision,
            frozen_at: sqlTime(at),
          },
        ],
        `reference\u0001${modelId}\u0001${name}\u0001${revision}`,
      )
      return revision
    },

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
        `SELECT concat(model_version, '\\x01', variant, '\\x01', slice_key, '\\x01', slice_value) AS key, toUnixTimestamp64Milli(window_start) AS start, subject, metric, value, n_current AS size, verdict
         FROM window_metrics
         WHERE model_id = {model:String} AND family = 'drift' AND convention = 'plumbline' AND reference = {reference:String}
           AND metric IN ('psi', 'location_shift', 'scale_shift', 'skew_shift')
           AND window_start >= {from:DateTime64(3, 'UTC')} AND window_end <= {to:DateTime64(3, 'UTC')}
         ORDER BY window_start, revision DESC LIMIT 1 BY model_version, variant, slice_key, slice_value, window_start, window_end, subject, metric`,
        { model: modelId, reference, from: sqlTime(from), to: sqlTime(to) },
      )
      return pastShiftsOf(rows)
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

    ...progressQueries(db),
    ...windowQueries(db),
  }
}
export type DriftQueries = ReturnType<typeof driftQueries>
