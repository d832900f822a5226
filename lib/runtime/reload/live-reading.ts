/**
 * Files in force, read anew when they change: all of them or none. Readers hold one immutable value
 * at a time, and see another once they ask again.
 */
import { ConfigError } from '../config.ts'
import type { Logger } from '../log.ts'
import type { Module } from '../modules.ts'
import { pollLoop } from '../poll-loop.ts'

/** What was read of some files; times are epoch milliseconds. */
export interface Reading<T> {
  value: T
  loadedAt: number
  /** The last reading, where it was refused and nothing was changed since. */
  refused: { at: number; problems: readonly string[] } | undefined
}

/** Some files as they change. */
export interface LiveReading<T> {
  inForce: () => Reading<T>
  /** Has a function called each time other files are in force. */
  onChange: (listener: () => void) => void
  /** Reads the files now. */
  reload: () => void
  /** Looks whether files have changed; there is none where nobody looks by himself. */
  watching: Module | undefined
}

/** What a live reading is made of. */
export interface LiveReadingParts<T> {
  /** What is read, in the plural, as lines of the log begin: `model files`. */
  name: string
  /** Changes when a file does; reads none of them. */
  signature: () => string
  /**
   * Reads the files.
   *
   * @param before what is in force; undefined at the first reading
   * @throws {ConfigError} with every problem of every file
   */
  read: (before: T | undefined) => T
  isSame: (a: T, b: T) => boolean
  /** What a line of the log says of another value. */
  told: (value: T, before: T) => object
  /** Is told what each reading came to; of an unchanged one only where the last was refused. */
  count: (outcome: 'loaded' | 'refused', problems: number) => void
  /** Distance of two looks at the files, milliseconds; 0: only `reload` reads. */
  everyMs: number
  log: Logger
  now: () => number
}

/** Problems of one reading that are kept and logged, at most. */
const MAX_PROBLEMS = 100

interface State<T> extends LiveReadingParts<T> {
  current: Reading<T>
  /** The signature of the files when they were last read. */
  tried: string
  listeners: (() => void)[]
}

/**
 * Reads files, and again when they change. A change is read once two looks in a row find the same:
 * what is being written is waited for.
 *
 * @throws {ConfigError} at the first reading only
 */
export function liveReading<T>(parts: LiveReadingParts<T>): LiveReading<T> {
  const tried = parts.signature()
  const state: State<T> = {
    ...parts,
    current: { value: parts.read(undefined), loadedAt: parts.now(), refused: undefined },
    tried,
    listeners: [],
  }
  return {
    inForce: () => state.current,
    onChange: (listener) => void state.listeners.push(listener),
    reload: () => reload(state),
    watching: parts.everyMs > 0 ? watcher(state) : undefined,
  }
}

function watcher<T>(state: State<T>): Module {
  let seen = state.tried
  return pollLoop({
    name: state.name,
    everyMs: state.everyMs,
    step: async () => {
      const last = seen
      seen = state.signature()
      if (seen !== state.tried && seen === last) reload(state)
    },
    onError: (error) => refuse(state, [String(error)]),
  }).module
}

function reload<T>(state: State<T>): void {
  try {
    state.tried = state.signature()
    accept(state, state.read(state.current.value))
  } catch (error) {
    refuse(state, error instanceof ConfigError ? error.problems : [String(error)])
  }
}

function accept<T>(state: State<T>, value: T): void {
  const { current, log, now, name } = state
  const isSame = state.isSame(current.value, value)
  if (isSame && !current.refused) return
  state.count('loaded', 0)
  state.current = isSame
    ? { ...current, refused: undefined }
    : { value, loadedAt: now(), refused: undefined }
  log.info(state.told(value, current.value), `${name} loaded`)
  if (!isSame) for (const listener of state.listeners) listener()
}

function refuse<T>(state: State<T>, problems: readonly string[]): void {
  const { log, now, name } = state
  const kept = problems.slice(0, MAX_PROBLEMS)
  state.current = { ...state.current, refused: { at: now(), problems: kept } }
  state.count('refused', problems.length)
  log.error({ problems: kept }, `${name} refused: those loaded before stay in force`)
}
