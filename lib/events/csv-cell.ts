/** Cells of CSV, which has no types: what each is. Pure. */

/**
 * Decimals as they are written down; an exponent has a sign or a point, as programs print it, or it
 * is a code.
 */
const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?$/
const EXPONENT = /^-?[1-9](\.\d+[eE][+-]?\d{1,3}|[eE][+-]\d{1,3})$/

/**
 * A number where the cell is one and keeps its digits, null where it is empty or NaN; else the text
 * as it is: `00501`, `0x1F`,
 * `1e5`, `+5` and integers beyond 2^53 are codes.
 */
export function cellValue(cell: string): number | string | null {
  const text = cell.trim()
  if (text === '' || /^nan$/i.test(text)) return null
  if (!DECIMAL.test(text) && !EXPONENT.test(text)) return cell
  const number = Number(text)
  const isInteger = /^-?\d+$/.test(text)
  return Number.isFinite(number) && (!isInteger || Number.isSafeInteger(number)) ? number : cell
}
