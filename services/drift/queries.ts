/** Everything drift reads from ClickHouse: what has come and been judged here, the counts of windows in `window-queries.ts`. */
import type { ClickHouse } from '../../lib/clickhouse.ts'
import { windowQueries } from './window-queries.ts'
import type { ModelReference } from '../../schemas/model.ts'
import type { Worst } from './episodes.ts'
import { keyOf, sqlTime } from './scope.ts'
import { pastShiftsOf, type PastShift } from './past-shifts.ts'
import type { Window } from '../../lib/windows.ts'
import type { Judged, PartitionProgress, StepCount } from './schedule.ts'
import { factKey, type Fact } from './facts.ts'

export function driftQueries(db: ClickHouse) {
  return {
    modelIds: async () =>
      (await db.query<{ model_id: string }>('SELECT DISTINCT model_id FROM watermarks')).map(
        (row) => row.model_id,
      ),

    /** Buckets of time with events or changed truth, ascending; every window is a union of buckets. */
    steps: async (modelId: string, bucket: number): Promise<StepCount[]> => {
      const rows = await db.query<{ at: string; events: string; changes: string }>(
        `SELECT intDiv(toUnixTimestamp(step) * 1000, {bucket:UInt64}) * {bucket:UInt64} AS at, sum(events) AS events, sum(changes) AS changes FROM (
           SELECT step, sum(events) AS events, 0 AS changes FROM event_counts WHERE model_id = {model:String} GROUP BY step
           UNION ALL
           SELECT step, 0 AS events, sum(changes) AS changes FROM outcome_changes WHERE model_id = {model:String} GROUP BY step
         ) GROUP BY at ORDER BY at`,
        { model: modelId, bucket },
      )
      return rows.map((row) => ({
        step: Number(row.at),
        events: Number(row.events),
        changes: Number(row.changes),
      }))
    },

    partitions: async (modelId: string): Promise<PartitionProgress[]> => {
      const rows = await db.query<{ newest: string; received: string }>(
        `SELECT toUnixTimestamp64Milli(max(newest)) AS newest, toUnixTimestamp64Milli(max(received_at)) AS received
         FROM watermarks WHERE model_id = {model:String} GROUP BY topic, partition`,
        { model: modelId },
      )
      return rows.map((row) => ({ newest: Number(row.newest), receivedAt: Number(row.received) }))
    },

    /** The newest revision of each window, for the combination of everything. */
    judged: async (modelId: string): Promise<Judged[]> => {
      const rows = await db.query<{
        start: string
        end: string
        revision: string
        events: string
        changes: string
        mature: boolean
        worst: Worst
        episode: string
      }>(
        `SELECT toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, max(revision) AS revision,
           argMax(events, revision) AS events, argMax(outcome_changes, revision) AS changes, argMax(mature, revision) AS mature,
           argMax(worst, revision) AS worst, argMax(episode_id, revision) AS episode
         FROM window_revisions
         WHERE model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''
         GROUP BY window_start, window_end`,
        { model: modelId },
      )
      return rows.map((row) => ({
        start: Number(row.start),
        end: Number(row.end),
        revision: Number(row.revision),
        events: Number(row.events),
        changes: Number(row.changes),
        mature: row.mature,
        worst: row.worst,
        episode: row.episode,
      }))
    },

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

    /** Windows of which some drift verdict, as it stands, is an alarm. */
    alarmedWindows: async (modelId: string): Promise<Set<string>> => {
      const rows = await db.query<{ start: string; end: string }>(
        `SELECT DISTINCT toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end FROM (
           SELECT window_start, window_end, argMax(verdict, revision) AS standing FROM verdicts
           WHERE model_id = {model:String} AND family = 'drift' AND model_version = '' AND variant = '' AND slice_key = ''
           GROUP BY window_start, window_end, metric, subject, convention, reference
         ) WHERE standing = 'alarm'`,
        { model: modelId },
      )
      return new Set(rows.map((row) => `${row.start}-${row.end}`))
    },

    frozenReferences: async (modelId: string): Promise<Map<string, Window>> => {
      const rows = await db.query<{ name: string; start: string; end: string }>(
        `SELECT name, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end
         FROM \`references\` FINAL WHERE model_id = {model:String} AND kind = 'first'`,
        { model: modelId },
      )
      return new Map(
        rows.map((row) => [row.name, { start: Number(row.start), end: Number(row.end) }]),
      )
    },

    /** References that were made over HTTP, by name. */
    putReferences: async (modelId: string): Promise<Record<string, ModelReference>> => {
      const rows = await db.query<{
        name: string
        kind: 'fixed' | 'version'
        start: string
        end: string
        version: string
      }>(
        `SELECT name, kind, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, model_version AS version
         FROM \`references\` FINAL WHERE model_id = {model:String} AND kind IN ('fixed', 'version')`,
        { model: modelId },
      )
      return Object.fromEntries(
        rows.map(({ name, kind, start, end, version }) => [
          name,
          kind === 'version'
            ? { kind, model_version: version }
            : {
                kind,
                from: new Date(Number(start)).toISOString(),
                to: new Date(Number(end)).toISOString(),
              },
        ]),
      )
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
      const rows = await db.query<{
        key: string
        start: string
        subject: string
        metric: string
        value: number | null
        size: string
        verdict: string
      }>(
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

    ...windowQueries(db),
  }
}
export type DriftQueries = ReturnType<typeof driftQueries>
