/** Reads the tests that a condition joins. Pure. */
import { durationMs } from '../../runtime/durations.ts'
import {
  expected,
  isQuoted,
  must,
  numberHere,
  pattern,
  quoted,
  skip,
  take,
  word,
  type Cursor,
} from './tokens.ts'
import {
  CANARY_DECISIONS,
  type CanaryTest,
  type Comparison,
  type ResultTest,
  type ScheduleTest,
  type SilenceTest,
  type Test,
} from './policy-tests.ts'

const WHAT =
  'any(…), all(…), count(…) > N, family.metric < N, labels.new > N, predictions.new > N, schedule("…"), alert("…"), silent(for="…"), canary == worse, not or "("'
const PATH = 'family[.metric[.subject]]'

/**
 * Reads one test.
 *
 * @throws {SyntaxError} with what was expected and where
 */
export function readTest(cursor: Cursor): Test {
  if (word(cursor, 'labels.new')) return { kind: 'labels', above: above(cursor) }
  if (word(cursor, 'predictions.new')) return { kind: 'predictions', above: above(cursor) }
  if (word(cursor, 'schedule')) return scheduleTest(cursor)
  if (word(cursor, 'silent')) return silenceTest(cursor)
  if (word(cursor, 'canary')) return canaryTest(cursor)
  if (word(cursor, 'alert')) {
    must(cursor, '(')
    const name = quoted(cursor)
    must(cursor, ')')
    return { kind: 'alert', name }
  }
  if (word(cursor, 'any')) return { kind: 'verdict', quantifier: 'any', ...verdicts(cursor) }
  if (word(cursor, 'all')) return { kind: 'verdict', quantifier: 'all', ...verdicts(cursor) }
  if (word(cursor, 'count')) {
    const named = verdicts(cursor)
    return { kind: 'count', ...named, ...comparison(cursor) }
  }
  return valueTest(cursor)
}

function above(cursor: Cursor): number {
  must(cursor, '>')
  return numberHere(cursor, /\d+/y, 'a number', 'above')
}

function scheduleTest(cursor: Cursor): ScheduleTest {
  must(cursor, '(')
  const text = pattern(cursor, /"[^"]*"/y, 'a cron expression in double quotes')
  let timezone = 'UTC'
  if (take(cursor, ',')) {
    if (!take(cursor, 'timezone=')) throw expected(cursor, 'timezone="Area/City"')
    timezone = quoted(cursor)
  }
  must(cursor, ')')
  return { kind: 'schedule', cron: text.slice(1, -1), timezone }
}

function silenceTest(cursor: Cursor): SilenceTest {
  must(cursor, '(')
  if (!take(cursor, 'for=')) throw expected(cursor, 'for="2h"')
  const text = quoted(cursor)
  must(cursor, ')')
  try {
    return { kind: 'silence', text, forMs: durationMs(text) }
  } catch (error) {
    throw new SyntaxError((error as Error).message, { cause: error })
  }
}

/** `canary == decision[, version=name]`. */
function canaryTest(cursor: Cursor): CanaryTest {
  must(cursor, '==')
  const decision = pattern(cursor, /\w+/y, CANARY_DECISIONS.join(', '))
  const version = take(cursor, ',') ? canaryVersion(cursor) : undefined
  return { kind: 'canary', decision, version }
}

function canaryVersion(cursor: Cursor): string {
  if (!take(cursor, 'version=')) throw expected(cursor, 'version=name')
  return nameOf(cursor, /[^,)"\s]+/y)
}

/** `(path, level[, option]…)`. */
function verdicts(cursor: Cursor): ResultTest & { level: 'warning' | 'alarm' } {
  must(cursor, '(')
  const named = path(cursor, /[^",]+(?=,)/y)
  must(cursor, ',')
  const level = word(cursor, 'alarm') ? 'alarm' : word(cursor, 'warning') ? 'warning' : undefined
  if (!level) throw expected(cursor, 'warning or alarm')
  const found = options(cursor)
  must(cursor, ')')
  return { ...named, level, ...found }
}

/** `family.metric[.subject] < N[, option]…`. */
function valueTest(cursor: Cursor): Test {
  skip(cursor)
  const start = cursor.at
  if (!/[\p{L}_]/u.test(cursor.text[start] ?? '')) throw expected(cursor, WHAT)
  const { family, metric, subject } = path(cursor, /[^\s",<>()[\]]+/y)
  if (metric === undefined) throw expected({ ...cursor, at: start }, WHAT)
  return { kind: 'value', family, metric, subject, ...comparison(cursor), ...options(cursor) }
}

const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy

function comparison(cursor: Cursor): Comparison {
  const sign = pattern(cursor, /[<>]=?/y, 'a comparison: < N, <= N, > N or >= N')
  const limit = numberHere(cursor, NUMBER, 'a number', 'limit')
  if (!Number.isFinite(limit)) throw new SyntaxError(`${limit} is not a finite number`)
  return { sign: sign as Comparison['sign'], limit }
}

/** Reads `for=N`, `of=M`, `slice=key:value` and `version=…`, each after a comma. */
function options(cursor: Cursor): Pick<ResultTest, 'windows' | 'of' | 'slice' | 'version'> {
  const found: Pick<ResultTest, 'slice' | 'version'> & { windows?: number; of?: number } = {
    slice: undefined,
    version: undefined,
  }
  while (take(cursor, ',')) {
    if (take(cursor, 'for=')) found.windows = windows(cursor, 'for')
    else if (take(cursor, 'of=')) found.of = windows(cursor, 'of')
    else if (take(cursor, 'version=')) found.version = nameOf(cursor, /[^,)"\s]+/y)
    else if (take(cursor, 'slice=')) {
      const key = nameOf(cursor, /[^,):"]+/y)
      if (!take(cursor, ':')) throw expected(cursor, 'slice=key:value')
      found.slice = { key, value: nameOf(cursor, /[^,)"]+/y) }
    } else throw expected(cursor, 'for=N, of=M, slice=key:value or version=name')
  }
  const of = found.of ?? found.windows ?? 1
  return { ...found, windows: found.windows ?? of, of }
}

const windows = (cursor: Cursor, says: 'for' | 'of'): number =>
  numberHere(cursor, /\d+/y, 'a number of windows', says)

/** A name in quotes or as it is. */
const nameOf = (cursor: Cursor, plain: RegExp): string =>
  isQuoted(cursor) ? quoted(cursor) : pattern(cursor, plain, 'a name').trim()

/** `family[.metric[.subject]]`: the subject in quotes, in square brackets, or as it is. */
function path(cursor: Cursor, plain: RegExp): Pick<ResultTest, 'family' | 'metric' | 'subject'> {
  const family = pattern(cursor, /[\w@-]+/y, PATH)
  let metric = take(cursor, '.') ? pattern(cursor, /[\w@*-]+/y, PATH) : undefined
  // A metric of the model file's own: `performance.custom.margin`.
  if (family === 'performance' && metric === 'custom' && take(cursor, '.'))
    metric = `custom.${pattern(cursor, /\w+/y, 'the name of a metric of custom_metrics')}`
  if (metric === undefined) return { family, metric, subject: undefined }
  if (take(cursor, '[')) {
    const subject = isQuoted(cursor)
      ? quoted(cursor)
      : pattern(cursor, /[^\]"]+/y, 'a name in double quotes').trim()
    must(cursor, ']')
    return { family, metric, subject }
  }
  if (!take(cursor, '.')) return { family, metric, subject: undefined }
  const subject = isQuoted(cursor) ? quoted(cursor) : pattern(cursor, plain, PATH).trim()
  return { family, metric, subject }
}
