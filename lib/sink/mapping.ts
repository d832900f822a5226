/**
 * Maps a range of the log to the rows of every table it touches: pure, so that a replay gives the
 * same bytes.
 *
 * Each message ends in exactly one place: a row, a dead letter, the count of duplicates, or that of
 * messages that filters leave out; one that is several events ends in several. What an
 * accepted event adds to its tables, rows and counts alike, is the service's
 * (`services/ingest/data/prediction-rows.ts`, `services/feedback/data/label-rows.ts`).
 */
import type { TObject } from 'typebox'
import { ID_SEPARATOR } from '../../schemas/fields.ts'
import {
  deadLetterRows,
  refusedLetter,
  type DeadLetter,
  type DeadLetterRows,
} from './dead-letters.ts'
import { spanOf, type LoggedMessage, type OffsetRange } from '../event-log/port.ts'
import type { ReadEvents } from '../events/decode-message.ts'
import {
  createValidator,
  type Event,
  type ValidationResult,
  type Validator,
} from '../events/validator.ts'
import { fieldGetter } from '../events/flat-record.ts'
import type { RefusalOf } from '../models/expectations/refusal.ts'
import { murmurHash3, xxHash32 } from './id-hash.ts'
import type { Privacy } from '../events/privacy/redactor.ts'
import { keptMessage, keptOfSource } from '../events/privacy/refused-message.ts'
import type { Rejection } from '../events/rejections.ts'
import type { SeenIds } from './dedupe-set.ts'
import { rangeRow } from './range-row.ts'
import type { TableRows } from './table-rows.ts'

/**
 * Collects what the accepted events of a range add to their tables; one range after another, in the
 * same memory.
 */
export interface RangeTables {
  /** Forgets the range before. */
  begin: (range: OffsetRange) => void
  accept: (event: Event, message: LoggedMessage, unknownFields: number) => void
  /** The event's id was stored before: only the count of repeats may change. */
  repeat: (event: Event) => void
  /** The event is refused for a rule of its model: only the count of refusals may change. */
  refuse?: (event: Event, rule: string) => void
  tables: (range: OffsetRange) => TableRows[]
}

/** The rows of a range and what became of its messages. */
export interface MappedRange {
  /**
   * Tables in the order in which they are to be stored; a row in the last one means that the range
   * is whole.
   */
  tables: TableRows[]
  /** Events that are stored. */
  rows: number
  /** Events whose id was stored before. */
  duplicates: number
  /** Messages that are none of this consumer's, by why. */
  filtered: ReadonlyMap<string, number>
  /** Fields, over all stored events, that the schema does not have. */
  unknownFields: number
  /** Stored events and repeats whose key was another than expected, and those without one. */
  keys: { other: number; none: number }
  /** Models of the stored events, whatever their keys. */
  models: ReadonlySet<string>
  /** Messages that are refused, each with its reason. */
  dead: DeadLetter[]
  /** The tables are stored: the next range may be written into their memory. */
  release: () => void
}

/** A table and, in SQL, what {@link EventMappingOptions.identity} gives for a row of it. */
export interface SeenIn {
  table: string
  identity: string
}

/** How the messages of one topic become rows. */
export interface EventMapping {
  /** Names what a message becomes: a pending range is drained by the mapping that began it. */
  version: string
  /**
   * Where the accepted events are read back from, to remember their ids; absent where a repeat does
   * no harm.
   */
  seenIn?: SeenIn | undefined
  /** Maps one range; its tables lie in memory that {@link MappedRange.release} gives back. */
  map: (range: OffsetRange, read: ReadEvents, seen: SeenIds) => MappedRange
}

/** What an event type says of its mapping. */
export interface EventMappingOptions {
  version: string
  /** The service that dead letters name. */
  service: string
  schema: TObject
  /** What is left of events is stored, and of refused messages set aside. */
  privacy: Privacy
  seenIn?: SeenIn
  /** Names an event: with `seenIn`, a second one of the same name is a repeat. */
  identity: (event: Event) => string
  /**
   * The key that our own endpoints give an event; `identity`: the identity with a slash for its
   * separator. Another one, or none, is counted: a repeat is found in its partition only, so one
   * that comes under another key may count twice.
   */
  key?: 'identity' | ((event: Event) => string)
  /** A message with another key is a dead letter, as it was in earlier versions of a mapping. */
  refusesOtherKeys?: boolean
  /** Says why an event that is well-formed is refused all the same, by a rule of its model. */
  refusalOf?: RefusalOf | undefined
  /** Adds what is derived of an accepted event before it is stored; nothing unless given. */
  derive?: ((event: Event) => Event) | undefined
  /** Makes the tables of one range; called again where several ranges are in hand. */
  tables: () => RangeTables
}

/** Room for two ids and their separator, in UTF-8. */
const scratch = Buffer.alloc(2048)
const SEPARATOR = ID_SEPARATOR.charCodeAt(0)
const SLASH = 47
const modelIdOf = fieldGetter('model_id')

