/**
 * Telephone and card numbers in texts, found in one pass: a text of any shape takes time in
 * proportion to its length. Pure.
 */

/** A part of a text, from its first character to the one after its last. */
export interface Found {
  from: number
  to: number
}

/** Digits in a row, without a separator. */
interface Group extends Found {
  digits: string
}

/** Groups of one number at most: `00 49 (0) 151 12 34 56 78` has nine. */
const MAX_GROUPS = 10
const SEPARATORS = new Set([' ', '-', '.', '/', '(', ')', '\u00a0', '\u2009', '\u2010', '\u2011'])
/** Digits that a number has. */
const MIN_DIGITS = 7
const MAX_DIGITS = 19
/** Separators between two groups at most: `) ` and ` (`. */
const MAX_SEPARATORS = 3

const isDigit = (code: number) => code >= 48 && code <= 57

/**
 * Where numbers of one kind lie in a text, in their order.
 *
 * @param isNumber whether neighbouring groups of digits are one such number; `before` is the
 *   character before them
 */
export function numbersIn(
  text: string,
  isNumber: (groups: readonly string[], between: readonly string[], before: string) => boolean,
): Found[] {
  const found: Found[] = []
  for (const run of runsOf(text)) {
    let first = 0
    while (first < run.length) {
      const last = lastOf(run, first, text, isNumber)
      if (last < 0) first++
      else {
        const { from } = run[first]!
        const opens = /[+(]/.test(text[from - 1] ?? '') ? 1 : 0
        found.push({ from: from - opens, to: run[last]!.to })
        first = last + 1
      }
    }
  }
  return found
}

/** The last group of the longest number that begins with a group; -1 where none does. */
function lastOf(
  run: readonly Group[],
  first: number,
  text: string,
  isNumber: Parameters<typeof numbersIn>[1],
): number {
  const before = beforeOf(text, run[first]!.from)
  let last = first
  let digits = run[first]!.to - run[first]!.from
  while (last + 1 < run.length && last + 1 - first < MAX_GROUPS && digits < MAX_DIGITS)
    digits += run[++last]!.to - run[last]!.from
  for (; last >= first && digits >= MIN_DIGITS; digits -= run[last]!.to - run[last--]!.from) {
    // Nobody writes a number digit by digit.
    if (digits > MAX_DIGITS || digits < 2 * (last - first)) continue
    const groups = run.slice(first, last + 1)
    const between = groups.slice(1).map(({ from }, i) => text.slice(groups[i]!.to, from))
    if (
      isNumber(
        groups.map(({ digits }) => digits),
        between,
        before,
      )
    )
      return last
  }
  return -1
}

/** The character before a number, or the one before its parenthesis. */
const beforeOf = (text: string, from: number) =>
  text[from - 1] === '(' && text[from - 2] === '+' ? '+' : (text[from - 1] ?? '')

/** Groups of digits with nothing but separators between them. */
function* runsOf(text: string): Generator<Group[]> {
  let run: Group[] = []
  let at = 0
  while (at < text.length) {
    if (!isDigit(text.charCodeAt(at))) {
      at++
      continue
    }
    const from = at
    while (at < text.length && isDigit(text.charCodeAt(at))) at++
    const previous = run.at(-1)
    if (previous && !isSeparated(text, previous.to, from)) {
      yield run
      run = []
    }
    // Longer ones are no number of ours, whatever their digits.
    run.push({ from, to: at, digits: at - from > 20 ? '' : text.slice(from, at) })
  }
  if (run.length > 0) yield run
}

function isSeparated(text: string, from: number, to: number): boolean {
  if (to - from > MAX_SEPARATORS) return false
  for (let i = from; i < to; i++) if (!SEPARATORS.has(text[i]!)) return false
  return true
}

/** Whether groups of digits are a payment card's number: length and first digits as issued, Luhn. */
export function isCard(
  groups: readonly string[],
  _between: readonly string[] = [],
  before = '',
): boolean {
  const digits = joined(groups)
  return before !== '+' && digits !== undefined && isIssued(digits) && passesLuhn(digits)
}

/** Cards: first digits and lengths that are issued. */
const ISSUED: readonly [RegExp, ReadonlySet<number>][] = [
  [/^4/, new Set([13, 16, 19])],
  [/^(5[1-5]|2[2-7])/, new Set([16])],
  [/^3[47]/, new Set([15])],
  [/^3(0[0-5]|[689])/, new Set([14, 16, 19])],
  [/^35/, new Set([16, 17, 18, 19])],
  [/^(6011|64[4-9]|65|62|50|5[6-9]|6[37]|81)/, new Set([12, 13, 14, 15, 16, 17, 18, 19])],
]

const isIssued = (digits: string) =>
  ISSUED.some(([first, lengths]) => lengths.has(digits.length) && first.test(digits))

function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    const doubled = i % 2 === 1 ? 2 * digit : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/**
 * Whether groups of digits are a telephone number: with `+` or a leading 0, or written in groups as
 * in North America. Dates, decimal numbers and IP addresses are none.
 */
export function isPhone(
  groups: readonly string[],
  between: readonly string[],
  before: string,
): boolean {
  const digits = joined(groups)
  if (digits === undefined || digits.length < 7 || digits.length > 17) return false
  if (/[\p{L}\p{N}_]/u.test(before)) return false
  if (before === '+') return digits.length <= 16
  if (before === '.' || before === ',' || isDate(groups) || isDecimal(groups, between)) return false
  if (digits.startsWith('0')) return digits.length >= 9
  const isNorthAmerican =
    /^1?[2-9]\d{9}$/.test(digits) && (groups.length === 1 || groups.at(-1)!.length === 4)
  if (isNorthAmerican) return true
  return groups.length >= 3 && digits.length >= 9 && isGrouped(groups) && !isAddress(groups)
}

const joined = (groups: readonly string[]) => (groups.includes('') ? undefined : groups.join(''))

/** 2026-01-31 or 31.01.2026, whatever stands behind it. */
const isDate = ([a = '', b = '', c = '']: readonly string[]) =>
  (a.length === 4 && /^(19|20)/.test(a) && b.length === 2 && c.length === 2) ||
  (a.length <= 2 && b.length <= 2 && c.length === 4 && /^(19|20)/.test(c))

const isDecimal = (groups: readonly string[], between: readonly string[]) =>
  groups.length === 2 && between[0] === '.'

/** Groups as people write telephone numbers: none of one digit, and not all of three, as thousands. */
const isGrouped = (groups: readonly string[]) =>
  groups.every((group) => group.length > 1) && groups.slice(1).some(({ length }) => length !== 3)

/** Four numbers to 255 are an IP address. */
const isAddress = (groups: readonly string[]) =>
  groups.length === 4 && groups.every((group) => Number(group) <= 255 && group.length <= 3)
