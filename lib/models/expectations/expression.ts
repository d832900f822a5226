/**
 * The language of `expectations.expression`: a condition on the features of one event.
 *
 *     paid <= 1.2 * amount          country = 'DE' and vat_id is not missing
 *     kind in ('a', 'b')            iban matches '^[A-Z]{2}'       abs(a - b) < 0.01
 *     length("full name") <= 100    days is integer                @score >= 0 and @score <= 1
 *
 * A name in double quotes is a JSON string; a text stands in single quotes, one in it twice. `not`
 * binds tightest, then `and`. What names a missing value is neither true nor false. Pure.
 */
import { OWN_NUMBERS } from '../../events/subjects.ts'
import { didYouMean } from '../../runtime/nearest-name.ts'
import { expected, isQuoted, must, pattern, quoted } from '../language/tokens.ts'
import { singleQuoted, skip, take, word, type Cursor } from '../language/tokens.ts'
import { parsePattern, type Pattern } from './pattern.ts'

/** A value that stands in the text. */
export type Literal = number | string | boolean
/** What a value can be. */
export type ValueKind = 'number' | 'integer' | 'text' | 'boolean'
/** A comparison. */
export type Sign = '<' | '<=' | '>' | '>=' | '=' | '!='

/** A feature, or a number of the model's own by the field of an event that holds it. */
export type Name =
  { kind: 'feature'; name: string } | { kind: 'own'; field: (typeof OWN_NUMBERS)[number]['field'] }

/** What is compared. */
export type Value =
  | Name
  | { kind: 'literal'; value: Literal }
  | { kind: 'arithmetic'; sign: '+' | '-' | '*' | '/'; left: Value; right: Value }
  | { kind: 'call'; of: 'abs' | 'length'; inner: Value }

/** What is true, false, or unknown for lack of a value. */
export type Check =
  | { kind: 'compare'; sign: Sign; left: Value; right: Value }
  | { kind: 'in'; inner: Value; values: readonly Literal[] }
  | { kind: 'matches'; inner: Name; pattern: Pattern }
  | { kind: 'is'; inner: Name; what: ValueKind }
  | { kind: 'missing'; inner: Name }
  | { kind: 'and' | 'or'; left: Check; right: Check }
  | { kind: 'not'; inner: Check }

type Parsed = Value | Check

const MAX_LENGTH = 2000
const MAX_DEPTH = 20
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy
const NAME = /@?[\p{L}_][\p{L}\p{N}_]*/uy
const OWN = OWN_NUMBERS.map(({ subject }) => subject as string)
const WORDS = new Set('and or not in is matches missing true false'.split(' '))
const CHECKS = new Set('compare in matches is missing and or not'.split(' '))

/**
 * Parses a condition of at most 2000 characters that names a feature at least.
 *
 * @throws {SyntaxError} with what was expected and where
 */
export function parseExpression(text: string): Check {
  if (text.length > MAX_LENGTH)
    throw new SyntaxError(`an expression has at most ${MAX_LENGTH} characters`)
  const cursor: Cursor = { text, at: 0, depth: 0 }
  const found = check(cursor, either(cursor))
  skip(cursor)
  if (cursor.at < text.length) throw expected(cursor, '"and", "or" or the end')
  if (namesOf(found).length === 0) throw new SyntaxError(`no feature is named in: ${text}`)
  return found
}

/** Names that an expression asks for, each once, in the order in which they stand. */
export function namesOf(of: Parsed): Name[] {
  const found = new Map<string, Name>()
  const open: Parsed[] = [of]
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.kind === 'feature') found.set(`f${next.name}`, next)
    else if (next.kind === 'own') found.set(`o${next.field}`, next)
    else if ('left' in next) open.push(next.right, next.left)
    else if ('inner' in next) open.push(next.inner)
  }
  return [...found.values()]
}

function either(cursor: Cursor): Parsed {
  let left = both(cursor)
  while (word(cursor, 'or'))
    left = { kind: 'or', left: check(cursor, left), right: check(cursor, both(cursor)) }
  return left
}

