/**
 * Which messages of a range cannot be stored, where the range as a whole could not be: each is
 * tried without the others, so that one is set aside and the rest is stored. Nothing is stored
 * while trying.
 */
import type { ReadEvents } from '../events/decode-message.ts'
import type { LoggedMessage, OffsetRange } from '../event-log/port.ts'
import type { EventMapping, MappedRange } from './mapping.ts'
import { createSeenIds } from './dedupe-set.ts'

/** Why a message cannot be stored. */
export type Unstorable = ReadonlyMap<LoggedMessage, string>

/** Reads as before, and refuses the messages that cannot be stored. */
export const refusing =
  (read: ReadEvents, unstorable: Unstorable): ReadEvents =>
  (message, validator, range) => {
    const why = unstorable.get(message)
    if (why === undefined) return read(message, validator, range)
    return {
      ok: false,
      rejection: { code: 'unstorable', message: `the event cannot be stored: ${why}` },
    }
  }

const mappedAlone = (
  range: OffsetRange,
  messages: readonly LoggedMessage[],
  mapping: EventMapping,
  read: ReadEvents,
): MappedRange => mapping.map({ ...range, messages }, read, createSeenIds(messages.length))

/** The messages that cannot be made rows: each is mapped alone. */
export function unmappable(
  range: OffsetRange,
  mapping: EventMapping,
  read: ReadEvents,
): Map<LoggedMessage, string> {
  const found = new Map<LoggedMessage, string>()
  for (const message of range.messages) {
    try {
      mappedAlone(range, [message], mapping, read).release()
    } catch (error) {
      found.set(message, reasonOf(error))
    }
  }
  return found
}

/** Tries of one range: two for each halving of a few hundred faulty messages. */
const MAX_TRIALS = 4000

/** A range that could not be stored, and how parts of it are tried. */
export interface TrialOptions {
  range: OffsetRange
  mapping: EventMapping
  read: ReadEvents
  /** Does with these rows what storing would do, and keeps none of it; rejects as storing would. */
  trial: (mapped: MappedRange) => Promise<void>
}

/**
 * The messages whose rows the store refuses, found by halving.
 *
 * @throws the store's own error where the whole range passes the trial, where it fails even without
 *   those messages, or where
 * too many trials were needed: then it is not one message's fault
 */
export async function refusedByStore(
  error: unknown,
  { range, mapping, read, trial }: TrialOptions,
): Promise<Map<LoggedMessage, string>> {
  const found = new Map<LoggedMessage, string>()
  let trials = 0
  const faultOf = async (messages: readonly LoggedMessage[], reader = read): Promise<unknown> => {
    if (++trials > MAX_TRIALS) throw error
    const mapped = mappedAlone(range, messages, mapping, reader)
    try {
      await trial(mapped)
      return undefined
    } catch (fault) {
      return fault
    } finally {
      mapped.release()
    }
  }
  const search = async (messages: readonly LoggedMessage[]): Promise<void> => {
    const fault = await faultOf(messages)
    if (fault === undefined) return
    if (messages.length === 1) {
      found.set(messages[0]!, reasonOf(fault))
      return
    }
    const half = messages.length >> 1
    await search(messages.slice(0, half))
    await search(messages.slice(half))
  }
  await search(range.messages)
  if (found.size === 0 || (await faultOf(range.messages, refusing(read, found)))) throw error
  return found
}

const MAX_REASON = 300
const reasonOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON)
