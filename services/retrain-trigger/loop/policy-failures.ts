/** Tells people of policies that fail, while the others go on. */
import { Counter } from 'prom-client'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'

/** Counts and logs a failure of a policy; the empty policy stands for all of a model. */
export type PolicyFailed = (modelId: string, policy: string, error: unknown) => void

/** Registers the counter of failures. */
export function policyFailures({ registry }: Metrics, log: Logger): PolicyFailed {
  const setAside = new Counter({
    name: 'plumbline_policies_set_aside_total',
    help: 'Times that a policy could not be evaluated or a run not launched; others go on.',
    labelNames: ['model_id', 'policy'],
    registers: [registry],
  })
  return (modelId, policy, error) => {
    setAside.inc({ model_id: modelId, policy })
    log.error(
      { model_id: modelId, policy, error: messageOf(error) },
      'policy set aside, trying again at its next look',
    )
  }
}
