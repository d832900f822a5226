/** Drift’s evaluate on a real engine, with what its module would give it. */
import { verdictFeedbackQueries } from '../services/drift/queries/verdict-feedback.ts'
import type { ClickHouse } from '../lib/clickhouse/port.ts'
import { createMetrics, type Metrics } from '../lib/runtime/metrics.ts'
import type { Model } from '../lib/models/model-files.ts'
import { createGauges } from '../services/drift/publish/prometheus-gauges.ts'
import {
  createModelEvaluator,
  type EvaluatorOptions,
} from '../services/drift/loop/evaluate-model.ts'
import { driftQueries, type DriftQueries } from '../services/drift/queries/drift-queries.ts'

interface Evaluating {
  now: () => number
  metrics?: Metrics
  append?: EvaluatorOptions['eventLog']['append']
  /** Comes between an evaluation and what it reads. */
  between?: (queries: DriftQueries) => DriftQueries
}

/** @returns evaluates all that is due of a model */
export function evaluateOn(
  db: ClickHouse,
  { now, metrics = createMetrics(), append = async () => {}, between = (own) => own }: Evaluating,
): (model: Model) => Promise<unknown> {
  const queries = between(driftQueries(db))
  const evaluate = createModelEvaluator({
    db,
    queries,
    decisions: verdictFeedbackQueries(db),
    eventLog: { append },
    gauges: createGauges(metrics),
    now,
    stateForMs: 0,
  })
  return async (model) => {
    for (let again = true; again;) {
      const progress = (await queries.progress([model])).get(model.modelId)!
      const { comeBack = Infinity } = await evaluate(model, progress, () => true)
      again = comeBack <= now()
    }
  }
}
