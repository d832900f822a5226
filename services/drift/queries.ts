/** Everything drift reads from ClickHouse: merged counts per span, never raw rows into Node. */
import type { ClickHouse } from '../../lib/clickhouse.ts'
import type { Model } from '../../lib/models.ts'
import { readCounts, readRawCounts } from './count-queries.ts'
import type { Worst } from './episodes.ts'
import {
  ALL,
  keyOf,
  outcomeScope,
  paramsOf,
  predictionScope,
  scope,
  SLICE_VALUE,
  spanOf,
  sqlTime,
  within,
  type Combination,
} from './scope.ts'
import { pastShiftsOf, type PastShift } from './past-shifts.ts'
import type { Window } from '../../lib/windows.ts'
import type { Judged, PartitionProgress, StepCount } from './schedule.ts'
import { factKey, type Fact } from './facts.ts'
import type { ScoreCounts } from './evaluate-estimates.ts'
import { readOutcomes, readScoreBins } from './outcome-queries.ts'
import type { GroupCounts, OutcomeCounts, WindowCounts } from './window-data.ts'

/** Values of one slice that are judged, the most frequent ones. */
const MAX_SLICES = 50

const countsWhere = (c: Combination) =>
  `WHERE model_id = {model:String} AND ${within('step')}${scope(c)}`
const rawWhere = (c: Combination) =>
  `WHERE model_id = {model:String} AND ${within('predicted_at')}${predictionScope(c)}`

