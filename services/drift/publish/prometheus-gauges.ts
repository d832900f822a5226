/** The last closed window of each model, for Prometheus. */
import { snoozeKey } from '../queries/verdict-feedback.ts'
import { Gauge } from 'prom-client'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { MetricResult } from '../data/metric-results.ts'
import type { RevisionKey } from './rows.ts'
import { MIN_CELL } from '../evaluate/thresholds.ts'
import { keyOf } from '../data/cohort.ts'

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

export interface Gauges {
  /** @param snoozed results by `snoozeKey` whose verdict is not shown */
  show: (key: RevisionKey, results: readonly MetricResult[], snoozed?: ReadonlySet<string>) => void
  /** A model that another process evaluates now is no longer shown by this one. */
  forget: (modelId: string) => void
}

/** Several ways to show the same. */
export const allGauges = (gauges: readonly Gauges[]): Gauges => ({
  show: (...shown) => {
    for (const one of gauges) one.show(...shown)
  },
  forget: (modelId) => {
    for (const one of gauges) one.forget(modelId)
  },
})

/** What is said of a subject: a few hundred are shared by all models. */
type Kind = Pick<MetricResult, 'family' | 'metric' | 'reference' | 'convention'>
const kindKey = ({ family, metric, reference, convention }: Kind) =>
  [family, metric, reference, convention].join('\u0001')

/**
 * The results of the newest window of one cohort. A process shows hundreds of thousands: what they say lies side by side, an
 * object for each would take four times the memory.
 */
interface Shown {
  end: number
  same: Record<'model_id' | 'model_version' | 'variant' | 'slice', string>
  kinds: Kind[]
  subjects: string[]
  values: (number | undefined)[]
  verdicts: (number | undefined)[]
}

/** One person is no group: cells below ten are left out. What has no value, or counts nothing, shows its verdict. */
const isShown = ({ value, verdict, n_current: n }: MetricResult) =>
  value === null ? verdict !== 'none' : n === 0 || n >= MIN_CELL

/** Windows of its model after which a cohort that had none is no longer shown: a retired version, a slice that nobody is in. */
const KEPT_WINDOWS = 3

export function createGauges({ registry }: Metrics): Gauges {
  const shown = new Map<string, Shown>()
  const kinds = new Map<string, Kind>()
  /** End of the newest window of each model, epoch milliseconds. */
  const newest = new Map<string, number>()

  /** Cohorts of a model leave once its newest window is so far ahead of theirs; the model as a whole stays. */
  function dropRetired(modelId: string, { start, end }: RevisionKey['window']): void {
    if (end <= (newest.get(modelId) ?? -Infinity)) return
    newest.set(modelId, end)
    for (const [id, one] of shown)
      if (one.same.model_id === modelId && isRetired(one, end, end - start)) shown.delete(id)
  }

  function kindOf(result: MetricResult): Kind {
    const key = kindKey(result)
    let kind = kinds.get(key)
    if (!kind) {
      const { family, metric, reference, convention } = result
      kinds.set(key, (kind = { family, metric, reference, convention }))
    }
    return kind
  }

  /** Its series are made when they are asked for: kept by the client library they would take far more. */
  function gauge(name: string, help: string, numbersOf: (one: Shown) => (number | undefined)[]) {
    const made = new Gauge({ name, help, labelNames: LABELS, registers: [registry] })
    const described = made.get.bind(made)
    made.get = async () => ({
      ...(await described()),
      values: [...shown.values()].flatMap((one) =>
        numbersOf(one).flatMap((value, i) => {
          const { slice, ...ofModel } = one.same
          const { family, metric, reference, convention } = one.kinds[i]!
          // In the order in which they are documented.
          const subject = one.subjects[i]!
          const labels = { ...ofModel, family, subject, metric, slice, reference, convention }
          return value === undefined ? [] : [{ value, labels }]
        }),
      ),
    })
  }
  gauge('plumbline_window_metric', 'A metric of the last closed window.', ({ values }) => values)
  gauge(
    'plumbline_verdict',
    'Verdict on a metric of the last closed window: 0 ok, 1 warning, 2 alarm, -1 incomplete.',
    ({ verdicts }) => verdicts,
  )

  return {
    show: ({ modelId, cohort, window }, results, snoozed) => {
      dropRetired(modelId, window)
      const id = `${modelId}\u0001${keyOf(cohort)}`
      const { slice } = cohort
      if ((shown.get(id)?.end ?? 0) > window.end) return
      const same = {
        model_id: modelId,
        model_version: cohort.modelVersion,
        variant: cohort.variant,
        slice: slice ? `${slice.key}:${slice.value}` : '',
      }
      // An old window that is restated brings nobody back.
      if (isRetired({ end: window.end, same }, newest.get(modelId)!, window.end - window.start))
        return
      /** One of each set of labels: Prometheus refuses two series alike. */
      const series = new Map<string, MetricResult>()
      for (const result of results) {
        if (!isShown(result)) continue
        // Corrected values stand in the table, beside the observed ones of the same name.
        if (result.method === 'poststratified') continue
        series.set(`${kindKey(result)}\u0001${result.subject}`, result)
      }
      const own = [...series.values()]
      shown.set(id, {
        end: window.end,
        same,
        kinds: own.map(kindOf),
        subjects: own.map(({ subject }) => subject),
        values: own.map(({ value }) => value ?? undefined),
        verdicts: own.map((result) =>
          result.verdict === 'none' || snoozed?.has(snoozeKey(modelId, result))
            ? undefined
            : VERDICTS[result.verdict],
        ),
      })
    },
    forget: (modelId) => {
      newest.delete(modelId)
      for (const id of shown.keys()) if (id.startsWith(`${modelId}\u0001`)) shown.delete(id)
    },
  }
}

/** Whether the newest window of its model, of this end and length in milliseconds, is so far ahead that a cohort has left. */
const isRetired = (
  { end, same }: Pick<Shown, 'end' | 'same'>,
  newestEnd: number,
  lengthMs: number,
): boolean => {
  const isWhole = same.model_version === '' && same.variant === '' && same.slice === ''
  return !isWhole && end < newestEnd - KEPT_WINDOWS * lengthMs
}
