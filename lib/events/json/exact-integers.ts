/**
 * Parses JSON without rounding whole numbers away: two ids of 64 bits must not become one double.
 */

/**
 * Whether a number of JSON is stored as it was sent. Numbers are 64-bit floats; a whole number that
 * is written with all its digits is taken only where it lies below 2^53 or prints as it was
 * written.
 *
 * @param source the number as it stands in the text
 */
export const isExact = (value: number, source: string): boolean =>
  Number.isSafeInteger(value) || !WHOLE.test(source) || String(value) === source

const WHOLE = /^-?\d+$/
const LONG = /\d{16}/

/**
 * As `JSON.parse`, and a whole number that a double would round becomes a bigint, which no event
 * field takes.
 *
 * @throws SyntaxError where the text is no JSON
 */
export function parseExactly(text: string): unknown {
  return LONG.test(text) ? JSON.parse(text, exactly as never) : JSON.parse(text)
}

const exactly = (_key: string, value: unknown, context: { source?: string }): unknown =>
  typeof value === 'number' && !isExact(value, context.source ?? '')
    ? BigInt(context.source!)
    : value
