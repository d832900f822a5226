/**
 * The language of `retrain.when`:
 *
 *     (any|all)(family[.metric[.subject]], warning|alarm[, for=N][, slice=key:value])
 *     labels.new > N        schedule("cron")        … and …, … or …, ( … )
 *
 * `and` binds tighter than `or`. A name with other than word characters may stand in quotes, as a JSON string:
 * `drift.psi["größe/cm"]`, `slice="job: admin":"a, b"`. Pure: what the words are true of is a parameter.
 */
import { validate as isCron } from 'node-cron'
import {
  expected,
  isQuoted,
  must,
  pattern,
  quoted,
  skip,
  take,
  word,
  type Cursor,
} from './policy-tokens.ts'

/** A test of the newest evaluated windows: whether any, or all, of the verdicts it names are as severe. */
export interface VerdictTest {
  kind: 'verdict'
  quantifier: 'any' | 'all'
  family: string
  metric: string | undefined
  subject: string | undefined
  level: 'warning' | 'alarm'
  /** Consecutive windows. */
  windows: number
  slice: { key: string; value: string } | undefined
}
/** A test of how many labels have come since the last run. */
export interface LabelsTest {
  kind: 'labels'
  above: number
}
/** A test that a cron expression makes true. */
export interface ScheduleTest {
  kind: 'schedule'
  cron: string
}
/** A leaf of a condition. */
export type Test = VerdictTest | LabelsTest | ScheduleTest
/** Both conditions hold. */
export interface Both {
  kind: 'and'
  left: Condition
  right: Condition
}
/** One of the conditions holds, or both. */
export interface Either {
  kind: 'or'
  left: Condition
  right: Condition
}
/** A parsed `retrain.when`. */
export type Condition = Test | Both | Either

const LONGEST = 10_000
const DEEPEST = 50

const FAMILIES = ['drift', 'quality', 'performance', 'fairness', 'operations', 'feedback']

/**
 * Parses a condition of at most 10 000 characters, with at most 50 brackets within brackets.
 *
 * @throws {SyntaxError} with what was expected and where
 */
export function parseCondition(text: string): Condition {
  if (text.length > LONGEST) throw new SyntaxError(`a condition has at most ${LONGEST} characters`)
  const cursor: Cursor = { text, at: 0, depth: 0 }
  const condition = either(cursor)
  skip(cursor)
  if (cursor.at < text.length) throw expected(cursor, '"and", "or" or the end')
  return condition
}

function either(cursor: Cursor): Condition {
  let left = both(cursor)
  while (word(cursor, 'or')) left = { kind: 'or', left, right: both(cursor) }
  return left
}

function both(cursor: Cursor): Condition {
  let left = single(cursor)
  while (word(cursor, 'and')) left = { kind: 'and', left, right: single(cursor) }
  return left
}

function single(cursor: Cursor): Condition {
  if (take(cursor, '(')) return bracketed(cursor)
  if (word(cursor, 'labels.new')) {
    must(cursor, '>')
    return { kind: 'labels', above: Number(pattern(cursor, /\d+/y, 'a number')) }
  }
  if (word(cursor, 'schedule')) return scheduleTest(cursor)
  return verdictTest(cursor)
}

/** What stands after an opening bracket, up to its end. */
function bracketed(cursor: Cursor): Condition {
  if (++cursor.depth > DEEPEST)
    throw new SyntaxError(`a condition has at most ${DEEPEST} brackets within brackets`)
  const inner = either(cursor)
  must(cursor, ')')
  cursor.depth--
  return inner
}

function scheduleTest(cursor: Cursor): ScheduleTest {
  must(cursor, '(')
  const text = pattern(cursor, /"[^"]*"/y, 'a cron expression in double quotes')
  const cron = text.slice(1, -1)
  if (!isCron(cron)) throw new SyntaxError(`"${cron}" is not a cron expression`)
  must(cursor, ')')
  return { kind: 'schedule', cron }
}

function verdictTest(cursor: Cursor): VerdictTest {
  const quantifier = word(cursor, 'any') ? 'any' : word(cursor, 'all') ? 'all' : undefined
  if (!quantifier) throw expected(cursor, 'any(…), all(…), labels.new > N, schedule("…") or "("')
  must(cursor, '(')
  const { family, metric, subject } = path(cursor)
  must(cursor, ',')
  const level = word(cursor, 'alarm') ? 'alarm' : word(cursor, 'warning') ? 'warning' : undefined
  if (!level) throw expected(cursor, 'warning or alarm')
  const test: VerdictTest = {
    kind: 'verdict',
    quantifier,
    family,
    metric,
    subject,
    level,
    windows: 1,
    slice: undefined,
  }
  while (take(cursor, ',')) verdictOption(cursor, test)
  must(cursor, ')')
  return test
}

/** Reads `for=N` or `slice=key:value` into the test. */
function verdictOption(cursor: Cursor, test: VerdictTest): void {
  if (take(cursor, 'for='))
    test.windows = Math.max(1, Number(pattern(cursor, /\d+/y, 'a number of windows')))
  else if (take(cursor, 'slice=')) {
    const key = nameOf(cursor, /[^,):"]+/y)
    if (!take(cursor, ':')) throw expected(cursor, 'slice=key:value')
    test.slice = { key, value: nameOf(cursor, /[^,)"]+/y) }
  } else throw expected(cursor, 'for=N or slice=key:value')
}

/** A key or a value of a slice, in quotes or as it is. */
const nameOf = (cursor: Cursor, plain: RegExp): string =>
  isQuoted(cursor) ? quoted(cursor) : pattern(cursor, plain, 'key:value').trim()

/** `family[.metric[.subject]]`: the subject in quotes, `["…"]`, or as it is up to the comma. */
function path(cursor: Cursor): Pick<VerdictTest, 'family' | 'metric' | 'subject'> {
  const what = 'family[.metric[.subject]]'
  const family = pattern(cursor, /[\w@-]+/y, what)
  if (!FAMILIES.includes(family))
    throw new SyntaxError(`"${family}" is not one of ${FAMILIES.join(', ')}`)
  const metric = take(cursor, '.') ? pattern(cursor, /[\w@*-]+/y, what) : undefined
  if (metric === undefined) return { family, metric, subject: undefined }
  if (take(cursor, '[')) {
    const subject = quoted(cursor)
    must(cursor, ']')
    return { family, metric, subject }
  }
  if (!take(cursor, '.')) return { family, metric, subject: undefined }
  const subject = isQuoted(cursor) ? quoted(cursor) : pattern(cursor, /[^",]+(?=,)/y, what).trim()
  return { family, metric, subject }
}

/** Every test in a condition, left to right. */
export function testsOf(condition: Condition): Test[] {
  return condition.kind === 'and' || condition.kind === 'or'
    ? [...testsOf(condition.left), ...testsOf(condition.right)]
    : [condition]
}

/** Whether a condition holds, given which tests are true; the right side is asked only where it matters. */
export function holds(condition: Condition, isTrue: (test: Test) => boolean): boolean {
  if (condition.kind === 'and')
    return holds(condition.left, isTrue) && holds(condition.right, isTrue)
  if (condition.kind === 'or')
    return holds(condition.left, isTrue) || holds(condition.right, isTrue)
  return isTrue(condition)
}
