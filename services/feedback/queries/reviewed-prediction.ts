/** The prediction that a review task asks about. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { ReviewedPrediction } from '../../../schemas/http/feedback.ts'

/** What a reviewer sees of a prediction; undefined where it is not stored, or not any more. */
export async function reviewedPrediction(
  db: ClickHouse,
  { modelId, predictionId }: { modelId: string; predictionId: string },
): Promise<ReviewedPrediction | undefined> {
  const [prediction] = await db.query<ReviewedPrediction>(
    `SELECT predicted_at, model_version, prediction, score, features, attributes, input_text, output_text FROM predictions
     WHERE model_id = {model:String} AND prediction_id = {id:String}
       AND predicted_at IN (SELECT predicted_at FROM prediction_times WHERE model_id = {model:String} AND id_hash = sipHash64({id:String}))
     LIMIT 1`,
    { model: modelId, id: predictionId },
  )
  return prediction
}