function both(cursor: Cursor): Parsed {
  let left = negated(cursor)
  while (word(cursor, 'and'))
    left = { kind: 'and', left: check(cursor, left), right: check(cursor, negated(cursor)) }
  return left
}

function negated(cursor: Cursor): Parsed {
  if (!word(cursor, 'not')) return test(cursor)
  return { kind: 'not', inner: check(cursor, deeper(cursor, negated)) }
}

function deeper<T>(cursor: Cursor, read: (cursor: Cursor) => T): T {
  if (++cursor.depth > MAX_DEPTH)
    throw new SyntaxError(`an expression has at most ${MAX_DEPTH} brackets within brackets`)
  const inner = read(cursor)
  cursor.depth--
  return inner
}

function test(cursor: Cursor): Parsed {
  const left = sum(cursor)
  skip(cursor)
  const sign = /<=|>=|!=|==?|<|>/y
  sign.lastIndex = cursor.at
  const found = sign.exec(cursor.text)?.[0]
  if (found) {
    cursor.at += found.length
    const right = value(cursor, sum(cursor))
    return comparison(cursor, found === '==' ? '=' : (found as Sign), [value(cursor, left), right])
  }
  if (word(cursor, 'is')) return kindTest(cursor, name(cursor, left))
  if (word(cursor, 'matches')) return matching(cursor, name(cursor, left))
  const isNot = word(cursor, 'not')
  if (word(cursor, 'in')) {
    const inner: Check = { kind: 'in', inner: value(cursor, left), values: list(cursor) }
    return isNot ? { kind: 'not', inner } : inner
  }
  if (isNot) throw expected(cursor, '"in"')
  return left
}

/** @throws {SyntaxError} where the two sides can never be compared */
function comparison(cursor: Cursor, sign: Sign, [left, right]: readonly [Value, Value]): Check {
  const [a, b] = [staticKind(left), staticKind(right)]
  if (a !== 'any' && b !== 'any' && a !== b)
    throw new SyntaxError(`a ${a} is compared with a ${b} in: ${cursor.text}`)
  if (sign !== '=' && sign !== '!=' && (a === 'boolean' || b === 'boolean'))
    throw new SyntaxError(`${sign} compares no booleans in: ${cursor.text}`)
  return { kind: 'compare', sign, left, right }
}

/** What a value is for sure; `any` of a feature. */
export function staticKind(of: Value): 'number' | 'text' | 'boolean' | 'any' {
  if (of.kind === 'feature') return 'any'
  if (of.kind !== 'literal' || typeof of.value === 'number') return 'number'
  return typeof of.value === 'string' ? 'text' : 'boolean'
}

const matching = (cursor: Cursor, inner: Name): Check => ({
  kind: 'matches',
  inner,
  pattern: parsePattern(singleQuoted(cursor)),
})

function kindTest(cursor: Cursor, inner: Name): Check {
  const isNot = word(cursor, 'not')
  const found = (['missing', 'number', 'integer', 'text', 'boolean'] as const).find((one) =>
    word(cursor, one),
  )
  if (!found) throw expected(cursor, 'missing, number, integer, text or boolean')
  const is: Check =
    found === 'missing' ? { kind: 'missing', inner } : { kind: 'is', inner, what: found }
  return isNot ? { kind: 'not', inner: is } : is
}

function sum(cursor: Cursor): Parsed {
  let left = product(cursor)
  for (;;) {
    const sign = take(cursor, '+') ? '+' : take(cursor, '-') ? '-' : undefined
    if (!sign) return left
    left = arithmetic(cursor, sign, [left, product(cursor)])
  }
}

function product(cursor: Cursor): Parsed {
  let left = signed(cursor)
  for (;;) {
    const sign = take(cursor, '*') ? '*' : take(cursor, '/') ? '/' : undefined
    if (!sign) return left
    left = arithmetic(cursor, sign, [left, signed(cursor)])
  }
}

const arithmetic = (
  cursor: Cursor,
  sign: '+' | '-' | '*' | '/',
  [left, right]: readonly [Parsed, Parsed],
): Value => ({
  kind: 'arithmetic',
  sign,
  left: numeric(cursor, left),
  right: numeric(cursor, right),
})

