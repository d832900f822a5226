/** Labels of judges and of people about the same predictions. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { SharedLabel } from '../../data/judges/judge-agreement.ts'

/** Labels of a model that are shared. */
export interface SharedSpan {
  modelId: string
  /** Since when judges have labelled, epoch milliseconds. */
  from: number
  /** The one labeler among judges; all where undefined. */
  labeler?: string | undefined
}

/** Predictions that are read, the newest. */
const MAX_PREDICTIONS = 20_000

const JUDGE = `source = 'judge' AND labelled_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ({labeler:String} = '' OR labeler = {labeler:String})`
const EITHER = `((${JUDGE}) OR source = 'human_review')`

/** The newest label of each judge and person, where both have labelled a prediction under one name. */
export const sharedLabels = (
  db: ClickHouse,
  { modelId, from, labeler = '' }: SharedSpan,
): Promise<SharedLabel[]> =>
  db.query<SharedLabel>(
    `SELECT toString(name) AS name, prediction_id, toString(source) AS source, labeler,
       argMax(if(label_spelled = '', label, label_spelled), (labelled_at, label_id)) AS label
     FROM labels
     WHERE model_id = {model:String} AND ${EITHER} AND (prediction_id, name) IN (
       SELECT prediction_id, name FROM labels WHERE model_id = {model:String} AND prediction_id != '' AND ${EITHER}
       GROUP BY prediction_id, name HAVING countIf(source = 'judge') > 0 AND countIf(source != 'judge') > 0
       ORDER BY max(received_at) DESC, prediction_id LIMIT ${MAX_PREDICTIONS})
     GROUP BY name, prediction_id, source, labeler
     HAVING NOT argMax(retracted, (labelled_at, label_id))
     ORDER BY name, prediction_id, source, labeler`,
    { model: modelId, from, labeler },
  )