/** Makes a mapping; it holds no state but the memory that ranges are written into. */
export function eventMapping(options: EventMappingOptions): EventMapping {
  const validator = createValidator(options.schema, options.privacy)
  /** As many as ranges are in hand at the same time. */
  const idle: Memory[] = []
  return {
    version: options.version,
    seenIn: options.seenIn,
    map: (range, read, seen) => {
      const memory = idle.pop() ?? {
        tables: options.tables(),
        letters: deadLetterRows(options.service),
      }
      const { tables, letters } = memory
      const into: InHand = {
        options,
        validator,
        seen,
        tables,
        dead: [],
        rows: 0,
        duplicates: 0,
        filtered: new Map(),
        unknownFields: 0,
        keys: { other: 0, none: 0 },
        models: new Set(),
      }
      tables.begin(range)
      seen.begin()
      for (const message of range.messages) take(into, range, message, read)
      const { dead, rows, duplicates, filtered, unknownFields, keys, models } = into
      return {
        tables: [...tables.tables(range), letters(range, dead), rangeRow(range, into)],
        rows,
        duplicates,
        filtered,
        unknownFields,
        keys,
        models,
        dead,
        release: () => idle.push(memory),
      }
    },
  }
}

/** What one range after another is written into. */
interface Memory {
  tables: RangeTables
  letters: DeadLetterRows
}

/** How the key of a message stands to the one that our own endpoints give its event. */
type KeyKind = 'expected' | 'other' | 'none'

/**
 * The range that is mapped now: what decides over its messages, and where they have ended so far.
 */
interface InHand {
  options: EventMappingOptions
  validator: Validator
  seen: SeenIds
  tables: RangeTables
  dead: DeadLetter[]
  rows: number
  duplicates: number
  filtered: Map<string, number>
  unknownFields: number
  keys: { other: number; none: number }
  models: Set<string>
}

/** Puts a message where it ends: with the rows, the dead letters, the duplicates or what is filtered. */
function take(into: InHand, range: OffsetRange, message: LoggedMessage, read: ReadEvents): void {
  const { options, validator, dead, filtered } = into
  if (message.unreadable) {
    const kept = keptMessage(message, options.privacy)
    dead.push({ message: kept, code: 'unreadable_batch', text: message.unreadable.text })
    return
  }
  const result = read(message, validator, range)
  if ('ok' in result) {
    const refusal = takeEvent(into, message, result)
    if (refusal) dead.push(refusedLetter(refusal, message, keptMessage(message, options.privacy)))
  } else if ('filtered' in result) {
    filtered.set(result.filtered, (filtered.get(result.filtered) ?? 0) + 1)
  } else takeEvents(into, message, result)
}

/** Stores the good events of a source's message; one dead letter tells of all others. */
function takeEvents(
  into: InHand,
  message: LoggedMessage,
  results: readonly ValidationResult[],
): void {
  let first: Rejection | undefined
  let firstAt = 0
  let refusals = 0
  for (let i = 0; i < results.length; i++) {
    const refusal = takeEvent(into, message, results[i]!)
    if (!refusal) continue
    if (!first) [first, firstAt] = [refusal, i]
    refusals++
  }
  if (!first) return
  // A message is read for this once, not once an event: all of it tells what may be kept.
  const kept = keptOfSource(message, into.options.privacy)
  const letter = refusedLetter(first, message, kept)
  const text =
    results.length === 1
      ? letter.text
      : `${refusals} of ${results.length} events are refused, the first is [${firstAt}]: ${letter.text}`
  into.dead.push({ ...letter, text })
}

/** @returns why an event is refused */
function takeEvent(
  into: InHand,
  message: LoggedMessage,
  result: ValidationResult,
): Rejection | undefined {
  const { options, validator, seen } = into
  const { key, identity, seenIn } = options
  if (!result.ok) return result.rejection
  const { event, unknownFields } = result
  const refusal = options.refusalOf?.(event)
  if (refusal) {
    into.tables.refuse?.(event, refusal.rule)
    return { code: refusal.code ?? 'expectation_violated', message: refusal.message }
  }
  const length = key || seenIn ? scratch.write(identity(event)) : 0
  const kind = keyKind(options, message, event, length)
  if (kind === 'other' && options.refusesOtherKeys)
    return validator.refuse('key_mismatch').rejection
  if (kind !== 'expected') into.keys[kind]++
  if (seenIn && seen.repeated(xxHash32(scratch, length), murmurHash3(scratch, length))) {
    into.duplicates++
    into.tables.repeat(event)
    return undefined
  }
  into.rows++
  into.unknownFields += unknownFields
  const model = modelIdOf(event)
  if (typeof model === 'string') into.models.add(model)
  into.tables.accept(options.derive?.(event) ?? event, message, unknownFields)
  return undefined
}

/**
 * How the key of a message stands to the one its event would have: a key is there to choose a
 * partition.
 *
 * @param length of the event's identity, in {@link scratch}
 */
function keyKind(
  { key }: EventMappingOptions,
  message: LoggedMessage,
  event: Event,
  length: number,
): KeyKind {
  if (!key) return 'expected'
  const { bytes, from, to } = message.keyWithin ?? spanOf(message.key)
  if (from === to) return 'none'
  const expected = key === 'identity' ? scratch : Buffer.from(key(event))
  if (to - from !== (key === 'identity' ? length : expected.length)) return 'other'
  for (let i = from; i < to; i++) {
    const byte = expected[i - from]
    // Ids hold no separator: the separator that is met joins the two ids.
    if (bytes[i] !== (byte === SEPARATOR ? SLASH : byte)) return 'other'
  }
  return 'expected'
}
