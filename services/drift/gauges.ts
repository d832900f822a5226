/** The last closed window of each model, for Prometheus. */
import { Gauge } from 'prom-client'
import type { Metrics } from '../../lib/metrics.ts'
import { snoozeKey } from './decisions.ts'
import type { Fact } from './facts.ts'
import type { RevisionKey } from './rows.ts'
import { LEAST_CELL } from './rules.ts'
import { keyOf } from './scope.ts'

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
  /** @param snoozed facts by `snoozeKey` whose verdict is not shown */
  show: (key: RevisionKey, facts: readonly Fact[], snoozed?: ReadonlySet<string>) => void
  /** A model that another process judges now is no longer shown by this one. */
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

export function createGauges({ registry }: Metrics): Gauges {
  const registers = [registry]
  const value = new Gauge({
    name: 'plumbline_window_metric',
    help: 'A metric of the last closed window.',
    labelNames: LABELS,
    registers,
  })
  const verdict = new Gauge({
    name: 'plumbline_verdict',
    help: 'Verdict on a metric of the last closed window: 0 ok, 1 warning, 2 alarm, -1 incomplete.',
    labelNames: LABELS,
    registers,
  })
  const shown = new Map<string, { end: number; labels: Record<string, string>[] }>()

  const clear = (id: string) => {
    for (const labels of shown.get(id)?.labels ?? []) {
      value.remove(labels)
      verdict.remove(labels)
    }
    shown.delete(id)
  }

  return {
    show: ({ modelId, combination, window }, facts, snoozed) => {
      const id = `${modelId}\u0001${keyOf(combination)}`
      const { slice } = combination
      if ((shown.get(id)?.end ?? 0) > window.end) return
      clear(id)
      const all: Record<string, string>[] = []
      for (const fact of facts) {
        if (fact.value === null || fact.n_current < LEAST_CELL) continue
        // Corrected values stand in the table, beside the observed ones of the same name.
        if (fact.method === 'poststratified') continue
        const labels = {
          model_id: modelId,
          model_version: combination.modelVersion,
          variant: combination.variant,
          family: fact.family,
          subject: fact.subject,
          metric: fact.metric,
          slice: slice ? `${slice.key}:${slice.value}` : '',
          reference: fact.reference,
          convention: fact.convention,
        }
        value.set(labels, fact.value)
        if (fact.verdict !== 'none' && !snoozed?.has(snoozeKey(modelId, fact)))
          verdict.set(labels, VERDICTS[fact.verdict])
        all.push(labels)
      }
      shown.set(id, { end: window.end, labels: all })
    },
    forget: (modelId) => {
      for (const id of shown.keys()) if (id.startsWith(`${modelId}\u0001`)) clear(id)
    },
  }
}
