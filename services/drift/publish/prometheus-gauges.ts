/** The last closed window of each cohort of a model, for Prometheus. */
import { Gauge } from 'prom-client'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { RevisionKey } from './rows.ts'
import { MIN_CELL } from '../evaluate/thresholds.ts'
import { keyOf } from '../data/cohort.ts'
import { snoozeKey } from '../queries/verdict-feedback.ts'

const LABELS = [
  'model_id',
  'model_version',
  'variant',
  'family',
  'subject',
  'metric',
  'slice',
  'reference',
  'convention',
] as const
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

/** The labels of a result but its subject; a few hundred sets are shared by all models. */
type Kind = Pick<MetricResult, 'family' | 'metric' | 'reference' | 'convention'>
const kindKey = ({ family, metric, reference, convention }: Kind) =>
  [family, metric, reference, convention].join('\u0001')

/**
 * The results of the newest window of one cohort, as arrays side by side: a process exports
 * hundreds of thousands, and an object for each would take four times the memory.
 */
interface Shown {
  end: number
  cohortLabels: Record<'model_id' | 'model_version' | 'variant' | 'slice', string>
  kinds: Kind[]
  subjects: string[]
  values: (number | undefined)[]
  verdicts: (number | undefined)[]
}

/**
 * Cells below ten are left out: a result would be about single people. A result that has no value,
 * or counts nothing, shows its verdict.
 */
const isShown = ({ value, verdict, n_current: n }: MetricResult) =>
  value === null ? verdict !== 'none' : n === 0 || n >= MIN_CELL

/**
 * Windows of its model after which a cohort without one is no longer exported: a retired version, a
 * slice nobody is in.
 */
const KEPT_WINDOWS = 3

/**
 * Registers `plumbline_window_metric` and `plumbline_verdict`. Poststratified results are not
 * exported.
 */
export function createGauges({ registry }: Metrics): Gauges {
  const shown = new Map<string, Shown>()
  const sharedKind = kindCache()
  /** End of the newest window of each model, epoch milliseconds. */
  const newest = new Map<string, number>()
  const all = () => shown.values()
  registerGauge(
    registry,
    { name: 'plumbline_window_metric', help: 'A metric of the last closed window.' },
    () => seriesOf(all(), ({ values }) => values),
  )
  registerGauge(
    registry,
    {
      name: 'plumbline_verdict',
      help: 'Verdict on a metric of the last closed window: 0 ok, 1 warning, 2 alarm, -1 incomplete.',
    },
    () => seriesOf(all(), ({ verdicts }) => verdicts),
  )
  return {
    show: (key, results, snoozed) => {
      const id = `${key.modelId}\u0001${keyOf(key.cohort)}`
      dropRetired(shown, newest, key)
      if ((shown.get(id)?.end ?? 0) > key.window.end) return
      const one = shownOf(key, exported(results), sharedKind, snoozed)
      // An old window that is restated brings no retired cohort back.
      if (!isRetired(one, newest.get(key.modelId)!, lengthOf(key.window))) shown.set(id, one)
    },
    forget: (modelId) => {
      newest.delete(modelId)
      for (const id of shown.keys()) if (id.startsWith(`${modelId}\u0001`)) shown.delete(id)
    },
  }
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

interface Series {
  value: number
  labels: Partial<Record<(typeof LABELS)[number], string>>
}

/**
 * A gauge whose series are made at each scrape: kept by the client library they would take far more
 * memory.
 */
function registerGauge(
  registry: Metrics['registry'],
  { name, help }: { name: string; help: string },
  series: () => Series[],
): void {
  const gauge = new Gauge({ name, help, labelNames: LABELS, registers: [registry] })
  const described = gauge.get.bind(gauge)
  gauge.get = async () => ({ ...(await described()), values: series() })
}

function seriesOf(
  cohorts: Iterable<Shown>,
  numbersOf: (shown: Shown) => (number | undefined)[],
): Series[] {
  return [...cohorts].flatMap((one) =>
    numbersOf(one).flatMap((value, i) => {
      const { slice, ...ofModel } = one.cohortLabels
      const { family, metric, reference, convention } = one.kinds[i]!
      const subject = one.subjects[i]!
      // The labels come in the order in which they are documented.
      const labels = { ...ofModel, family, subject, metric, slice, reference, convention }
      return value === undefined ? [] : [{ value, labels }]
    }),
  )
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

function shownOf(
  { modelId, cohort, window }: RevisionKey,
  results: readonly MetricResult[],
  sharedKind: (result: MetricResult) => Kind,
  snoozed: ReadonlySet<string> | undefined,
): Shown {
  const { slice, modelVersion, variant } = cohort
  return {
    end: window.end,
    cohortLabels: {
      model_id: modelId,
      model_version: modelVersion,
      variant,
      slice: slice ? `${slice.key}:${slice.value}` : '',
    },
    kinds: results.map(sharedKind),
    subjects: results.map(({ subject }) => subject),
    values: results.map(({ value }) => value ?? undefined),
    verdicts: results.map((result) =>
      result.verdict === 'none' || snoozed?.has(snoozeKey(modelId, result))
        ? undefined
        : VERDICTS[result.verdict],
    ),
  }
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
