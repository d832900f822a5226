/**
 * Counts of who sent events, per model and time bucket: a producer, a topic or a source of labels
 * that falls silent is seen by them while the rest goes on.
 */
import * as native from '../../clickhouse/native/block.ts'
import type { TableRows } from '../table-rows.ts'
import { timeBucketOf } from './prediction-counts.ts'

/** `source`: the topic that predictions come by; `label_source`: the source of labels. */
export type SenderKind = 'producer' | 'source' | 'label_source'

interface BucketCounts {
  events: number
  /** Epoch milliseconds. */
  newest: number
}

/** Counts of one sender by time bucket, epoch seconds. */
type Buckets = Map<number, BucketCounts>

/** Counts of one batch of events, as rows of `sender_counts`. */
export interface SenderCounts {
  /** Forgets all counts. */
  begin: () => void
  /** Counts an event of `atMs`, epoch milliseconds. */
  add: (kind: SenderKind, modelId: string, sender: string, atMs: number) => void
  /** The counts as a table, valid until the next call of `table`. */
  table: () => TableRows
}

/** Counts that are empty. */
export function senderCounts(): SenderCounts {
  const kinds = new Map<SenderKind, Map<string, Map<string, Buckets>>>()
  const columns = {
    model_id: native.lowCardinality(),
    kind: native.lowCardinality(),
    sender: native.strings(),
    step: native.fixed("DateTime('UTC')"),
    events: native.fixed('UInt64'),
    newest: native.fixed("DateTime64(3, 'UTC')"),
  }
  return {
    begin: () => kinds.clear(),
    // Maps inside maps: a key of several texts would be made anew for each event.
    add: (kind, modelId, sender, atMs) => {
      const models = inner(kinds, kind, newModels)
      const buckets = inner(inner(models, modelId, newSenders), sender, newBuckets)
      const counts = inner(buckets, timeBucketOf(atMs), newCounts)
      counts.events++
      counts.newest = Math.max(counts.newest, atMs)
    },
    table: () => {
      native.clear(columns)
      let row = 0
      for (const [kind, models] of kinds)
        for (const [modelId, senders] of models)
          for (const [sender, buckets] of senders)
            for (const [step, { events, newest }] of buckets) {
              columns.model_id.set(row, modelId)
              columns.kind.set(row, kind)
              columns.sender.set(row, sender)
              columns.step.set(row, step)
              columns.events.set(row, events)
              columns.newest.set(row, newest)
              row++
            }
      return { table: 'sender_counts', columns, rows: row }
    },
  }
}

const newModels = () => new Map<string, Map<string, Buckets>>()
const newSenders = () => new Map<string, Buckets>()
const newBuckets = (): Buckets => new Map()
const newCounts = (): BucketCounts => ({ events: 0, newest: 0 })

function inner<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key)
  if (found === undefined) map.set(key, (found = make()))
  return found
}
