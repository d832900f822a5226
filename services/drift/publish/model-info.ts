/** Whose each declared model is, for Prometheus: rules join it to what they say of a model. */
import { Gauge } from 'prom-client'
import type { Models } from '../../../lib/models/model-files.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'

/**
 * Registers `plumbline_model_info`: 1 for each declared model, with its owner, team and environment
 * as labels.
 */
export function showModelInfo(models: Pick<Models, 'declared'>, { registry }: Metrics): void {
  new Gauge({
    name: 'plumbline_model_info',
    help: 'Owner, team and environment of each declared model.',
    labelNames: ['model_id', 'owner', 'team', 'environment'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { modelId, ownership } of models.declared) {
        const { owner = '', team = '', environment = '' } = ownership.labels
        this.set({ model_id: modelId, owner, team, environment }, 1)
      }
    },
  })
}