export function driftQueries(db: ClickHouse) {
  async function totals(modelId: string, spans: readonly Window[], c: Combination) {
    const [row] = await db.query<{ events: string; errors: string; duplicates: string }>(
      `SELECT sum(events) AS events, sum(errors) AS errors, sum(duplicates) AS duplicates FROM event_counts WHERE model_id = {model:String} AND ${within('step')}${scope(c)}`,
      paramsOf(modelId, spans, c),
    )
    return {
      events: Number(row?.events ?? 0),
      errors: Number(row?.errors ?? 0),
      duplicates: Number(row?.duplicates ?? 0),
    }
  }

  async function slices(modelId: string, window: Window, keys: readonly string[]) {
    const found: Combination[] = []
    for (const key of keys) {
      const rows = await db.query<{ value: string }>(
        `SELECT ${SLICE_VALUE} AS value FROM predictions ${rawWhere(ALL)} AND value != '' GROUP BY value ORDER BY count() DESC, value LIMIT ${MAX_SLICES}`,
        paramsOf(modelId, [window], { ...ALL, slice: { key, value: '' } }),
      )
      found.push(...rows.map(({ value }) => ({ ...ALL, slice: { key, value } })))
    }
    return found
  }

  async function rawTotals(modelId: string, spans: readonly Window[], c: Combination) {
    const [row] = await db.query<{ events: string; errors: string }>(
      `SELECT count() AS events, countIf(status = 'error') AS errors FROM predictions ${rawWhere(c)}`,
      paramsOf(modelId, spans, c),
    )
    return { events: Number(row?.events ?? 0), errors: Number(row?.errors ?? 0), duplicates: 0 }
  }

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
         FROM \`references\` FINAL WHERE model_id = {model:String}`,
        { model: modelId },
      )
      return new Map(
        rows.map((row) => [row.name, { start: Number(row.start), end: Number(row.end) }]),
      )
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

    /** Everything; each version where there are several; each variant; each value of the slices. */
    combinations: async (
      modelId: string,
      window: Window,
      sliceKeys: readonly string[],
    ): Promise<Combination[]> => {
      const rows = await db.query<{ version: string; variant: string }>(
        `SELECT DISTINCT model_version AS version, variant FROM event_counts WHERE model_id = {model:String} AND ${within('step')} ORDER BY 1, 2`,
        paramsOf(modelId, [window], ALL),
      )
      const versions = [...new Set(rows.map((row) => row.version))]
      const variants = [...new Set(rows.map((row) => row.variant))].filter(
        (variant) => variant !== '',
      )
      return [
        ALL,
        ...(versions.length > 1
          ? versions.map((modelVersion) => ({ modelVersion, variant: '' }))
          : []),
        ...variants.map((variant) => ({ modelVersion: '', variant })),
        ...(await slices(modelId, window, sliceKeys)),
      ]
    },

    /**
     * The share of the events that producers say they emitted which came; null where no event of the window says so. What is
     * missing up to a time is (greatest - least + 1 - received) by then; a gap belongs to the window of the event after it.
     */
    completeness: async (modelId: string, window: Window): Promise<number | null> => {
      const [row] = await db.query<{ received: string; missing: string }>(
        `SELECT sum(received_within) AS received, sum(greatest(missing_by_end - missing_by_start, 0)) AS missing FROM (
           SELECT producer, sumIf(received, step >= {from:DateTime64(3, 'UTC')}) AS received_within,
             toInt64(max(highest) - min(lowest) + 1) - toInt64(sum(received)) AS missing_by_end,
             if(countIf(step < {from:DateTime64(3, 'UTC')}) = 0, 0,
               toInt64(maxIf(highest, step < {from:DateTime64(3, 'UTC')}) - minIf(lowest, step < {from:DateTime64(3, 'UTC')}) + 1)
                 - toInt64(sumIf(received, step < {from:DateTime64(3, 'UTC')}))) AS missing_by_start
           FROM producer_counts WHERE model_id = {model:String} AND step < {to:DateTime64(3, 'UTC')}
           GROUP BY producer HAVING received_within > 0)`,
        { model: modelId, from: sqlTime(window.start), to: sqlTime(window.end) },
      )
      const received = Number(row?.received ?? 0)
      return received === 0 ? null : received / (received + Number(row?.missing ?? 0))
    },

    /** The totals of {@link counts} alone. */
    eventCounts: async (
      modelId: string,
      spans: readonly Window[],
      c: Combination,
    ): Promise<WindowCounts> => ({
      ...(c.slice ? await rawTotals(modelId, spans, c) : await totals(modelId, spans, c)),
      numeric: new Map(),
      categories: new Map(),
    }),

    counts: async (
      modelId: string,
      spans: readonly Window[],
      c: Combination,
    ): Promise<WindowCounts> => {
      if (c.slice) {
        const [raw] = await readRawCounts(db, paramsOf(modelId, spans, c), rawWhere(c), false)
        return raw!
      }
      const [own] = await readCounts(db, paramsOf(modelId, spans, c), countsWhere(c), false)
      return { ...(await totals(modelId, spans, c)), ...own! }
    },

    /** The same from raw predictions. */
    rawCounts: async (
      modelId: string,
      spans: readonly Window[],
      c: Combination,
    ): Promise<WindowCounts> => {
      const [raw] = await readRawCounts(db, paramsOf(modelId, spans, c), rawWhere(c), false)
      return raw!
    },

    /** The same of each span by itself. */
    countsBySpan: async (
      modelId: string,
      spans: readonly Window[],
      c: Combination,
    ): Promise<WindowCounts[]> => {
      const params = paramsOf(modelId, spans, c)
      if (c.slice) return readRawCounts(db, params, rawWhere(c), true)
      const perSpan = await readCounts(db, params, countsWhere(c), true)
      const sums = await db.query<{ span: number; events: string; errors: string }>(
        `SELECT ${spanOf('step')} AS span, sum(events) AS events, sum(errors) AS errors FROM event_counts ${countsWhere(c)} GROUP BY span`,
        params,
      )
      return perSpan.map((own, i) => {
        const sum = sums.find(({ span }) => span === i + 1)
        return {
          events: Number(sum?.events ?? 0),
          errors: Number(sum?.errors ?? 0),
          duplicates: 0,
          ...own,
        }
      })
    },

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

    outcomes: (
      model: Model,
      spans: readonly Window[],
      c: Combination,
      predictions: number,
    ): Promise<OutcomeCounts> =>
      readOutcomes(
        db,
        model,
        predictions,
        {
          ...paramsOf(model.modelId, spans, c),
          positive: model.positiveClass,
          threshold: model.threshold,
        },
        `model_id = {model:String} AND name = 'label' AND ${within('predicted_at')}${outcomeScope(c)}`,
      ),

    /** Predictions and outcomes by score and predicted class. */
    scores: (model: Model, spans: readonly Window[], c: Combination): Promise<ScoreCounts> => {
      const where = `model_id = {model:String} AND ${within('predicted_at')}`
      return readScoreBins(
        db,
        {
          ...paramsOf(model.modelId, spans, c),
          positive: model.positiveClass,
          threshold: model.threshold,
        },
        where + predictionScope(c),
        `${where}${outcomeScope(c)} AND name = 'label'`,
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

    /** Predictions and truth per group of a protected attribute; `(missing)` is a group. */
    groups: async (
      model: Model,
      attribute: string,
      spans: readonly Window[],
      c: Combination,
    ): Promise<GroupCounts[]> => {
      const params = {
        ...paramsOf(model.modelId, spans, c),
        attribute,
        favorable: model.fairness.favorable,
      }
      const group = `if(attributes[{attribute:String}] = '', '(missing)', attributes[{attribute:String}])`
      const rows = await db.query<Record<string, string>>(
        `SELECT group, sum(predictions) AS predictions, sum(favorable) AS favorable, sum(tp) AS tp, sum(fp) AS fp, sum(fn) AS fn, sum(tn) AS tn FROM (
           SELECT ${group} AS group, count() AS predictions, countIf(prediction = {favorable:String}) AS favorable, 0 AS tp, 0 AS fp, 0 AS fn, 0 AS tn
           FROM predictions WHERE model_id = {model:String} AND ${within('predicted_at')}${scope(c)} GROUP BY group
           UNION ALL
           SELECT ${group} AS group, 0, 0,
             countIf(prediction = {favorable:String} AND label = {favorable:String}), countIf(prediction = {favorable:String} AND label != {favorable:String}),
             countIf(prediction != {favorable:String} AND label = {favorable:String}), countIf(prediction != {favorable:String} AND label != {favorable:String})
           FROM outcome_revisions FINAL
           WHERE model_id = {model:String} AND name = 'label' AND ${within('predicted_at')}${scope(c)} AND isNotNull(label) AND isNotNull(prediction)
           GROUP BY group
         ) GROUP BY group ORDER BY sum(predictions) DESC, group LIMIT 50`,
        params,
      )
      return rows.map((row) => ({
        group: row['group']!,
        predictions: Number(row['predictions']),
        favorable: Number(row['favorable']),
        tp: Number(row['tp']),
        fp: Number(row['fp']),
        fn: Number(row['fn']),
        tn: Number(row['tn']),
      }))
    },
  }
}
export type DriftQueries = ReturnType<typeof driftQueries>
