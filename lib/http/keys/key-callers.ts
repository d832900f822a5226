/** Callers by the keys of a file, which is read again when it changes. */
import { readFileSync, statSync } from 'node:fs'
import { ConfigError } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Authenticate, Caller, GrantsOf } from '../api-keys.ts'
import { isSamePerson } from '../../runtime/person-names.ts'
import { scopesOf } from '../grants.ts'
import { endOf, grantsOf, keyFinder, nameOf, parseKeyFile, type KeyEntry } from './key-file.ts'

/** How often a change of the file is looked for: a revoked key is good for so long at most. */
const LOOK_EVERY_MS = 1000

/** What callers by keys are told with. */
export interface KeyCallersOptions {
  /** Epoch milliseconds. */
  now: () => number
  /** A key was used, by its name. */
  used?: (name: string) => void
  /** The file has changed and cannot be read: the keys read before stay good. */
  failed?: (problem: string) => void
}

/**
 * Reads `PLUMBLINE_AUTH_FILE`, and again when it changes.
 *
 * @throws {ConfigError} when the file is missing or malformed at the start
 */
export function keyCallers(path: string, { now, used, failed }: KeyCallersOptions): Authenticate {
  let stamp = stampOf(path)
  let entries = readKeyFile(path)
  let find = keyFinder(entries)
  let looked = now()
  const refresh = () => {
    if (Math.abs(now() - looked) < LOOK_EVERY_MS) return
    looked = now()
    const found = stampOf(path)
    if (found === stamp) return
    stamp = found
    try {
      entries = readKeyFile(path)
      find = keyFinder(entries)
    } catch (error) {
      failed?.(messageOf(error))
    }
  }
  const callers = new WeakMap<KeyEntry, Caller>()
  const isThere = (entry: KeyEntry) => {
    refresh()
    return entries.some((one) => one.id === entry.id && nameOf(one) === nameOf(entry))
  }
  const isGood = (entry: KeyEntry) => (endOf(entry) ?? Infinity) > now()
  const grantsOfPerson: GrantsOf = (id) => {
    refresh()
    const own = entries.filter((entry) => isSamePerson(entry.id, id) && isGood(entry))
    return own.flatMap(grantsOf)
  }
  const callerBy = (header: string | undefined) => {
    const text = /^Bearer (.+)$/.exec(header ?? '')?.[1]
    if (text === undefined) return undefined
    refresh()
    const entry = find(text)
    if (!entry || !isGood(entry)) return undefined
    used?.(nameOf(entry))
    const known = callers.get(entry) ?? callerOf(entry, () => !isThere(entry))
    callers.set(entry, known)
    return known
  }
  return Object.assign(callerBy, { grantsOf: grantsOfPerson })
}

function callerOf(entry: KeyEntry, isRevoked: () => boolean): Caller {
  const grants = grantsOf(entry)
  const expiresAt = endOf(entry)
  return {
    id: entry.id,
    scopes: scopesOf(grants),
    grants,
    isKnown: true,
    ...(expiresAt !== undefined && { expiresAt }),
    isRevoked,
  }
}

/** Changes when the file does. */
function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return ''
  }
}

/**
 * The keys of a file.
 *
 * @throws {ConfigError} when it is missing or malformed
 */
export function readKeyFile(path: string): KeyEntry[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError([`PLUMBLINE_AUTH_FILE ${path}: ${(cause as Error).message}`])
  }
  const parsed = parseKeyFile(text)
  if (Array.isArray(parsed)) return parsed
  throw new ConfigError(parsed.problems.map((problem) => `PLUMBLINE_AUTH_FILE ${path}: ${problem}`))
}
