/**
 * Which models are evaluated: those with a file, and of the others as many as there is room for,
 * those with the most events first. Whoever may send events may invent model ids, one an event:
 * such models must not cost what evaluated ones do.
 */
import { Gauge } from 'prom-client'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'

/** The models that are evaluated: those with a file, and others up to a limit. */
export interface Monitored {
  /**
   * Reads anew which models have come.
   *
   * @returns those that are evaluated
   */
  list: () => Promise<Iterable<string>>
  /** Whether a model is evaluated that a wake-up names: one that is new is, while there is room. */
  admits: (modelId: string) => boolean
}

/** @param most models without a file */
export function createMonitored(
  queries: Pick<DriftQueries, 'modelCount' | 'modelIds'>,
  models: Models,
  { registry }: Metrics,
  most: number,
): Monitored {
  const beyond = new Gauge({
    name: 'plumbline_models_not_evaluated',
    help: 'Models without a file that are not evaluated, since there are more than PLUMBLINE_DRIFT_MODELS_MAX.',
    registers: [registry],
  })
  const declaredIds = () => new Set(models.declared.map(({ modelId }) => modelId))
  let declared = declaredIds()
  let others = new Set<string>()
  return {
    list: async () => {
      declared = declaredIds()
      const all = await queries.modelCount()
      const found = await queries.modelIds({ declared: [...declared], most, isRoom: all <= most })
      others = new Set(found.filter((id) => !declared.has(id)))
      beyond.set(Math.max(0, all - found.length))
      return found
    },
    admits: (modelId) => {
      if (declared.has(modelId) || others.has(modelId)) return true
      if (others.size >= most) return false
      others.add(modelId)
      return true
    },
  }
}
