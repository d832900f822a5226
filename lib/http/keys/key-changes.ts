/** What can be done to the keys of a file, and how the file is changed. */
import { replaceFile } from '../../disk/data-folder.ts'
import { lockFile } from '../../disk/lock-file.ts'
import { durationMs } from '../../runtime/durations.ts'
import { didYouMean } from '../../runtime/nearest-name.ts'
import { readKeyFile } from './key-callers.ts'
import { endOf, nameOf, newKey, parseKeyFile, type KeyEntry } from './key-file.ts'

/** Why a change is not made, as a sentence. */
export class KeyChangeRefused extends Error {
  readonly reason: 'no_such_key' | 'key_ended' | 'invalid'
  constructor(reason: KeyChangeRefused['reason'], sentence: string) {
    super(sentence)
    this.reason = reason
  }
}

/** The keys after a change. */
export interface KeyChange {
  entries: KeyEntry[]
  /** The key that was there before, as it is now; of a revoked one as it was. */
  old?: KeyEntry
  /** A new key, with its text, which nothing keeps. */
  made?: { text: string; entry: KeyEntry }
}

/** When a new key ends: a duration such as `90d`, RFC 3339, or `never`. */
interface Ending {
  expires: string
  /** Epoch milliseconds. */
  now: number
}

/**
 * A new key of a caller.
 *
 * @throws {KeyChangeRefused} for an end that is none
 */
export function createKey(
  entries: readonly KeyEntry[],
  may: Pick<KeyEntry, 'id' | 'scopes' | 'grants'>,
  { expires, now }: Ending,
): KeyChange & Required<Pick<KeyChange, 'made'>> {
  const { text, kept } = newKey()
  const end = endAt(expires, now)
  const entry: KeyEntry = {
    ...may,
    ...kept,
    created: new Date(now).toISOString(),
    ...(end !== undefined && { expires: new Date(end).toISOString() }),
  }
  return { entries: [...entries, entry], made: { text, entry } }
}

/**
 * A new key of the same caller, who may do the same; the old one stays good for the overlap.
 *
 * @throws {KeyChangeRefused} for a key that is not there or has ended, or a time that is none
 */
export function rotateKey(
  entries: readonly KeyEntry[],
  { key, overlap, expires, now }: Ending & { key: string; overlap: string },
): Required<KeyChange> {
  const { entry, others } = pick(entries, key)
  if ((endOf(entry) ?? Infinity) <= now)
    throw new KeyChangeRefused(
      'key_ended',
      `${nameOf(entry)} of ${entry.id} has ended: create a new key`,
    )
  const ends = Math.min(endOf(entry) ?? Infinity, now + overlapMs(overlap))
  const old = { ...entry, expires: new Date(ends).toISOString() }
  const { id, scopes, grants } = entry
  const may = scopes ? { scopes } : { grants: grants! }
  return { ...createKey([...others, old], { id, ...may }, { expires, now }), old }
}

/**
 * The keys without one of them.
 *
 * @throws {KeyChangeRefused} for a key that is not there
 */
export function revokeKey(
  entries: readonly KeyEntry[],
  key: string,
): KeyChange & Required<Pick<KeyChange, 'old'>> {
  const { entry, others } = pick(entries, key)
  return { entries: others, old: entry }
}

const LATEST = Date.parse('9999-01-01T00:00:00Z')

function endAt(expires: string, now: number): number | undefined {
  if (expires === 'never') return undefined
  const end = isDuration(expires) ? now + durationMs(expires) : Date.parse(expires)
  if (end > now && end < LATEST) return end
  throw new KeyChangeRefused(
    'invalid',
    `expires ${expires} must be a duration such as 90d, a time to come, or never`,
  )
}

function overlapMs(overlap: string): number {
  const ms = isDuration(overlap) ? durationMs(overlap) : Number.NaN
  if (ms >= 0 && ms < LATEST - Date.UTC(2026)) return ms
  throw new KeyChangeRefused('invalid', `overlap ${overlap} must be a duration such as 24h`)
}

const isDuration = (text: string) => /^\d{1,9}(ms|s|m|h|d)$/.test(text)

function pick(entries: readonly KeyEntry[], name: string) {
  const names = entries.map(nameOf)
  const at = names.indexOf(name)
  if (at === -1)
    throw new KeyChangeRefused(
      'no_such_key',
      `no key is named ${name.slice(0, 100)}${didYouMean(name, names)}`,
    )
  return { entry: entries[at]!, others: entries.toSpliced(at, 1) }
}

/**
 * Changes a key file whole, one change at a time; what would not be read again is not written.
 *
 * @param before the keys of a file that is still to be made; read from the file unless given
 * @throws {KeyChangeRefused} for a change that would leave a faulty file
 * @throws Error where the file cannot be read or written, or another process is changing it
 */
export function changeKeyFile<Change extends KeyChange>(
  file: string,
  change: (entries: readonly KeyEntry[]) => Change,
  before?: readonly KeyEntry[],
): Change {
  const release = lockFile(`${file}.lock`, (pid) => `process ${pid} is changing ${file}: try again`)
  try {
    const changed = change(before ?? readKeyFile(file))
    const text = `${JSON.stringify({ keys: changed.entries }, null, 2)}\n`
    const parsed = parseKeyFile(text)
    if (!Array.isArray(parsed)) throw new KeyChangeRefused('invalid', parsed.problems.join('\n'))
    replaceFile(file, text)
    return changed
  } finally {
    release()
  }
}
