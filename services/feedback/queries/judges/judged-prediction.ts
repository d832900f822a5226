/** The prediction that a judge is asked about. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { JudgedPrediction } from '../../data/judges/prompt.ts'

/** What a judge may be shown of a prediction; undefined where it is not stored, or not any more. */
export async function judgedPrediction(
  db: ClickHouse,
  { modelId, predictionId }: { modelId: string; predictionId: string },
): Promise<JudgedPrediction | undefined> {
  const [prediction] = await db.query<JudgedPrediction>(
    `SELECT prediction, score, features, attributes, input_text, output_text FROM predictions
     WHERE model_id = {model:String} AND prediction_id = {id:String}
       AND predicted_at IN (SELECT predicted_at FROM prediction_times WHERE model_id = {model:String} AND id_hash = sipHash64({id:String}))
     LIMIT 1`,
    { model: modelId, id: predictionId },
  )
  return prediction
}
