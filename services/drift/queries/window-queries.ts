/** What drift reads of spans of time: merged counts, and truth summed up. */
import type { ScoreCounts } from '../data/reference.ts'
import type { ClickHouse, Params } from '../../../lib/clickhouse/port.ts'
import { gathered } from '../../../lib/clickhouse/request-batcher.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { keptCounts, rawCounts, readCounted, readCounts, readTotals } from './count-queries.ts'
import { readGroups } from './group-queries.ts'
import {
  readOutcomes,
  readOutcomesOfEach,
  readScoreBins,
  readSliceOutcomes,
} from './outcome-queries.ts'
import {
  ALL,
  keyOf,
  paramsOf,
  predictionScope,
  scope,
  SLICE_VALUE,
  spanOf,
  sqlTime,
  within,
  withLateAttributes,
  type Combination,
} from '../data/cohort.ts'
import { countedSlice, sliceCounts } from './slice-counts.ts'
import { effectiveCounts } from '../data/sampling.ts'
import {
  AS_STORED,
  truthOfEach,
  truthParams,
  truthSource,
  type Tables,
} from './labelled-outcomes.ts'
import type { GroupCounts, KnownTruth, OutcomeCounts, WindowCounts } from '../data/window-data.ts'

/** Values of one slice that are judged, the most frequent ones. */
const MAX_SLICES = 50

const countsWhere = (c: Combination) =>
  `WHERE model_id IN {models:Array(String)} AND ${within('step')}${scope(c)}`
/** Shadows too. */
const COUNTS_OF_ALL = `WHERE model_id IN {models:Array(String)} AND ${within('step')}`
const rawWhere = (c: Combination) =>
  `WHERE model_id = {model:String} AND ${within('predicted_at')}${predictionScope(c)}`

type Sliced = Combination & Required<Pick<Combination, 'slice'>>
const isSliced = (c: Combination): c is Sliced => c.slice !== undefined

/** Events of one version and variant. */
export interface Present {
  version: string
  variant: string
  shadow: boolean
  events: number
  errors: number
  duplicates: number
  /** Of its events, as {@link Weights}. */
  weight: number
  squares: number
  errorWeight: number
}

interface PresentRow extends Record<
  'model' | 'version' | 'variant' | 'events' | 'errors' | 'duplicates',
  string
> {
  shadow: boolean
  weight: number
  squares: number
  error_weight: number
}

const presentOf = ({
  version,
  variant,
  shadow,
  weight,
  squares,
  error_weight,
  ...sums
}: PresentRow): Present => ({
  version,
  variant,
  shadow,
  weight,
  squares,
  errorWeight: error_weight,
  events: Number(sums.events),
  errors: Number(sums.errors),
  duplicates: Number(sums.duplicates),
})

/** Of `event_counts`: {@link Weights}, and what the errors weigh. */
const WEIGHTS =
  'sum(event_counts.events) + sum(extra_weight) AS weight, sum(event_counts.events) + sum(extra_squares) AS squares, sum(event_counts.errors) + sum(extra_errors) AS error_weight'

/** The parameters of a question that several models ask alike. */
const ofModels = (
  asked: readonly { modelId: string }[],
  spans: readonly Window[],
  c: Combination,
): Params => ({ ...paramsOf('', spans, c), models: asked.map(({ modelId }) => modelId) })

/** The sums of a combination without a slice, as `scope` has it in SQL. */
function totalsOf(present: readonly Present[], { modelVersion, variant }: Combination) {
  const totals = { events: 0, errors: 0, errorWeight: 0, duplicates: 0, weight: 0, squares: 0 }
  for (const one of present) {
    const isIn = modelVersion === '' ? !one.shadow : one.version === modelVersion
    if (!isIn || (variant !== '' && one.variant !== variant)) continue
    totals.events += one.events
    totals.errors += one.errors
    totals.errorWeight += one.errorWeight
    totals.duplicates += one.duplicates
    totals.weight += one.weight
    totals.squares += one.squares
  }
  return totals
}

