/**
 * What Prometheus is told of the last closed window of each model, and of its cohorts where its
 * model file says so: verdicts by family, and a bounded number of results by name.
 */
import { DEFAULT_CHOICE, type MetricsChoice } from '../../../lib/models/metrics/metrics-choice.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { RevisionKey } from './rows.ts'
import { keyOf, type Cohort } from '../data/cohort.ts'
import { snoozeKey } from '../queries/verdict-feedback.ts'
import { chosenResults, isShown } from './chosen-results.ts'
import { withinBudget } from './series-budget.ts'
import { registerGauges, type Kind, type Shown } from './window-series.ts'

const VERDICTS = { ok: 0, warning: 1, alarm: 2, incomplete: -1 } as const

/** What a process exports of the windows that it evaluates. */
export interface Gauges {
  /**
   * Replaces what is exported of a cohort, unless a later window of it is exported already.
   *
   * @param snoozed results by `snoozeKey` whose verdict is not exported
   */
  show: (key: RevisionKey, results: readonly MetricResult[], snoozed?: ReadonlySet<string>) => void
  /** Ends the export of a model that another process evaluates now. */
  forget: (modelId: string) => void
}

/** Several gauges as one. */
export const allGauges = (gauges: readonly Gauges[]): Gauges => ({
  show: (...shown) => {
    for (const one of gauges) one.show(...shown)
  },
  forget: (modelId) => {
    for (const one of gauges) one.forget(modelId)
  },
})

const kindKey = ({ family, metric, reference, convention }: Kind) =>
  [family, metric, reference, convention].join('\u0001')

/**
 * Windows of its model after which a cohort without one is no longer exported: a retired version, a
 * slice nobody is in.
 */
const KEPT_WINDOWS = 3

/** What bounds the export. */
export interface GaugeOptions {
  /** What a model's file chooses. */
  choiceOf: (modelId: string) => MetricsChoice
  /** Series of windows that this process exports, at most. */
  mostSeries: number
}

/**
 * Registers `plumbline_verdicts`, `plumbline_window_metric` and `plumbline_verdict`, and
 * `plumbline_series_left_out` that says what the limit kept out. Poststratified results are not
 * exported.
 */
export function createGauges(
  { registry }: Metrics,
  { choiceOf = () => DEFAULT_CHOICE, mostSeries = Infinity }: Partial<GaugeOptions> = {},
): Gauges {
  const shown = new Map<string, Shown>()
  const sharedKind = kindCache()
  /** End of the newest window of each model, epoch milliseconds. */
  const newest = new Map<string, number>()
  registerGauges(registry, () => withinBudget([...shown.values()], ({ size }) => size, mostSeries))
  return {
    show: (key, results, snoozed) => {
      const choice = choiceOf(key.modelId)
      const id = `${key.modelId}\u0001${keyOf(key.cohort)}`
      dropRetired(shown, newest, key)
      if ((shown.get(id)?.end ?? 0) > key.window.end) return
      if (!isWanted(key.cohort, choice)) {
        shown.delete(id)
        return
      }
      const isSnoozed = (result: MetricResult) =>
        snoozed !== undefined && snoozed.size > 0 && snoozed.has(snoozeKey(key.modelId, result))
      const one = shownOf(key, exported(results), { choice, sharedKind, isSnoozed })
      // An old window that is restated brings no retired cohort back.
      if (!isRetired(one, newest.get(key.modelId)!, lengthOf(key.window))) shown.set(id, one)
    },
    forget: (modelId) => {
      newest.delete(modelId)
      for (const id of shown.keys()) if (id.startsWith(`${modelId}\u0001`)) shown.delete(id)
    },
  }
}

/** The model as a whole is always wanted. */
function isWanted({ modelVersion, variant, slice }: Cohort, { cohorts }: MetricsChoice): boolean {
  if (slice) return cohorts.has('slices')
  if (modelVersion !== '') return cohorts.has('versions')
  return variant === '' || cohorts.has('variants')
}

