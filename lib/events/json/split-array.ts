/** Splits a JSON array into its elements, as the bytes they came in. */

/** The byte `[`. */
export const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93
const OPEN = 123
const CLOSE = 125
const QUOTE = 34
const BACKSLASH = 92
const COMMA = 44

const isSpace = (c: number | undefined) => c === 32 || c === 10 || c === 13 || c === 9

/**
 * The index of the first byte from here that is no JSON white space; the length where there is
 * none.
 */
export function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (isSpace(bytes[at])) at++
  return at
}

/** Takes JSON's white space off both ends. */
export function trimmed(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && isSpace(bytes[end - 1])) end--
  return bytes.subarray(skipSpace(bytes, 0), end)
}

/**
 * @param open where the array begins
 * @returns the elements, trimmed; undefined where brackets do not match. Whether an element is JSON
 *   is for its reader to validate.
 */
export function elementsOf(body: Buffer, open: number): Buffer[] | undefined {
  const elements: Buffer[] = []
  let depth = 0
  let from = open + 1
  for (let at = open; at < body.length; at++) {
    const c = body[at]!
    if (c === QUOTE) {
      for (at++; at < body.length && body[at] !== QUOTE; at++) if (body[at] === BACKSLASH) at++
    } else if (c === OPEN_ARRAY || c === OPEN) depth++
    else if (c === CLOSE_ARRAY || c === CLOSE) {
      if (--depth > 0) continue
      const last = trimmed(body.subarray(from, at))
      if (last.length > 0 || elements.length > 0) elements.push(last)
      return skipSpace(body, at + 1) === body.length ? elements : undefined
    } else if (c === COMMA && depth === 1) {
      elements.push(trimmed(body.subarray(from, at)))
      from = at + 1
    }
  }
  return undefined
}

const NEWLINE = 10

/** The lines of NDJSON, without those that are empty. */
export function linesOf(body: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let at = 0; at < body.length;) {
    const newline = body.indexOf(NEWLINE, at)
    const end = newline === -1 ? body.length : newline
    const bytes = trimmed(body.subarray(at, end))
    if (bytes.length > 0) lines.push(bytes)
    at = end + 1
  }
  return lines
}
