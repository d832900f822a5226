/** What is odd about a model's labels: counted, with how far it goes. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { LabelReport } from '../../../schemas/http/labels/answers.ts'

/** Labels of the last days, and the queue of those that wait, whose age has no bound. */
export interface LabelSpan {
  modelId: string
  days: number
  /** Epoch milliseconds. */
  now: number
}

/** A label whose time lies so far behind its arrival is of a clock that is right. */
const AHEAD_DAYS = 1

const OF_SPAN = `model_id = {model:String} AND received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')`

const LABELS = `
SELECT toUInt64(count()) AS labels, countIf(label_spelled != '') AS normalised,
  countIf(labelled_at > received_at + INTERVAL ${AHEAD_DAYS} DAY) AS ahead, greatest(0, max(dateDiff('second', received_at, labelled_at))) AS furthest
FROM labels WHERE ${OF_SPAN}`

/** Ids that labels share, by their hashes: ids of ten million labels would take a gigabyte. */
const SHARED = `
SELECT count() AS shared FROM (
  SELECT sipHash64(label_id) AS id FROM labels WHERE ${OF_SPAN} AND prediction_id != ''
  GROUP BY id HAVING min(sipHash64(prediction_id)) != max(sipHash64(prediction_id)))`

const EARLY = `
SELECT count() AS early, max(dateDiff('second', labelled_at, predicted_at)) AS furthest FROM outcome_revisions FINAL
WHERE model_id = {model:String} AND predicted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND name = 'label' AND isNotNull(label) AND labelled_at < predicted_at
SETTINGS do_not_merge_across_partitions_select_final = 1`

const WAITING = `
SELECT count() AS waiting, countIf(waiting_since < fromUnixTimestamp64Milli({from:Int64}, 'UTC')) AS longer, toUnixTimestamp64Milli(min(waiting_since)) AS since
FROM labels_waiting WHERE model_id = {model:String}`

const REFUSED = `
SELECT count() AS refused FROM dead_letters
WHERE reason = 'label_mismatch' AND if(isValidJSON(value), JSONExtractString(value, 'model_id') = {model:String}, startsWith(key, {key:String})) AND received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')`

/** Counts what is odd about the labels that a model got. */
export async function labelReport(
  db: ClickHouse,
  { modelId, days, now }: LabelSpan,
): Promise<LabelReport> {
  const params = { model: modelId, key: `${modelId}/`, from: now - days * 86_400_000 }
  const one = async (sql: string): Promise<Record<string, number>> => {
    const [row] = await db.query<Record<string, string>>(sql, params)
    return Object.fromEntries(Object.entries(row!).map(([name, value]) => [name, Number(value)]))
  }
  const [labels, shared, early, waiting, refused] = [
    await one(LABELS),
    await one(SHARED),
    await one(EARLY),
    await one(WAITING),
    await one(REFUSED),
  ]
  return {
    model_id: modelId,
    days,
    labels: labels['labels']!,
    refused: refused['refused']!,
    normalised: labels['normalised']!,
    shared_ids: shared['shared']!,
    before_prediction: {
      labels: early['early']!,
      furthest_seconds: early['early'] === 0 ? null : early['furthest']!,
    },
    ahead: {
      labels: labels['ahead']!,
      furthest_seconds: labels['ahead'] === 0 ? null : labels['furthest']!,
    },
    waiting: {
      labels: waiting['waiting']!,
      longer_than_days: waiting['longer']!,
      oldest_seconds:
        waiting['waiting'] === 0 ? null : Math.max(0, Math.round((now - waiting['since']!) / 1000)),
    },
  }
}