export function windowQueries(db: ClickHouse) {
  /** Whether attributes have ever come apart from their predictions. */
  const hasLateAttributes = async () =>
    (await db.query('SELECT 1 FROM attributes LIMIT 1')).length > 0
  /** @param attributes whether the question reads them, so that those that came late must be joined */
  const tablesOf = async (attributes: boolean): Promise<Tables> =>
    attributes && (await hasLateAttributes())
      ? {
          predictions: withLateAttributes('predictions'),
          outcomes: withLateAttributes('outcome_revisions FINAL'),
        }
      : AS_STORED
  const rawOf = async (c: Combination) => ({
    table: (await tablesOf(c.slice !== undefined)).predictions,
    where: rawWhere(c),
  })

  const sliced = sliceCounts(db)

  /** The most frequent values of a slice. */
  async function sliceValues(modelId: string, window: Window, key: string) {
    if (await sliced.ready(modelId, [window], key))
      return sliced.values(modelId, window, key, MAX_SLICES)
    const { predictions } = await tablesOf(true)
    const rows = await db.query<{ value: string }>(
      `SELECT ${SLICE_VALUE} AS value FROM ${predictions} ${rawWhere(ALL)} AND value != '' GROUP BY value ORDER BY count() DESC, value LIMIT ${MAX_SLICES}`,
      paramsOf(modelId, [window], { ...ALL, slice: { key, value: '' } }),
    )
    return rows.map(({ value }) => value)
  }

  async function slices(modelId: string, window: Window, keys: readonly string[]) {
    const found: Combination[] = []
    for (const key of keys)
      for (const value of await sliceValues(modelId, window, key))
        found.push({ ...ALL, slice: { key, value } })
    return found
  }

  /** From the counts that are kept of a slice where they can be, else from raw rows. */
  const ofSlice = async (modelId: string, spans: readonly Window[], c: Sliced, bySpan: boolean) =>
    (await sliced.ready(modelId, spans, c.slice.key))
      ? countedSlice(c, bySpan)
      : rawCounts(await rawOf(c), bySpan)

  async function sliceTotals(modelId: string, spans: readonly Window[], c: Sliced) {
    const counted = await ofSlice(modelId, spans, c, false)
    const [totals] = await readTotals(db, paramsOf(modelId, spans, c), counted, false)
    return totals!
  }

  /** Events of some spans by version and variant. */
  const present = gathered(
    ({ spans }: { modelId: string; spans: readonly Window[] }) => JSON.stringify(spans),
    async (asked) => {
      const rows = await db.query<PresentRow>(
        `SELECT model_id AS model, model_version AS version, variant, shadow, sum(events) AS events, sum(errors) AS errors, sum(duplicates) AS duplicates, ${WEIGHTS}
         FROM event_counts WHERE model_id IN {models:Array(String)} AND ${within('step')}
         GROUP BY model, version, variant, shadow ORDER BY model, version, variant, shadow`,
        ofModels(asked, asked[0]!.spans, ALL),
      )
      const byModel = Map.groupBy(rows, (row) => row.model)
      return asked.map(({ modelId }) => (byModel.get(modelId) ?? []).map(presentOf))
    },
  )
  /** Of models, and of combinations without a slice: what is asked at once of the same spans is read at once. */
  const mergedCounts = gathered(
    ({ spans, c }: { modelId: string; spans: readonly Window[]; c: Combination }) =>
      JSON.stringify([spans, c.withShadows ? keyOf(c) : '']),
    async (asked) => {
      const { spans, c } = asked[0]!
      const keys = [...new Set(asked.map((one) => keyOf(one.c)))]
      const apart = keys.length > 1
      const of = apart
        ? await readCounts(db, ofModels(asked, spans, ALL), COUNTS_OF_ALL, keys)
        : await readCounts(db, ofModels(asked, spans, c), countsWhere(c))
      return asked.map((one) => of(one.modelId)[apart ? keys.indexOf(keyOf(one.c)) : 0]!)
    },
  )

  return {
    hasLateAttributes,
    present,

    /** Everything; each version where there are several; each variant; each value of the slices. */
    combinations: async (
      modelId: string,
      window: Window,
      known: readonly Present[],
      sliceKeys: readonly string[],
    ): Promise<Combination[]> => {
      const versions = [...new Set(known.map(({ version }) => version))]
      const variants = [...new Set(known.map(({ variant }) => variant))]
      return [
        ALL,
        ...(versions.length > 1
          ? versions.map((modelVersion) => ({ modelVersion, variant: '' }))
          : []),
        ...variants
          .filter((variant) => variant !== '')
          .map((variant) => ({ modelVersion: '', variant })),
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
      known: readonly Present[],
    ): Promise<WindowCounts> => ({
      ...(isSliced(c) ? await sliceTotals(modelId, spans, c) : totalsOf(known, c)),
      numeric: new Map(),
      categories: new Map(),
    }),

    /** @param known events of the spans, where they have been read already */
    counts: async (
      modelId: string,
      spans: readonly Window[],
      c: Combination,
      known?: readonly Present[],
    ): Promise<WindowCounts> => {
      if (isSliced(c)) {
        const counted = await ofSlice(modelId, spans, c, false)
        const [own] = await readCounted(db, paramsOf(modelId, spans, c), counted, false)
        return own!
      }
      const own = await mergedCounts({ modelId, spans, c })
      const totals = totalsOf(known ?? (await present({ modelId, spans })), c)
      const { events, errors, errorWeight, duplicates } = totals
      return { events, errors, errorWeight, duplicates, ...effectiveCounts(own, totals) }
    },

    /**
     * The same from raw predictions; `exact` makes every value a bin of its own, `unweighted` counts events that were sampled as
     * they came.
     */
    rawCounts: async (
      modelId: string,
      spans: readonly Window[],
      c: Combination,
      options: { exact: boolean; unweighted: boolean },
    ): Promise<WindowCounts> => {
      const params = paramsOf(modelId, spans, c)
      const source = { ...(await rawOf(c)), ...options }
      const [raw] = await readCounted(db, params, rawCounts(source, false), false)
      return raw!
    },

    /** The same of each span by itself. */
    countsBySpan: async (
      modelId: string,
      spans: readonly Window[],
      c: Combination,
    ): Promise<WindowCounts[]> => {
      const params = paramsOf(modelId, spans, c)
      if (isSliced(c)) return readCounted(db, params, await ofSlice(modelId, spans, c, true), true)
      const where = countsWhere(c)
      const totals = `SELECT ${spanOf('step')} AS span, sum(events) AS events, sum(errors) AS errors, ${WEIGHTS} FROM event_counts ${where} GROUP BY span`
      const counted = { totals, ...keptCounts(where, spanOf('step')) }
      return readCounted(db, { ...params, models: [modelId] }, counted, true)
    },

    outcomes: async (
      model: Model,
      spans: readonly Window[],
      c: Combination,
      { predictions, passedUntil }: { predictions: number; passedUntil: number },
    ): Promise<OutcomeCounts> =>
      readOutcomes(db, model, predictions, {
        source: truthSource(await tablesOf(c.slice !== undefined), model, c),
        params: truthParams(model, spans, c, passedUntil),
      }),

    /** The same of several combinations without a slice, by their keys: those alone that have truth. */
    outcomesOfEach: async (
      model: Model,
      spans: readonly Window[],
      combinations: readonly Combination[],
      passedUntil: number,
    ): Promise<ReadonlyMap<string, KnownTruth>> => {
      const of = (c: Combination) => ({
        source: truthSource(AS_STORED, model, c),
        params: truthParams(model, spans, c, passedUntil),
      })
      const each = {
        source: truthOfEach(AS_STORED, model),
        params: truthParams(model, spans, ALL, passedUntil),
      }
      return readOutcomesOfEach(
        db,
        model,
        each,
        new Map(combinations.map((c) => [keyOf(c), of(c)])),
      )
    },

    /** The same of values of a slice, by value. */
    sliceOutcomes: async (
      model: Model,
      spans: readonly Window[],
      c: Combination,
      { key, values, passedUntil }: { key: string; values: readonly string[]; passedUntil: number },
    ): Promise<ReadonlyMap<string, KnownTruth>> => {
      const slice = { ...c, slice: { key, value: '' } }
      return readSliceOutcomes(db, model, values, {
        source: truthSource(await tablesOf(true), model, slice),
        params: truthParams(model, spans, slice, passedUntil),
      })
    },

    /** Predictions and outcomes by score and predicted class. */
    scores: async (
      model: Model,
      spans: readonly Window[],
      c: Combination,
      passedUntil: number,
    ): Promise<ScoreCounts> =>
      readScoreBins(
        db,
        truthParams(model, spans, c, passedUntil),
        `model_id = {model:String} AND ${within('predicted_at')}${predictionScope(c)}`,
        truthSource(await tablesOf(false), model, c),
      ),

    /** Predictions and truth per group of a protected attribute. */
    groups: async (
      model: Model,
      attribute: string,
      spans: readonly Window[],
      c: Combination,
      passedUntil: number,
    ): Promise<GroupCounts[]> =>
      readGroups(db, model, attribute, c, {
        tables: await tablesOf(true),
        params: truthParams(model, spans, c, passedUntil),
      }),
  }
}
