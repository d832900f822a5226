/**
 * What Prometheus is told of models when it asks: what is active of them, and how old their newest
 * event and window are.
 */
import { Gauge } from 'prom-client'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { ActiveAlarm } from '../../../schemas/active-alarms.ts'
import type { ModelAge } from '../data/model-age.ts'
import type { ActiveCount } from '../queries/active-alarms.ts'

/** What the gauges are read from, each time Prometheus asks. */
export interface ModelGaugeSources {
  /** The gravest of each model first. */
  active: () => Promise<readonly ActiveAlarm[]>
  counts: () => Promise<readonly ActiveCount[]>
  ages: () => Promise<readonly ModelAge[]>
  /** Whether a model is this process' own: others are shown by the process that has them. */
  owns: (modelId: string) => boolean
  /** How many active ones of a model are series by name. */
  mostOf: (modelId: string) => number
  /** Epoch milliseconds. */
  now: () => number
  /**
   * Is told of a store that cannot be asked, or not in time; the scrape goes on without these
   * series.
   */
  onError: (error: unknown) => void
  /** How long a scrape waits for the store, milliseconds; 2 000 unless given. */
  waitMs?: number
}

/**
 * Below the 10 s after which Prometheus gives a scrape up: without the store all other series are
 * still told.
 */
const WAIT_MS = 2000

const ACTIVE_LABELS = [
  'model_id',
  'model_version',
  'variant',
  'family',
  'subject',
  'metric',
  'slice',
] as const

const labelsOf = (alarm: ActiveAlarm) => ({
  model_id: alarm.model_id,
  model_version: alarm.model_version,
  variant: alarm.variant,
  family: alarm.family,
  subject: alarm.subject,
  metric: alarm.metric,
  slice: alarm.slice_key === '' ? '' : `${alarm.slice_key}:${alarm.slice_value}`,
})

/**
 * Registers `plumbline_active_alarm` (2 an alarm, 1 a warning; gone when it has ended) of
 * the gravest of each model, `plumbline_active_alarms` that counts all of them,
 * `plumbline_last_event_age_seconds` and `plumbline_last_window_age_seconds`.
 */
export function registerModelGauges({ registry }: Metrics, sources: ModelGaugeSources): void {
  const { owns, mostOf, now, onError, waitMs = WAIT_MS } = sources
  const active = askedOnce(sources.active, waitMs)
  const counts = askedOnce(sources.counts, waitMs)
  const ages = askedOnce(sources.ages, waitMs)
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    fill: (gauge: Gauge<Label>) => Promise<void>,
  ) =>
    new Gauge<Label>({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      async collect() {
        this.reset()
        await fill(this).catch(onError)
      },
    })
  gauge(
    'plumbline_active_alarm',
    'Active alarms (2) and warnings (1) that nobody snoozed, as in the view active_alarms: the gravest of each model, as many as metrics.active of its model file says.',
    ACTIVE_LABELS,
    async (shown) => {
      const named = new Map<string, number>()
      for (const alarm of await active()) {
        const { model_id: id, severity } = alarm
        const n = named.get(id) ?? 0
        if (n >= mostOf(id) || !owns(id)) continue
        named.set(id, n + 1)
        shown.set(labelsOf(alarm), severity === 'alarm' ? 2 : 1)
      }
    },
  )
  gauge(
    'plumbline_active_alarms',
    'How many alarms and warnings of a model as a whole are active that nobody snoozed.',
    ['model_id', 'severity'],
    async (shown) => {
      for (const { model_id, severity, n } of await counts())
        if (owns(model_id)) shown.set({ model_id, severity }, Number(n))
    },
  )
  const age = (name: string, help: string, of: (age: ModelAge) => number | undefined) =>
    gauge(name, help, ['model_id'], async (shown) => {
      const at = now()
      for (const one of await ages()) {
        const instant = of(one)
        if (instant !== undefined && owns(one.modelId))
          shown.set({ model_id: one.modelId }, (at - instant) / 1000)
      }
    })
  age(
    'plumbline_last_event_age_seconds',
    'Time since the newest event of a model was predicted.',
    ({ newestEvent }) => newestEvent,
  )
  age(
    'plumbline_last_window_age_seconds',
    'Time since the end of the newest evaluated window of a model.',
    ({ newestWindow }) => newestWindow,
  )
}

/**
 * Puts one question for all who ask while it is open, so that gauges of one scrape share it, and
 * scrapes of a store that hangs do not pile up; nobody waits longer than `waitMs`.
 */
function askedOnce<T>(ask: () => Promise<T>, waitMs: number): () => Promise<T> {
  let open: Promise<T> | undefined
  return () => {
    open ??= ask().finally(() => (open = undefined))
    return inTime(open, waitMs)
  }
}

/** @throws {Error} where the answer takes longer than `waitMs` */
async function inTime<T>(answer: Promise<T>, waitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the store did not answer in ${waitMs} ms`)), waitMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
