/**
 * Finds in JSON what `JSON.parse` hides.
 *
 * The gateway forwards the bytes it was sent, never a re-serialised copy, so that an event is validated on
 * the same text at every door. `JSON.parse` keeps the last of two equal keys, and takes half of a surrogate pair,
 * which has no UTF-8: two ids that differ in one would be stored as the same.
 */

/** Deeper nesting is refused. */
const MAX_DEPTH = 64

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

/**
 * Scans one JSON value from `at`. The text must be valid JSON (parse it first): this function does not check.
 *
 * @returns where the value ends and what was found in it
 */
export function scanValue(text: string, at: number): ScannedValue {
  const result: ScannedValue = { start: at, end: at }
  let i = at
  const keysOf: (Set<string> | undefined)[] = []
  const path: string[] = []
  do {
    i = skipSpace(text, i)
    const c = text.charCodeAt(i)
    if (c === 123 || c === 91) {
      keysOf.push(c === 123 ? new Set() : undefined)
      if (keysOf.length > MAX_DEPTH) result.unparsable ??= 'nested too deeply'
      i = skipSpace(text, i + 1)
      const next = text.charCodeAt(i)
      if (next !== 125 && next !== 93) {
        if (keysOf.at(-1)) i = readKey(i)
        continue
      }
    } else if (c === QUOTE) {
      i = skipString(i)
      i = closeOrNext(i)
      continue
    } else if (c !== 125 && c !== 93) {
      while (i < text.length && !isEnd(text.charCodeAt(i))) i++
      i = closeOrNext(i)
      continue
    }
    i = closeOrNext(i)
  } while (keysOf.length > 0)
  result.end = i
  return result

  /** After a value: steps over closings and a comma, up to the next value. */
  function closeOrNext(from: number): number {
    let j = keysOf.length > 0 ? skipSpace(text, from) : from
    while (keysOf.length > 0) {
      const c = text.charCodeAt(j)
      if (c === 125 || c === 93) {
        keysOf.pop()
        path.length = Math.min(path.length, keysOf.length)
        j++
        if (keysOf.length > 0) j = skipSpace(text, j)
      } else if (c === 44) {
        j = skipSpace(text, j + 1)
        return keysOf.at(-1) ? readKey(j) : j
      } else return j
    }
    return j
  }

  function readKey(from: number): number {
    const end = skipString(from)
    const raw = text.slice(from + 1, end - 1)
    const key = raw.includes('\\') ? (JSON.parse(text.slice(from, end)) as string) : raw
    const keys = keysOf.at(-1)!
    const depth = keysOf.length
    if (depth <= 2) {
      if (keys.has(key)) result.repeated ??= { field: depth === 2 ? path[0] : undefined, key }
      keys.add(key)
      if (depth === 1) path[0] = key
    }
    return skipSpace(text, skipSpace(text, end) + 1)
  }

  function skipString(from: number): number {
    let j = from + 1
    for (;;) {
      const c = text.charCodeAt(j)
      if (c === QUOTE) return j + 1
      if (c === BACKSLASH) {
        if (text.charCodeAt(j + 1) === 117) j = skipUnicode(j)
        else j += 2
      } else j++
    }
  }

  function skipUnicode(from: number): number {
    const high = Number.parseInt(text.slice(from + 2, from + 6), 16)
    if (high < 0xd800 || high > 0xdfff) return from + 6
    const low = text.startsWith('\\u', from + 6)
      ? Number.parseInt(text.slice(from + 8, from + 12), 16)
      : 0
    if (high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) return from + 12
    result.unparsable ??= 'half of a surrogate pair'
    return from + 6
  }
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

function isEnd(c: number): boolean {
  return c === 44 || c === 125 || c === 93 || c === 32 || c === 10 || c === 13 || c === 9
}
