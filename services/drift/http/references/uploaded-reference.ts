/**
 * A reference made of events that a caller brings: they are counted as predictions are, and kept
 * apart from them.
 */
import { refusalText } from '../../../../lib/events/rejections.ts'
import { setImmediate } from 'node:timers/promises'
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import { eventTime } from '../../../../lib/events/fields.ts'
import type { Validator } from '../../../../lib/events/validator.ts'
import { linesOf } from '../../../../lib/events/json/split-array.ts'
import { FlatRecord } from '../../../../lib/events/flat-record.ts'
import { encodeBlock } from '../../../../lib/clickhouse/native/block.ts'
import { predictionCounts, timeBucketOf } from '../../../../lib/sink/counts/prediction-counts.ts'
import type { Spool } from '../../../../lib/clickhouse/spool.ts'
import type { Window } from '../../../../lib/models/windows.ts'

const MAX_UPLOADED = 1_000_000
/** After so many milliseconds of counting, others have their turn. */
const TURN_MS = 10

/**
 * Stores the counts of uploaded events.
 *
 * @param body NDJSON of predictions of this model
 * @param under what their counts are to stand
 * @returns the span they cover
 * @throws {Problem} that names the first line that is no prediction of the model; then nothing is
 *   stored
 */
export async function storeUploaded(
  { db, spool, validator }: { db: ClickHouse; spool: Spool; validator: Validator },
  modelId: string,
  body: Buffer,
  under: string,
): Promise<Window & { events: number }> {
  const lines = linesOf(body)
  if (lines.length === 0 || lines.length > MAX_UPLOADED)
    throw new Problem(
      400,
      'invalid_request',
      `a reference needs 1 to ${MAX_UPLOADED} predictions, one a line; this one has ${lines.length}`,
    )
  const counts = predictionCounts()
  let first = Infinity
  let last = -Infinity
  let turn = performance.now()
  for (const [i, line] of lines.entries()) {
    if (performance.now() - turn > TURN_MS) {
      await setImmediate()
      turn = performance.now()
    }
    const verdict = validator.bytes(line)
    const refuse = (message: string) =>
      new Problem(400, 'invalid_request', `line ${i + 1}: ${message}`)
    if (!verdict.ok) throw refuse(refusalText(verdict.rejection))
    const { event } = verdict
    if (event.get('model_id') !== modelId)
      throw refuse(`model_id must be ${modelId}, as in the path`)
    const at = eventTime(event.get('predicted_at'))!
    first = Math.min(first, at)
    last = Math.max(last, at)
    counts.add(
      FlatRecord.of({ ...event.toObject(), model_id: under, variant: null, shadow: false }),
      at,
    )
  }
  for (const { table, ...rows } of counts.tables()) {
    const block = encodeBlock(rows)
    if (!block) continue
    await spool.withFile(block.parts, (path) =>
      db.insertFile({ table, columns: block.columns, path, token: `reference\u0001${under}` }),
    )
  }
  // Counts know steps, not instants.
  return { start: timeBucketOf(first) * 1000, end: last + 1, events: lines.length }
}
