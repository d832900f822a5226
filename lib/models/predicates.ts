/**
 * The language of `cohorts.where`, which says of one prediction whether it belongs to a cohort:
 *
 *     amount > 1000 and country = 'DE'        channel in ('web', 'app') or not (age >= 18)
 *     "größe/cm" is missing                   @score >= 0.9 and retried = true
 *
 * A name is an attribute, or without one a feature; `@` names what the model itself answered. A
 * comparison with a missing value never holds, so `not` of it does. `not` binds tightest, then
 * `and`. Pure: nothing of the text goes into SQL.
 */
import { didYouMean } from '../runtime/nearest-name.ts'
import { parseLogic, testsOf, type Language, type Logic } from './language/logic.ts'
import {
  expected,
  isQuoted,
  must,
  pattern,
  quoted,
  singleQuoted,
  skip,
  take,
  word,
  type Cursor,
} from './language/tokens.ts'

const MAX_TESTS = 50
const MAX_LISTED = 100
const MAX_NAME = 200

/** What a prediction is compared with. */
export type Literal = number | string | boolean
/** How a value is compared with a literal. */
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='

/** One question about one value of a prediction. */
export type PredicateTest =
  | { kind: 'compare'; name: string; comparison: Comparison; literal: Literal }
  /** All of one type. */
  | { kind: 'in'; name: string; literals: readonly Literal[] }
  | { kind: 'missing'; name: string }

/** A predicate as a tree. */
export type Predicate = Logic<PredicateTest>

/** What of a prediction, besides attributes and features, a predicate may name. */
const OWN_NAMES: readonly string[] = [
  '@score',
  '@prediction',
  '@latency_ms',
  '@time_to_first_token_ms',
  '@producer',
  '@model_version',
  '@variant',
]

const COMPARISONS: readonly Comparison[] = ['!=', '<=', '>=', '=', '<', '>']
const NAME = /@?[\p{L}_][\p{L}\p{N}_.]*/uy
const NUMBER = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y
const WORDS = new Set(['and', 'or', 'not', 'in', 'is'])
const LANGUAGE: Language<PredicateTest> = {
  name: 'a predicate',
  maxLength: 1000,
  maxDepth: 20,
  leaf: test,
}

/**
 * Parses a predicate of at most 1 000 characters, 50 comparisons and 20 brackets within brackets.
 *
 * @throws {SyntaxError} with what was expected and where
 */
export function parsePredicate(text: string): Predicate {
  const found = parseLogic(text, LANGUAGE)
  if (testsOf(found).length > MAX_TESTS)
    throw new SyntaxError(`a predicate has at most ${MAX_TESTS} comparisons`)
  return found
}

function test(cursor: Cursor): PredicateTest {
  const name = nameOf(cursor)
  if (word(cursor, 'is')) {
    if (!word(cursor, 'missing')) throw expected(cursor, '"missing"')
    return { kind: 'missing', name }
  }
  if (word(cursor, 'in')) return { kind: 'in', name, literals: literals(cursor) }
  const comparison = COMPARISONS.find((one) => take(cursor, one))
  if (!comparison) throw expected(cursor, `one of ${COMPARISONS.join(' ')}, "in" or "is missing"`)
  const value = literal(cursor)
  if (typeof value === 'boolean' && comparison !== '=' && comparison !== '!=')
    throw new SyntaxError(`${name} ${comparison} ${value}: true and false have no order`)
  return { kind: 'compare', name, comparison, literal: value }
}

function nameOf(cursor: Cursor): string {
  if (isQuoted(cursor)) {
    const name = quoted(cursor)
    if (name === '' || name.length > MAX_NAME)
      throw new SyntaxError(`a name has 1 to ${MAX_NAME} characters`)
    return name
  }
  const before = cursor.at
  const name = pattern(cursor, NAME, 'the name of an attribute or a feature')
  if (WORDS.has(name)) {
    cursor.at = before
    throw expected(cursor, 'the name of an attribute or a feature')
  }
  if (name.startsWith('@') && !OWN_NAMES.includes(name))
    throw new SyntaxError(
      `${name} is none of ${OWN_NAMES.join(', ')}${didYouMean(name, OWN_NAMES)}`,
    )
  return name
}

function literals(cursor: Cursor): Literal[] {
  must(cursor, '(')
  const found = [literal(cursor)]
  while (take(cursor, ',')) found.push(literal(cursor))
  must(cursor, ')')
  if (found.length > MAX_LISTED) throw new SyntaxError(`a list has at most ${MAX_LISTED} values`)
  if (new Set(found.map((one) => typeof one)).size > 1)
    throw new SyntaxError('the values of a list are all numbers or all texts')
  return found
}

function literal(cursor: Cursor): Literal {
  if (word(cursor, 'true')) return true
  if (word(cursor, 'false')) return false
  skip(cursor)
  if (cursor.text[cursor.at] === "'") return singleQuoted(cursor)
  return Number(pattern(cursor, NUMBER, "a number, 'a text', true or false"))
}