/** Gives equal kinds as one object. */
function kindCache(): (result: MetricResult) => Kind {
  const kinds = new Map<string, Kind>()
  return (result) => {
    const key = kindKey(result)
    let kind = kinds.get(key)
    if (!kind) {
      const { family, metric, reference, convention } = result
      kinds.set(key, (kind = { family, metric, reference, convention }))
    }
    return kind
  }
}

/**
 * The results that are exported, one of each set of labels: Prometheus refuses two equal series.
 */
function exported(results: readonly MetricResult[]): MetricResult[] {
  const series = new Map<string, MetricResult>()
  for (const result of results) {
    if (!isShown(result)) continue
    // A corrected value has the labels of the observed one; the table holds both.
    if (result.method === 'poststratified') continue
    series.set(`${kindKey(result)}\u0001${result.subject}`, result)
  }
  return [...series.values()]
}

interface ShownParts {
  choice: MetricsChoice
  sharedKind: (result: MetricResult) => Kind
  isSnoozed: (result: MetricResult) => boolean
}

function shownOf(
  { modelId, cohort, window }: RevisionKey,
  results: readonly MetricResult[],
  { choice, sharedKind, isSnoozed }: ShownParts,
): Shown {
  const { slice, modelVersion, variant } = cohort
  const { first, rest } = chosenResults(results, choice, isSnoozed)
  const named = [...first, ...rest]
  const counts = countsOf(results.filter((result) => !isSnoozed(result)))
  const values = named.map(({ value }) => value ?? undefined)
  const verdicts = named.map((result) =>
    result.verdict === 'none' || isSnoozed(result) ? undefined : VERDICTS[result.verdict],
  )
  const seriesOf = (from: number, to?: number) =>
    [...values.slice(from, to), ...verdicts.slice(from, to)].filter((x) => x !== undefined).length
  return {
    end: window.end,
    cohortLabels: {
      model_id: modelId,
      model_version: modelVersion,
      variant,
      slice: slice ? `${slice.key}:${slice.value}` : '',
    },
    counts,
    kinds: named.map(sharedKind),
    subjects: named.map(({ subject }) => subject),
    values,
    verdicts,
    first: first.length,
    size: { first: counts.length + seriesOf(0, first.length), rest: seriesOf(first.length) },
  }
}

function countsOf(results: readonly MetricResult[]): Shown['counts'] {
  const evaluated = results.filter(({ verdict }) => verdict !== 'none')
  return [...Map.groupBy(evaluated, ({ family }) => family)].flatMap(([family, ofFamily]) =>
    [...Map.groupBy(ofFamily, ({ verdict }) => verdict)].map(([verdict, { length: n }]) => ({
      family,
      verdict,
      n,
    })),
  )
}

const lengthOf = ({ start, end }: RevisionKey['window']): number => end - start

/**
 * Drops cohorts of a model once its newest window is far ahead of theirs; the model as a whole
 * stays.
 */
function dropRetired(
  shown: Map<string, Shown>,
  newest: Map<string, number>,
  { modelId, window }: RevisionKey,
): void {
  if (window.end <= (newest.get(modelId) ?? -Infinity)) return
  newest.set(modelId, window.end)
  for (const [id, one] of shown)
    if (one.cohortLabels.model_id === modelId && isRetired(one, window.end, lengthOf(window)))
      shown.delete(id)
}

/** Tells whether a cohort's window is so far behind its model's newest that the cohort has left. */
function isRetired(
  { end, cohortLabels: { model_version, variant, slice } }: Pick<Shown, 'end' | 'cohortLabels'>,
  newestEnd: number,
  lengthMs: number,
): boolean {
  const isWhole = model_version === '' && variant === '' && slice === ''
  return !isWhole && end < newestEnd - KEPT_WINDOWS * lengthMs
}
