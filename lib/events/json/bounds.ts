/**
 * Bounds on JSON that comes from outside, checked in one pass over its bytes before anything is
 * parsed: `JSON.parse`, and what walks its result, would take a stack frame a level and an object a
 * member.
 */
const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93
const OPEN = 123
const CLOSE = 125
const QUOTE = 34
const BACKSLASH = 92
const COMMA = 44

/** How much a JSON text may hold. */
export interface JsonBounds {
  /** Arrays and objects inside one another. */
  maxDepth: number
  /** Members and elements in all. */
  maxMembers: number
}

/**
 * What any body of a request may hold; a batch of predictions of 10 MiB has less than a million
 * members.
 */
export const BODY_BOUNDS: JsonBounds = { maxDepth: 64, maxMembers: 2_000_000 }

/**
 * Why JSON is beyond its bounds, in one sentence; undefined where it is within. Whether it is JSON
 * at all is not asked. O(bytes), no allocation.
 */
export function whyBeyond(
  body: Uint8Array,
  { maxDepth, maxMembers }: JsonBounds,
): string | undefined {
  let depth = 0
  let members = 0
  for (let at = 0; at < body.length; at++) {
    const c = body[at]!
    if (c === QUOTE) {
      for (at++; at < body.length && body[at] !== QUOTE; at++) if (body[at] === BACKSLASH) at++
    } else if (c === OPEN_ARRAY || c === OPEN) {
      if (++depth > maxDepth) return `the JSON is nested deeper than ${maxDepth}`
    } else if (c === CLOSE_ARRAY || c === CLOSE) depth--
    else if (c === COMMA && ++members > maxMembers)
      return `the JSON has more than ${maxMembers} members`
  }
  return undefined
}
