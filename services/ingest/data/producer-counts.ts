/**
 * What each producer says it emitted, beside what came: `producer.sequence` counts on from event to event, so the
 * numbers between the least and the greatest one that never came are the events that were lost on the way.
 */
import type { Event } from '../../../lib/events/validator.ts'
import { fieldGetter } from '../../../lib/events/flat-record.ts'
import * as native from '../../../lib/clickhouse/native/block.ts'
import { stepAt } from '../../../lib/sink/counts/prediction-counts.ts'
import type { TableRows } from '../../../lib/sink/table-rows.ts'
import { ID_SEPARATOR } from '../../../schemas/fields.ts'

const producerOf = fieldGetter('producer')

interface ProducerStep {
  modelId: string
  producer: string
  step: number
  received: number
  duplicates: number
  lowest: number
  highest: number
}

export function producerCounts() {
  const steps = new Map<string, ProducerStep>()
  const columns = {
    model_id: native.lowCardinality(),
    producer: native.strings(),
    step: native.fixed("DateTime('UTC')"),
    received: native.fixed('UInt64'),
    duplicates: native.fixed('UInt64'),
    lowest: native.fixed('UInt64'),
    highest: native.fixed('UInt64'),
  }

  function stepOf(
    event: Event,
    atMs: number,
  ): { counts: ProducerStep; sequence: number } | undefined {
    const producer = producerOf(event) as { id: string; sequence: number } | null | undefined
    if (!producer) return undefined
    const step = stepAt(atMs)
    const modelId = event.get('model_id') as string
    const key = `${modelId}${ID_SEPARATOR}${producer.id}${ID_SEPARATOR}${step}`
    let counts = steps.get(key)
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
      steps.set(key, counts)
    }
    return { counts, sequence: producer.sequence }
  }

  return {
    begin: () => steps.clear(),
    add: (event: Event, atMs: number) => {
      const found = stepOf(event, atMs)
      if (!found) return
      const { counts, sequence } = found
      counts.received++
      counts.lowest = Math.min(counts.lowest, sequence)
      counts.highest = Math.max(counts.highest, sequence)
    },
    repeat: (event: Event, atMs: number) => {
      const found = stepOf(event, atMs)
      if (found) found.counts.duplicates++
    },
    table: (): TableRows => {
      native.clear(columns)
      let row = 0
      for (const counts of steps.values()) {
        columns.model_id.set(row, counts.modelId)
        columns.producer.set(row, counts.producer)
        columns.step.set(row, counts.step)
        columns.received.set(row, counts.received)
        columns.duplicates.set(row, counts.duplicates)
        columns.lowest.set(row, counts.lowest)
        columns.highest.set(row, counts.highest)
        row++
      }
      return { table: 'producer_counts', columns, rows: row }
    },
  }
}
