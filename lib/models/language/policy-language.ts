/**
 * The language of `retrain.when`:
 *
 *     (any|all)(family[.metric[.subject]], warning|alarm[, option]…)      count(…) >= N
 *     family.metric[.subject] < N[, option]…      labels.new > N      predictions.new > N
 *     schedule("cron"[, timezone="Area/City"])    alert("name")       silent(for="2h")
 *     canary == better|worse|undecided|invalid[, version=name]
 *     … and …, … or …, not …, ( … )
 *
 * Options are `for=N`, `of=M`, `slice=key:value` and `version=name`. `not` binds tightest, then
 * `and`. A name with other than word characters may stand in quotes, as a JSON string:
 * `drift.psi["größe/cm"]`, `slice="job: admin":"a, b"`. Pure: what the words are true of is a
 * parameter.
 */
import { parseLogic, type Language } from './logic.ts'
import { readTest } from './policy-leaves.ts'
import type { Condition, Test } from './policy-tests.ts'
import type { NumberAt } from './tokens.ts'

const LANGUAGE: Language<Test> = {
  name: 'a condition',
  maxLength: 10_000,
  maxDepth: 50,
  leaf: readTest,
}

/**
 * Parses a condition of at most 10 000 characters, with at most 50 brackets within brackets.
 * Whether it can ever be true is asked of
 * `conditionProblems`.
 *
 * @throws {SyntaxError} with what was expected and where
 */
export function parseCondition(text: string): Condition {
  return parseLogic(text, LANGUAGE)
}

/** A number of a condition that may be another, and the test that it is of. */
export interface ConditionNumber extends NumberAt {
  test: Test
  /** The test as it is written. */
  text: string
}

/**
 * Finds the numbers of a condition, from left to right.
 *
 * @throws {SyntaxError} as {@link parseCondition}
 */
export function numbersOf(text: string): ConditionNumber[] {
  const found: ConditionNumber[] = []
  parseLogic(text, {
    ...LANGUAGE,
    leaf: (cursor) => {
      const [start, numbers] = [cursor.at, [] as NumberAt[]]
      const test = readTest(Object.assign(cursor, { numbers }))
      const written = text.slice(start, cursor.at).trim()
      for (const one of numbers) found.push({ ...one, test, text: written })
      return test
    },
  })
  return found
}

/** What a test, or a condition of tests, comes to. */
export interface Truth {
  holds: boolean
  /**
   * Whether it is decided by a test of what is asked about now, and not by what stood before alone.
   */
  isNews: boolean
  /** What is true, for people; empty where nothing is. */
  reasons: readonly string[]
}

/** Whether a condition holds, and by what, given the same of its tests. */
export function truthOf(condition: Condition, ask: (test: Test) => Truth): Truth {
  if (condition.kind === 'not') {
    const { holds, isNews } = truthOf(condition.inner, ask)
    return { holds: !holds, isNews, reasons: [] }
  }
  if (condition.kind !== 'and' && condition.kind !== 'or') return ask(condition)
  const sides = [truthOf(condition.left, ask), truthOf(condition.right, ask)]
  const holds =
    condition.kind === 'and' ? sides.every((side) => side.holds) : sides.some((side) => side.holds)
  const deciding = holds ? sides.filter((side) => side.holds) : sides
  return {
    holds,
    isNews: deciding.some(({ isNews }) => isNews),
    reasons: holds ? deciding.flatMap(({ reasons }) => reasons) : [],
  }
}
