/** Turns labels on the wire into rows, and into the queue of labels that are to be joined. */
import {
  eventMapping,
  type EventMapping,
  type EventMappingOptions,
  type RangeTables,
} from '../../../lib/sink/mapping.ts'
import { NO_PRIVACY, type Privacy } from '../../../lib/events/privacy/redactor.ts'
import { eventRows } from '../../../lib/sink/rows.ts'
import type { LabelChecks } from '../../../lib/models/labels/label-values.ts'
import { canonical } from '../../../lib/events/fields.ts'
import type { Event } from '../../../lib/events/validator.ts'
import { senderCounts } from '../../../lib/sink/counts/sender-counts.ts'
import * as native from '../../../lib/clickhouse/native/block.ts'
import { labelKey, LabelV1 } from '../../../schemas/events/label.v1.ts'
import { ID_SEPARATOR } from '../../../schemas/fields.ts'

/** What model files say about labels. */
export interface LabelRules {
  /** What is left of an event. */
  privacy: Privacy
  /** Which labels are refused, and how others are spelled; all are taken as they come unless given. */
  checks?: LabelChecks | undefined
}

/**
 * Newest first. A release that changes what a message becomes adds a mapping and keeps those before
 * it: version 3 took any label, and one `label_id` for one prediction only; version 2 refused messages with a key of their own; version 1 joined model and id by a slash
 * too, so that two labels could have one identity.
 */
export const labelMappings = (rules: LabelRules) => {
  const { privacy } = rules
  return [
    labelMapping('labels-4', rules, { key: labelKey }),
    eventMapping({
      version: 'labels-3',
      service: 'feedback',
      schema: LabelV1,
      privacy,
      seenIn: { table: 'labels', identity: `concat(model_id, '\\x1f', label_id)` },
      identity: identityOf(ID_SEPARATOR),
      key: labelKey,
      tables: () => labelTables(),
    }),
    eventMapping({
      version: 'labels-2',
      service: 'feedback',
      schema: LabelV1,
      privacy,
      seenIn: { table: 'labels', identity: `concat(model_id, '\\x1f', label_id)` },
      identity: identityOf(ID_SEPARATOR),
      key: labelKey,
      refusesOtherKeys: true,
      tables: () => labelTables(),
    }),
    eventMapping({
      version: 'labels-1',
      service: 'feedback',
      schema: LabelV1,
      privacy,
      seenIn: { table: 'labels', identity: `concat(model_id, '/', label_id)` },
      identity: identityOf('/'),
      key: labelKey,
      refusesOtherKeys: true,
      tables: () => labelTables(),
    }),
  ] as const
}

/** Those that keep all of an event, and take any label. */
export const LABEL_MAPPINGS = labelMappings({ privacy: NO_PRIVACY })

/**
 * A mapping of labels under a name of its own. A `label_id` names a label of one prediction: used
 * for two it names two labels.
 *
 * @param keys the key that messages are expected to have; any unless given
 */
export function labelMapping(
  version: string,
  { privacy, checks }: LabelRules,
  keys: Pick<EventMappingOptions, 'key'> = {},
): EventMapping {
  return eventMapping({
    version,
    service: 'feedback',
    schema: LabelV1,
    privacy,
    seenIn: {
      table: 'labels',
      identity: `concat(model_id, '\\x1f', label_id, '\\x1f', prediction_id)`,
    },
    identity: (event) =>
      `${identityOf(ID_SEPARATOR)(event)}${ID_SEPARATOR}${(event.get('prediction_id') ?? '') as string}`,
    ...keys,
    refusalOf: checks?.refusalOf,
    tables: () => labelTables(checks),
  })
}

function identityOf(separator: string) {
  return (event: Event) =>
    `${event.get('model_id') as string}${separator}${event.get('label_id') as string}`
}

const DICTIONARIES = new Set(['model_id', 'name'])
const DEFAULT_NAME = 'label'
/** What the join reads of a label, in the order of the log. */
const ARRIVED = [
  'model_id',
  'prediction_id',
  'label_id',
  'trace_id',
  'subject_id',
  'labelled_at',
  'log_epoch',
  'topic',
  'partition',
  'offset',
]

function labelTables(checks?: LabelChecks): RangeTables {
  const rows = eventRows(LabelV1, DICTIONARIES)
  const senders = senderCounts()
  const spelled = native.strings()
  const queue = {
    model_id: native.lowCardinality(),
    prediction_id: native.strings(),
    label_id: native.strings(),
    since: native.fixed("DateTime64(3, 'UTC')"),
    sign: native.fixed('Int8'),
  }
  return {
    begin: (range) => {
      rows.begin(range)
      native.clear(queue)
      native.clear({ spelled })
      senders.begin()
    },
    accept: (event, message) => {
      const row = rows.rows
      const arrivedMs = rows.add(event, message)
      rows.columns['name']!.set(row, (event.get('name') ?? DEFAULT_NAME) as never)
      const label = checks?.spelledOf(event)
      if (label !== undefined) spelled.set(row, canonical(label))
      queue.model_id.set(row, event.get('model_id') as string)
      const predictionId = event.get('prediction_id')
      if (typeof predictionId === 'string') queue.prediction_id.set(row, predictionId)
      queue.label_id.set(row, event.get('label_id') as string)
      queue.since.set(row, arrivedMs)
      queue.sign.set(row, 1)
      const modelId = event.get('model_id') as string
      senders.add('label_source', modelId, event.get('source') as string, arrivedMs)
    },
    repeat: () => {},
    tables: (range) => {
      const labels = rows.end(range)
      const columns = Object.fromEntries(ARRIVED.map((name) => [name, labels.columns[name]!]))
      return [
        { table: 'labels', ...labels, columns: { ...labels.columns, label_spelled: spelled } },
        { table: 'labels_waiting_log', columns: queue, rows: rows.rows },
        { table: 'labels_arrived', columns, rows: labels.rows },
        senders.table(),
      ]
    },
  }
}
