/**
 * Counts of what each producer emitted and of what was received: `producer.sequence` grows by one
 * from event to event, so a number missing between the least and the greatest is an event that was
 * lost.
 */
import type { Event } from '../../../lib/events/validator.ts'
import { fieldGetter } from '../../../lib/events/flat-record.ts'
import * as native from '../../../lib/clickhouse/native/block.ts'
import { timeBucketOf, type BucketOf } from '../../../lib/sink/counts/prediction-counts.ts'
import type { TableRows } from '../../../lib/sink/table-rows.ts'
import { ID_SEPARATOR } from '../../../schemas/fields.ts'

const producerOf = fieldGetter('producer')

/** Counts of one producer of a model in one time bucket. */
interface BucketCounts {
  modelId: string
  producer: string
  /** Start of the time bucket as in `timeBucketOf`. */
  step: number
  received: number
  duplicates: number
  lowest: number
  highest: number
}

/** Counts of one batch of events, as rows of `producer_counts`. */
export interface ProducerCounts {
  /** Forgets all counts. */
  begin: () => void
  /**
   * Counts an event that was received at `atMs`, epoch milliseconds; without a producer it is left
   * out.
   */
  add: (event: Event, atMs: number) => void
  /** Counts a duplicate, likewise. */
  repeat: (event: Event, atMs: number) => void
  /** The counts as a table, valid until the next call of `table`. */
  table: () => TableRows
}

/** Counts that are empty. @param lengthOf the time bucket of a model */
export function producerCounts(lengthOf: BucketOf): ProducerCounts {
  const buckets = new Map<string, BucketCounts>()
  const columns = createColumns()
  return {
    begin: () => buckets.clear(),
    add: (event, atMs) => {
      const found = bucketOf(buckets, event, atMs, lengthOf)
      if (!found) return
      const { counts, sequence } = found
      counts.received++
      counts.lowest = Math.min(counts.lowest, sequence)
      counts.highest = Math.max(counts.highest, sequence)
    },
    repeat: (event, atMs) => {
      const found = bucketOf(buckets, event, atMs, lengthOf)
      if (found) found.counts.duplicates++
    },
    table: () => {
      fill(columns, buckets.values())
      return { table: 'producer_counts', columns, rows: buckets.size }
    },
  }
}

const createColumns = () => ({
  model_id: native.lowCardinality(),
  producer: native.strings(),
  step: native.fixed("DateTime('UTC')"),
  received: native.fixed('UInt64'),
  duplicates: native.fixed('UInt64'),
  lowest: native.fixed('UInt64'),
  highest: native.fixed('UInt64'),
})

/** The counts that an event belongs to, made where they are new; undefined without a producer. */
function bucketOf(
  buckets: Map<string, BucketCounts>,
  event: Event,
  atMs: number,
  lengthOf: BucketOf,
): { counts: BucketCounts; sequence: number } | undefined {
  const producer = producerOf(event) as { id: string; sequence: number } | null | undefined
  if (!producer) return undefined
  const modelId = event.get('model_id') as string
  const step = timeBucketOf(atMs, lengthOf(modelId))
  const key = `${modelId}${ID_SEPARATOR}${producer.id}${ID_SEPARATOR}${step}`
  let counts = buckets.get(key)
  if (!counts) {
    counts = {
      modelId,
      producer: producer.id,
      step,
      received: 0,
      duplicates: 0,
      lowest: producer.sequence,
      highest: producer.sequence,
    }
    buckets.set(key, counts)
  }
  return { counts, sequence: producer.sequence }
}

function fill(columns: ReturnType<typeof createColumns>, all: Iterable<BucketCounts>): void {
  native.clear(columns)
  let row = 0
  for (const counts of all) {
    columns.model_id.set(row, counts.modelId)
    columns.producer.set(row, counts.producer)
    columns.step.set(row, counts.step)
    columns.received.set(row, counts.received)
    columns.duplicates.set(row, counts.duplicates)
    columns.lowest.set(row, counts.lowest)
    columns.highest.set(row, counts.highest)
    row++
  }
}
