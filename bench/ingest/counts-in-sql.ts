/**
 * The counts of `lib/sink/counts/prediction-counts.ts` as ClickHouse itself makes them: what a peer
 * without our code needs to fill the same tables, and what a test holds our counts against.
 */
import { gridOf, keyInSql } from '../../lib/sink/counts/stored-bins.ts'

const GRID = String(gridOf(1))

/**
 * Reads events with `feature_names`, `feature_numbers` (null where it is none) and `feature_texts`
 * (null where it is a number).
 */
export const COUNTS: Record<string, (source: string) => string> = {
  prediction_times: (source) =>
    `SELECT model_id, sipHash64(prediction_id) AS id_hash, predicted_at FROM ${source}`,
  event_counts: (source) =>
    `SELECT model_id, toStartOfInterval(predicted_at, INTERVAL 15 MINUTE, 'UTC') AS step, model_version, variant, shadow,
       count() AS events, countIf(status = 'error') AS errors, toUInt64(0) AS duplicates
     FROM ${source} GROUP BY model_id, step, model_version, variant, shadow`,
  numeric_counts: (source) =>
    `SELECT model_id, toStartOfInterval(predicted_at, INTERVAL 15 MINUTE, 'UTC') AS step, subject, model_version, variant, shadow, toUInt16(${GRID}) AS grid,
       toInt32(${keyInSql('x', GRID)}) AS bin,
       count() AS count, sum(x) AS total, min(x) AS low, max(x) AS high
     FROM (
       SELECT model_id, predicted_at, model_version, variant, shadow, subject, assumeNotNull(value) AS x FROM ${source}
       ARRAY JOIN arrayConcat(feature_names, ['@prediction', '@score', '@latency_ms']) AS subject,
         arrayConcat(feature_numbers, [prediction_number, score, latency_ms]) AS value
       WHERE isNotNull(value))
     GROUP BY model_id, step, subject, model_version, variant, shadow, bin`,
  category_counts: (source) =>
    `SELECT model_id, toStartOfInterval(predicted_at, INTERVAL 15 MINUTE, 'UTC') AS step, subject, model_version, variant, shadow,
       substringUTF8(assumeNotNull(value), 1, 200) AS category, count() AS count
     FROM (
       SELECT model_id, predicted_at, model_version, variant, shadow, subject, value FROM ${source}
       ARRAY JOIN arrayConcat(feature_names, ['@prediction']) AS subject,
         arrayConcat(feature_texts, [if(isNull(prediction_number), prediction, NULL)]) AS value
       WHERE isNotNull(value))
     GROUP BY model_id, step, subject, model_version, variant, shadow, category`,
  watermarks: (source) =>
    `SELECT model_id, topic, partition, max(predicted_at) AS newest, max(s.received_at) AS received_at FROM ${source} AS s
     WHERE s.predicted_at <= s.received_at + INTERVAL 5 MINUTE GROUP BY model_id, topic, partition`,
}