function numeric(cursor: Cursor, of: Parsed): Value {
  const found = value(cursor, of)
  if (['text', 'boolean'].includes(staticKind(found)))
    throw new SyntaxError(`only numbers are added or multiplied in: ${cursor.text}`)
  return found
}

function signed(cursor: Cursor): Parsed {
  if (!take(cursor, '-')) return primary(cursor)
  const of = deeper(cursor, signed)
  if (of.kind === 'literal' && typeof of.value === 'number')
    return { kind: 'literal', value: -of.value }
  return arithmetic(cursor, '*', [{ kind: 'literal', value: -1 }, of])
}

function primary(cursor: Cursor): Parsed {
  if (take(cursor, '(')) {
    const inner = deeper(cursor, either)
    must(cursor, ')')
    return inner
  }
  for (const called of ['abs', 'length'] as const) {
    const { at } = cursor
    if (word(cursor, called) && take(cursor, '(')) return call(cursor, called)
    cursor.at = at
  }
  if (isQuoted(cursor)) return { kind: 'feature', name: quoted(cursor) }
  const literal = literalOf(cursor)
  if (literal !== undefined) return { kind: 'literal', value: literal }
  const found = pattern(cursor, NAME, 'a feature, a number or a text')
  if (WORDS.has(found)) {
    cursor.at -= found.length
    throw expected(cursor, 'a feature (a name such as this in double quotes), a number or a text')
  }
  return nameOf(found)
}

function call(cursor: Cursor, of: 'abs' | 'length'): Value {
  const inner = deeper(cursor, sum)
  must(cursor, ')')
  if (of === 'abs') return { kind: 'call', of, inner: numeric(cursor, inner) }
  if (inner.kind !== 'feature') throw new SyntaxError(`length() is of a feature in: ${cursor.text}`)
  return { kind: 'call', of, inner }
}

/** The name as the model file has it: a feature, or one of the model's own numbers. */
export function nameOf(text: string): Name {
  if (!text.startsWith('@')) return { kind: 'feature', name: text }
  const own = OWN_NUMBERS.find(({ subject }) => subject === text)
  if (own) return { kind: 'own', field: own.field }
  throw new SyntaxError(
    `${text} is no number of a model's own${didYouMean(text, OWN)} (a feature of that name stands in double quotes)`,
  )
}

/** A number, a text, true or false, where one comes next. */
function literalOf(cursor: Cursor): Literal | undefined {
  skip(cursor)
  if (word(cursor, 'true')) return true
  if (word(cursor, 'false')) return false
  const first = cursor.text[cursor.at] ?? ''
  if (first === "'") return singleQuoted(cursor)
  if (!/[\d.]/.test(first)) return undefined
  const found = Number(pattern(cursor, NUMBER, 'a number'))
  if (!Number.isFinite(found)) throw new SyntaxError(`a number is too large in: ${cursor.text}`)
  return found
}

function list(cursor: Cursor): Literal[] {
  must(cursor, '(')
  const values: Literal[] = []
  do {
    const isNegative = take(cursor, '-')
    const found = literalOf(cursor)
    if (found === undefined || (isNegative && typeof found !== 'number'))
      throw expected(cursor, 'a number, a text in single quotes, true or false')
    values.push(isNegative ? -(found as number) : found)
  } while (take(cursor, ','))
  must(cursor, ')')
  return values
}

const isCheck = (of: Parsed): of is Check => CHECKS.has(of.kind)

function check(cursor: Cursor, of: Parsed): Check {
  if (isCheck(of)) return of
  throw expected(cursor, 'a comparison, such as `paid <= amount` or `flag = true`,')
}

function value(cursor: Cursor, of: Parsed): Value {
  if (!isCheck(of)) return of
  throw new SyntaxError(`a condition stands where a value is expected in: ${cursor.text}`)
}

function name(cursor: Cursor, of: Parsed): Name {
  if (of.kind === 'feature' || of.kind === 'own') return of
  throw expected(cursor, 'a name before this')
}
