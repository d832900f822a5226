/**
 * Turns attributes on the wire into rows, and into the queue of those whose windows are to be
 * restated.
 */
import { eventMapping, type EventMapping, type RangeTables } from '../../../lib/sink/mapping.ts'
import { NO_PRIVACY, type Privacy } from '../../../lib/events/privacy/redactor.ts'
import { eventRows } from '../../../lib/sink/rows.ts'
import * as native from '../../../lib/clickhouse/native/block.ts'
import { attributesKey, AttributesV1 } from '../../../schemas/events/attributes.v1.ts'
import { TOPICS } from '../../../schemas/topics.ts'

/**
 * Newest first. A release that changes what a message becomes adds a mapping and keeps the one
 * before it.
 */
export const attributeMappings = (privacy: Privacy) =>
  [attributeMapping('attributes-1', privacy)] as const

/** Those that keep all of an event. */
export const ATTRIBUTE_MAPPINGS = attributeMappings(NO_PRIVACY)

/** A mapping of attributes under a name of its own. */
export function attributeMapping(version: string, privacy: Privacy): EventMapping {
  return eventMapping({
    version,
    service: 'feedback',
    schema: AttributesV1,
    privacy,
    // No `seenIn`: the newest observation counts, however often it comes.
    identity: attributesKey,
    tables: attributeTables,
  })
}

function attributeTables(): RangeTables {
  const rows = eventRows(AttributesV1, new Set())
  const queue = {
    subject_id: native.strings(),
    prediction_id: native.strings(),
    place: native.strings(),
    sign: native.fixed('Int8'),
  }
  let origin = ''
  let offset = -1
  let ofMessage = 0
  return {
    begin: (range) => {
      rows.begin(range)
      native.clear(queue)
      // Topics of sources share numbers of partitions and offsets with our own.
      const topic = range.topic === TOPICS.attributes.topic ? '' : `${range.topic}/`
      origin = `${range.logEpoch}/${topic}${range.partition}`
      offset = -1
    },
    accept: (event, message) => {
      const row = rows.rows
      rows.add(event, message)
      for (const name of ['subject_id', 'prediction_id'] as const) {
        const id = event.get(name)
        if (typeof id === 'string') queue[name].set(row, id)
      }
      // A message of a source may be several events.
      ofMessage = message.offset === offset ? ofMessage + 1 : 0
      offset = message.offset
      const place = `${origin}/${offset}`
      queue.place.set(row, ofMessage === 0 ? place : `${place}/${ofMessage}`)
      queue.sign.set(row, 1)
    },
    repeat: () => {},
    tables: (range) => [
      { table: 'attributes', ...rows.end(range) },
      { table: 'attributes_waiting_log', columns: queue, rows: rows.rows },
    ],
  }
}
