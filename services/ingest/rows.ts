/** From predictions on the wire to rows and counts. */
import { eventTime } from '../../lib/event-fields.ts'
import type { LoggedMessage, LoggedRange } from '../../lib/event-log.ts'
import { eventMapping, type RangeTables, type TableRows } from '../../lib/event-mapping.ts'
import { eventRows } from '../../lib/event-rows.ts'
import { predictionKey } from '../../lib/event-verdict.ts'
import * as native from '../../lib/native-block.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { predictionCounts } from '../../lib/prediction-counts.ts'
import { producerCounts } from './producer-counts.ts'

/** Newest first. A release that changes what a message becomes adds a mapping and keeps the one before it. */
export const PREDICTION_MAPPINGS = [
  eventMapping({
    version: 'predictions-1',
    service: 'ingest',
    schema: PredictionV1,
    seenIn: { table: 'predictions', identity: `concat(model_id, '/', prediction_id)` },
    identity: predictionKey,
    key: predictionKey,
    begin: predictionTables,
  }),
] as const

const DICTIONARIES = new Set(['model_id', 'model_version', 'variant'])
/** Events further in the future than this do not move the watermark: a producer's clock is wrong. */
const MAX_SKEW_MS = 300_000

type Times = Record<'model_id' | 'prediction_id' | 'predicted_at', native.Column<never>>

function predictionTables(range: LoggedRange): RangeTables {
  const rows = eventRows(PredictionV1, DICTIONARIES, range)
  const unknown = native.fixed('UInt16')
  rows.columns['unknown_fields'] = unknown
  const { model_id, prediction_id, predicted_at } = rows.columns as Times
  Object.assign(rows.columns, {
    model_id: native.lent(model_id),
    prediction_id: native.lent(prediction_id),
    predicted_at: native.lent(predicted_at),
  })
  const counts = predictionCounts()
  const producers = producerCounts()
  const newest = new Map<string, { at: number; receivedAt: number }>()

  return {
    accept: (event, message, unknownFields) => {
      const at = eventTime(event.get('predicted_at'))!
      const modelId = event.get('model_id') as string
      const row = rows.rows
      rows.add(event, message)
      if (unknownFields > 0) unknown.set(row, Math.min(unknownFields, 0xffff))
      counts.add(event, at)
      producers.add(event, at)
      moveWatermark(modelId, at, message)
    },
    repeat: (event) => {
      const at = eventTime(event.get('predicted_at'))!
      counts.repeat(event, at)
      producers.repeat(event, at)
    },
    tables: () => [
      { table: 'predictions', ...rows.end() },
      // The same columns once more, and then they are given back.
      {
        table: 'prediction_times',
        columns: { model_id, prediction_id, predicted_at },
        rows: rows.rows,
      },
      ...counts.tables(),
      producers.table(),
      watermarks(range, newest),
    ],
  }

  function moveWatermark(modelId: string, at: number, { timestampMs }: LoggedMessage) {
    if (at > timestampMs + MAX_SKEW_MS) return
    const known = newest.get(modelId)
    if (!known) newest.set(modelId, { at, receivedAt: timestampMs })
    else {
      known.at = Math.max(known.at, at)
      known.receivedAt = Math.max(known.receivedAt, timestampMs)
    }
  }
}

function watermarks(
  range: LoggedRange,
  newest: ReadonlyMap<string, { at: number; receivedAt: number }>,
): TableRows {
  const columns = {
    model_id: native.lowCardinality(),
    topic: native.lowCardinality(),
    partition: native.lowCardinality(),
    newest: native.fixed("DateTime64(3, 'UTC')"),
    received_at: native.fixed("DateTime64(3, 'UTC')"),
  }
  let row = 0
  for (const [modelId, { at, receivedAt }] of newest) {
    columns.model_id.set(row, modelId)
    columns.topic.set(row, range.topic)
    columns.partition.set(row, range.partition)
    columns.newest.set(row, at)
    columns.received_at.set(row, receivedAt)
    row++
  }
  return { table: 'watermarks', columns, rows: row }
}
