/** What other budgets would have done of a model's past, worked out once for each revision. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import {
  wouldHaveAlarmed,
  type TestedWindow,
  type WouldHaveAlarmed,
} from '../evaluate/would-have-alarmed.ts'
import { lastEvaluated, testedWindows } from '../queries/baselines/tested-windows.ts'

/** What is told of a model's last 90 days. */
export interface Past {
  /** The newest window of which anything was tested. */
  newest: TestedWindow | undefined
  windows: number
  tried: WouldHaveAlarmed[]
}

/** Asks for the past of a model as its file is now. */
export type PastBudgets = (model: Model) => Promise<Past>

/** Days of a model's own time that other budgets are held against. */
const TRIED_DAYS = 90
/** Models whose past is remembered; the one asked for longest ago leaves. */
const MOST_MODELS = 1000

/**
 * Reads 90 days of metrics when a model was evaluated since, or its file is another; asks only
 * whether, otherwise. Those who ask at the same time share one reading.
 */
export function pastBudgets(db: ClickHouse): PastBudgets {
  const known = new Map<string, { stamp: string; past: Promise<Past> }>()
  return async (model) => {
    const { modelId } = model
    const stamp = `${model.revision} ${await lastEvaluated(db, modelId)}`
    const found = known.get(modelId)
    known.delete(modelId)
    const entry = found?.stamp === stamp ? found : { stamp, past: readPast(db, model) }
    known.set(modelId, entry)
    const [oldest] = known.keys()
    if (known.size > MOST_MODELS) known.delete(oldest!)
    try {
      return await entry.past
    } catch (error) {
      if (known.get(modelId) === entry) known.delete(modelId)
      throw error
    }
  }
}

async function readPast(db: ClickHouse, model: Model): Promise<Past> {
  const past = await testedWindows(db, model.modelId, TRIED_DAYS)
  return { newest: past.at(-1), windows: past.length, tried: wouldHaveAlarmed(past, model) }
}
