/**
 * Finds in JSON what `JSON.parse` hides.
 *
 * The event endpoint forwards the bytes it was sent, never a re-serialised copy, so that an event
 * is validated on the same text at every endpoint. `JSON.parse` keeps the last of two equal keys,
 * and takes half of a surrogate pair, which has no UTF-8: two ids that differ in one would be
 * stored as the same.
 */

/** Deeper nesting is refused. */
const MAX_DEPTH = 64

/** Where a JSON value lies in its text, in UTF-16 units, and what was found in it. */
export interface ScannedValue {
  start: number
  end: number
  /** `key` at depth 1, or `field.key` at depth 2, that is given twice; the first one met. */
  repeated?: { field: string | undefined; key: string }
  /** Why the text is no event although `JSON.parse` takes it. */
  unparsable?: string
}

const QUOTE = 34
const BACKSLASH = 92
const COMMA = 44
const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93
const UNICODE = 117
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/** A scan that is under way. */
interface Scan {
  readonly text: string
  /** The keys met in each open object, outermost first; undefined for an array. */
  readonly keysOf: (Set<string> | undefined)[]
  /** The key of the outermost object whose value is scanned now. */
  field: string | undefined
  readonly result: ScannedValue
}

/**
 * Scans one JSON value from `at`. The text must be valid JSON (parse it first): this function does
 * not check.
 *
 * @returns where the value ends and what was found in it
 */
export function scanValue(text: string, at: number): ScannedValue {
  const scan: Scan = { text, keysOf: [], field: undefined, result: { start: at, end: at } }
  let i = at
  do {
    i = skipSpace(text, i)
    const c = text.charCodeAt(i)
    if (c === OPEN_OBJECT || c === OPEN_ARRAY) {
      i = skipSpace(text, i + 1)
      open(scan, c)
      if (!isClose(text.charCodeAt(i))) {
        if (c === OPEN_OBJECT) i = readKey(scan, i)
        continue
      }
    } else if (c === QUOTE) i = skipString(scan, i)
    else if (!isClose(c)) while (i < text.length && !isEnd(text.charCodeAt(i))) i++
    i = closeOrNext(scan, i)
  } while (scan.keysOf.length > 0)
  scan.result.end = i
  return scan.result
}

function open({ keysOf, result }: Scan, bracket: number): void {
  keysOf.push(bracket === OPEN_OBJECT ? new Set() : undefined)
  if (keysOf.length > MAX_DEPTH) result.unparsable ??= 'nested too deeply'
}

/** After a value: steps over closings and a comma, up to the next value. */
function closeOrNext(scan: Scan, from: number): number {
  const { text, keysOf } = scan
  let j = keysOf.length > 0 ? skipSpace(text, from) : from
  while (keysOf.length > 0) {
    const c = text.charCodeAt(j)
    if (isClose(c)) {
      keysOf.pop()
      j++
      if (keysOf.length > 0) j = skipSpace(text, j)
    } else if (c === COMMA) {
      j = skipSpace(text, j + 1)
      return keysOf.at(-1) ? readKey(scan, j) : j
    } else return j
  }
  return j
}

/** Takes note of a key. @returns where its value begins */
function readKey(scan: Scan, from: number): number {
  const { text, keysOf, result } = scan
  const end = skipString(scan, from)
  const raw = text.slice(from + 1, end - 1)
  const key = raw.includes('\\') ? (JSON.parse(text.slice(from, end)) as string) : raw
  const keys = keysOf.at(-1)!
  const depth = keysOf.length
  if (depth <= 2) {
    if (keys.has(key)) result.repeated ??= { field: depth === 2 ? scan.field : undefined, key }
    keys.add(key)
    if (depth === 1) scan.field = key
  }
  return skipSpace(text, skipSpace(text, end) + 1)
}

/** @returns the index after the closing quote */
function skipString(scan: Scan, from: number): number {
  const { text } = scan
  let j = from + 1
  for (;;) {
    const c = text.charCodeAt(j)
    if (c === QUOTE) return j + 1
    if (c === BACKSLASH) {
      if (text.charCodeAt(j + 1) === UNICODE) j = skipUnicode(scan, j)
      else j += 2
    } else j++
  }
}

/** Steps over a `\u` escape, and the second of a surrogate pair. */
function skipUnicode({ text, result }: Scan, from: number): number {
  const high = Number.parseInt(text.slice(from + 2, from + 6), 16)
  if (high < 0xd800 || high > 0xdfff) return from + 6
  const low = text.startsWith('\\u', from + 6)
    ? Number.parseInt(text.slice(from + 8, from + 12), 16)
    : 0
  if (high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) return from + 12
  result.unparsable ??= 'half of a surrogate pair'
  return from + 6
}

/** The text of a member of an object, the last one of that name; the text must be valid JSON. */
export function memberText(text: string, name: string): string | undefined {
  let found: string | undefined
  let i = skipSpace(text, text.indexOf('{') + 1)
  while (text.charCodeAt(i) === QUOTE) {
    const key = scanValue(text, i)
    const value = scanValue(text, skipSpace(text, skipSpace(text, key.end) + 1))
    if (JSON.parse(text.slice(key.start, key.end)) === name)
      found = text.slice(value.start, value.end)
    i = skipSpace(text, value.end)
    if (text.charCodeAt(i) === 44) i = skipSpace(text, i + 1)
  }
  return found
}

function skipSpace(text: string, from: number): number {
  let i = from
  for (;;) {
    const c = text.charCodeAt(i)
    if (c === 32 || c === 10 || c === 13 || c === 9) i++
    else return i
  }
}

const isClose = (c: number) => c === CLOSE_OBJECT || c === CLOSE_ARRAY

function isEnd(c: number): boolean {
  return c === 44 || c === 125 || c === 93 || c === 32 || c === 10 || c === 13 || c === 9
}
