/**
 * Paths into a message: `$.request.user`, `$.rows[0]["a.b"]`, `$item.score` (the element of `each`),
 * `$.scores[#]` (by the place of that element), `$index` (that place), `$meta.key` (what the log or the file says of the
 * message). Pure.
 *
 * A path names own members alone, whatever a message calls them: `__proto__` and `constructor` are
 * names like any other.
 */
import { FlatRecord, perShape } from '../events/flat-record.ts'

/** One step: a member by its name, an element by its place, `#` for that of `each`, `*` for all. */
export type Step = string | number | typeof PLACE | typeof ALL
/** The place of the element of `each`. */
export const PLACE = Symbol('#')
/** Every element: in `each` alone. */
export const ALL = Symbol('*')

/** A path that was read. */
export interface Path {
  readonly root: 'message' | 'item' | 'meta' | 'place'
  readonly steps: readonly Step[]
  /** As it was written. */
  readonly text: string
}

/** What paths are read in. */
export interface Scope {
  /** The message, decoded. */
  message: unknown
  /** The element of `each`; the message where there is no `each`. */
  item: unknown
  /** Place of that element, from 0. */
  place: number
  meta: unknown
}

/** Nothing is where a path looks; null is something. */
export const MISSING = Symbol('missing')

const MAX_STEPS = 32
const NAME = /^[^.[\]"*#\s]+/
const ROOTS = [
  ['$meta', 'meta'],
  ['$item', 'item'],
  ['$index', 'place'],
  ['$', 'message'],
] as const

/** Whether a text is meant as a path. */
export const isPath = (text: string): boolean => /^\$(item|meta|index)?(?=[.[]|$)/.test(text)

/** @throws Error with what is wrong with the text, to follow it in a sentence */
export function parsePath(text: string): Path {
  const [head, root] = ROOTS.find(([head]) => text.startsWith(head)) ?? ['', undefined]
  if (root === undefined) throw new Error('is no path: it begins with $, $item, $index or $meta')
  const steps: Step[] = []
  let at = head.length
  while (at < text.length) {
    const [step, length] = stepAt(text.slice(at))
    steps.push(step)
    at += length
  }
  if (steps.length > MAX_STEPS) throw new Error(`has more than ${MAX_STEPS} steps`)
  return { root, steps, text }
}

function stepAt(rest: string): [Step, number] {
  if (rest.startsWith('[*]')) return [ALL, 3]
  if (rest.startsWith('[#]')) return [PLACE, 3]
  const index = /^\[(\d{1,9})\]/.exec(rest)
  if (index) return [Number(index[1]), index[0].length]
  const quoted = /^\["((?:[^"\\]|\\["\\])*)"\]/.exec(rest)
  if (quoted) return [quoted[1]!.replaceAll(/\\(["\\])/g, '$1'), quoted[0].length]
  const name = rest.startsWith('.') ? NAME.exec(rest.slice(1)) : null
  if (name) return [name[0], 1 + name[0].length]
  throw new Error(
    `is no path: .name, ["name"], [0] or [#] must follow, and ${rest.slice(0, 20)} is none of them`,
  )
}

/** The value where the path looks, or {@link MISSING}. */
export function readPath(path: Path, scope: Scope): unknown {
  let value = rootOf(path, scope)
  for (const step of path.steps) {
    value = child(value, step === PLACE ? scope.place : step)
    if (value === MISSING) return MISSING
  }
  return value
}

/**
 * Makes the reader of one path, as {@link readPath} reads it: of records of which many in a row have
 * the same names it looks a member up once.
 */
export function pathReader({ root, steps }: Path): (scope: Scope) => unknown {
  const read = steps.map(stepReader)
  const [only] = read
  if (only && read.length === 1) return (scope) => only(scope[root], scope)
  return (scope) => {
    let value: unknown = scope[root]
    for (const step of read) {
      value = step(value, scope)
      if (value === MISSING) return MISSING
    }
    return value
  }
}

function stepReader(step: Step): (value: unknown, scope: Scope) => unknown {
  if (step === PLACE) return (value, scope) => child(value, scope.place)
  if (typeof step !== 'string') return (value) => child(value, step)
  const places = perShape((names) => names.indexOf(step))
  return (value) => {
    if (!(value instanceof FlatRecord)) return child(value, step)
    const at = places.of(value.names)
    return at === -1 ? MISSING : value.values[at]
  }
}

const rootOf = ({ root }: Path, scope: Scope): unknown => scope[root]

/** The own member or element of a value, or {@link MISSING}. */
export function child(value: unknown, step: Step): unknown {
  if (typeof value !== 'object' || value === null) return MISSING
  if (Array.isArray(value))
    return typeof step === 'number' && step < value.length ? (value as unknown[])[step] : MISSING
  if (typeof step === 'symbol') return MISSING
  const name = String(step)
  if (value instanceof FlatRecord) {
    const at = value.names.indexOf(name)
    return at === -1 ? MISSING : value.values[at]
  }
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : MISSING
}

/** The names of an object's members, or none. */
export function namesOf(value: unknown): readonly string[] {
  if (value instanceof FlatRecord) return value.names
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.keys(value)
    : []
}

/** How far a path leads: what is there, and the first step that is not. */
export function whereItEnds(path: Path, scope: Scope): { there: unknown; missing: Step } {
  let there = rootOf(path, scope)
  for (const step of path.steps) {
    const next = child(there, step === PLACE ? scope.place : step)
    if (next === MISSING) return { there, missing: step }
    there = next
  }
  return { there, missing: '' }
}

/** Puts a value where a path leads, in place; what has no such member stays as it is. */
export function replaceAt(path: Path, scope: Scope, value: unknown): void {
  const last = path.steps.at(-1)
  if (last === undefined) {
    if (path.root === 'message') scope.message = value
    return
  }
  const parent = readPath({ ...path, steps: path.steps.slice(0, -1) }, scope)
  if (parent instanceof FlatRecord) {
    const at = parent.names.indexOf(String(last))
    if (at !== -1) parent.values[at] = value
  } else if (Array.isArray(parent)) {
    if (typeof last === 'number' && last < parent.length) parent[last] = value
  } else if (typeof parent === 'object' && parent !== null && Object.hasOwn(parent, String(last))) {
    // An assignment would not do: a member may be called __proto__.
    Object.defineProperty(parent, String(last), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
}
