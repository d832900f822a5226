/** Drift’s judge on a real engine, with what its module would give it. */
import type { ClickHouse } from '../lib/clickhouse.ts'
import { createMetrics, type Metrics } from '../lib/metrics.ts'
import type { Model } from '../lib/models.ts'
import { decisionQueries } from '../services/drift/decisions.ts'
import { createGauges } from '../services/drift/gauges.ts'
import { createJudge, type JudgeOptions } from '../services/drift/judge.ts'
import { driftQueries } from '../services/drift/queries.ts'

interface Judging {
  now: () => number
  metrics?: Metrics
  append?: JudgeOptions['eventLog']['append']
}

/** @returns judges all that is due of a model */
export function judgeOn(
  db: ClickHouse,
  { now, metrics = createMetrics(), append = async () => {} }: Judging,
): (model: Model) => Promise<unknown> {
  const queries = driftQueries(db)
  const judge = createJudge({
    db,
    queries,
    decisions: decisionQueries(db),
    eventLog: { append },
    gauges: createGauges(metrics),
    now,
    saidForMs: 0,
  })
  return async (model) => {
    for (let again = true; again;) {
      const progress = (await queries.progress([model])).get(model.modelId)!
      const { comeBack = Infinity } = await judge(model, progress, () => true)
      again = comeBack <= now()
    }
  }
}
