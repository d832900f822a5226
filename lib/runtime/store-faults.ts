/**
 * Whose fault it is that something could not be stored: the store's, which is waited for, or that
 * of what was sent.
 */

/**
 * ClickHouse's errors that say nothing about the data: time, memory, disk, network, rights, load, a
 * table that is not there.
 * https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
const STORE_CODES = new Set([
  3, 60, 74, 75, 76, 77, 81, 159, 160, 164, 192, 193, 194, 201, 202, 203, 209, 210, 218, 225, 236,
  241, 242, 243, 252, 279, 285, 319, 394, 396, 425, 439, 473, 497, 516, 607, 659, 722, 999,
])

const STORE_WORDS =
  /\b(disk full|No space left|timed? ?out|socket hang up|aborted|closed|Cannot (open|lock|allocate|write|fsync))\b/i

/**
 * Whether an error may pass by itself, without a change of what is stored: then the same range is
 * tried again. What cannot be told is taken for a fault of the data, and is then tried on its own
 * before anything is set aside.
 */
export function isStoreFault(error: unknown): boolean {
  for (
    let at: unknown = error, depth = 0;
    at instanceof Error && depth < 5;
    at = at.cause, depth++
  ) {
    const { code, message } = at as Error & { code?: unknown }
    const number = /\bCode: (\d+)/.exec(message)?.[1] ?? (/^\d+$/.test(String(code)) ? code : '')
    if (number !== '' && number !== undefined) return STORE_CODES.has(Number(number))
    if (typeof code === 'string' && /^(E[A-Z]+|UND_)/.test(code)) return true
    if (STORE_WORDS.test(message)) return true
  }
  return false
}
