/** Actions that a model chose with a known propensity, and what they earned. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, paramsOf, within } from '../../data/cohort.ts'
import type { ExplorationCounts, LoggedAction } from '../../data/logged-actions.ts'
import { AS_STORED, truthParams, truthSource } from '../outcomes/labelled-outcomes.ts'

/** Actions that are read of a window, drawn by their ids. */
const MAX_ROWS = 10_000

/** A window of a model that chooses actions. */
export interface ActionQuestion {
  model: Model
  window: Window
  completeUntil: number
}

/**
 * Reads labelled actions with a propensity. The reward is the label where it is a number, else 1 for
 * the positive class and 0 for others.
 */
export async function loggedActions(
  db: ClickHouse,
  { model, window, completeUntil }: ActionQuestion,
): Promise<LoggedAction[]> {
  const rows = await db.query<Omit<LoggedAction, 'isExploration'> & { exploration: boolean }>(
    `SELECT toString(assumeNotNull(told.prediction)) AS action, assumeNotNull(told.propensity) AS propensity, told.exploration AS exploration, features, ifNull(truth.label_number, toFloat64(truth.positive)) AS reward
     FROM ${truthSource(AS_STORED, model, ALL)} AS truth
     INNER JOIN (SELECT prediction_id, prediction, propensity, exploration, features FROM predictions
       WHERE model_id = {model:String} AND ${within('predicted_at')} AND isNotNull(propensity) AND isNotNull(prediction)) AS told USING (prediction_id)
     ORDER BY sipHash64(prediction_id) LIMIT ${MAX_ROWS}`,
    truthParams(model, [window], ALL, completeUntil),
  )
  return rows.map(({ exploration, ...row }) => ({ ...row, isExploration: exploration }))
}

/** How many events of a window explored, shadows left out. */
export async function explorationCounts(
  db: ClickHouse,
  { modelId, window }: { modelId: string; window: Window },
): Promise<ExplorationCounts> {
  const [row] = await db.query<{ events: string; exploring: string }>(
    `SELECT count() AS events, countIf(exploration) AS exploring FROM predictions WHERE model_id = {model:String} AND ${within('predicted_at')} AND NOT shadow`,
    paramsOf(modelId, [window], ALL),
  )
  return { events: Number(row?.events ?? 0), exploring: Number(row?.exploring ?? 0) }
}
