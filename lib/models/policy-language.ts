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
export interface LabelsTest {
  kind: 'labels'
  above: number
}
export interface ScheduleTest {
  kind: 'schedule'
  cron: string
}
export type Test = VerdictTest | LabelsTest | ScheduleTest
export interface Both {
  kind: 'and'
  left: Condition
  right: Condition
}
export interface Either {
  kind: 'or'
  left: Condition
  right: Condition
}
export type Condition = Test | Both | Either

const LONGEST = 10_000
const DEEPEST = 50
const QUOTED = /"(?:[^"\\]|\\.)*"/y

const FAMILIES = ['drift', 'quality', 'performance', 'fairness', 'operations', 'feedback']

/** @throws {SyntaxError} with what was expected and where */
export function parseCondition(text: string): Condition {
  let at = 0
  let depth = 0
  if (text.length > LONGEST) throw new SyntaxError(`a condition has at most ${LONGEST} characters`)
  const condition = either()
  skip()
  if (at < text.length) throw expected('"and", "or" or the end')
  return condition

  function either(): Condition {
    let left = both()
    while (word('or')) left = { kind: 'or', left, right: both() }
    return left
  }

  function both(): Condition {
    let left = single()
    while (word('and')) left = { kind: 'and', left, right: single() }
    return left
  }

  function single(): Condition {
    if (take('(')) {
      if (++depth > DEEPEST)
        throw new SyntaxError(`a condition has at most ${DEEPEST} brackets within brackets`)
      const inner = either()
      must(')')
      depth--
      return inner
    }
    if (word('labels.new')) {
      must('>')
      return { kind: 'labels', above: Number(pattern(/\d+/y, 'a number')) }
    }
    if (word('schedule')) {
      must('(')
      const cron = pattern(/"[^"]*"/y, 'a cron expression in double quotes').slice(1, -1)
      if (!isCron(cron)) throw new SyntaxError(`"${cron}" is not a cron expression`)
      must(')')
      return { kind: 'schedule', cron }
    }
    return verdictTest()
  }

  function verdictTest(): VerdictTest {
    const quantifier = word('any') ? 'any' : word('all') ? 'all' : undefined
    if (!quantifier) throw expected('any(…), all(…), labels.new > N, schedule("…") or "("')
    must('(')
    const { family, metric, subject } = path()
    must(',')
    const level = word('alarm') ? 'alarm' : word('warning') ? 'warning' : undefined
    if (!level) throw expected('warning or alarm')
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
    while (take(',')) {
      if (take('for=')) test.windows = Math.max(1, Number(pattern(/\d+/y, 'a number of windows')))
      else if (take('slice=')) {
        const key = isQuoted() ? quoted() : pattern(/[^,):"]+/y, 'key:value').trim()
        if (!take(':')) throw expected('slice=key:value')
        const value = isQuoted() ? quoted() : pattern(/[^,)"]+/y, 'key:value').trim()
        test.slice = { key, value }
      } else throw expected('for=N or slice=key:value')
    }
    must(')')
    return test
  }

  /** `family[.metric[.subject]]`: the subject in quotes, `["…"]`, or as it is up to the comma. */
  function path(): Pick<VerdictTest, 'family' | 'metric' | 'subject'> {
    const what = 'family[.metric[.subject]]'
    const family = pattern(/[\w@-]+/y, what)
    if (!FAMILIES.includes(family))
      throw new SyntaxError(`"${family}" is not one of ${FAMILIES.join(', ')}`)
    const metric = take('.') ? pattern(/[\w@*-]+/y, what) : undefined
    if (metric === undefined) return { family, metric, subject: undefined }
    if (take('[')) {
      const subject = quoted()
      must(']')
      return { family, metric, subject }
    }
    if (!take('.')) return { family, metric, subject: undefined }
    const subject = isQuoted() ? quoted() : pattern(/[^",]+(?=,)/y, what).trim()
    return { family, metric, subject }
  }

  function isQuoted(): boolean {
    skip()
    return text[at] === '"'
  }
  function quoted(): string {
    const name = pattern(QUOTED, 'a name in double quotes')
    try {
      return JSON.parse(name) as string
    } catch {
      throw new SyntaxError(
        `${name} is not a name in double quotes: write \\" and \\\\ for " and \\`,
      )
    }
  }
  function skip() {
    while (/\s/.test(text[at] ?? '')) at++
  }
  function take(token: string): boolean {
    skip()
    if (!text.startsWith(token, at)) return false
    at += token.length
    return true
  }
  function word(token: string): boolean {
    skip()
    if (!text.startsWith(token, at) || /[\w.]/.test(text[at + token.length] ?? '')) return false
    at += token.length
    return true
  }
  function must(token: string) {
    if (!take(token)) throw expected(`"${token}"`)
  }
  function pattern(regex: RegExp, what: string): string {
    skip()
    regex.lastIndex = at
    const found = regex.exec(text)
    if (!found) throw expected(what)
    at += found[0].length
    return found[0]
  }
  function expected(what: string): SyntaxError {
    return new SyntaxError(`expected ${what} at position ${at + 1} of: ${text}`)
  }
}

/** Every test in a condition, left to right. */
export function testsOf(condition: Condition): Test[] {
  return condition.kind === 'and' || condition.kind === 'or'
    ? [...testsOf(condition.left), ...testsOf(condition.right)]
    : [condition]
}

export function holds(condition: Condition, isTrue: (test: Test) => boolean): boolean {
  if (condition.kind === 'and')
    return holds(condition.left, isTrue) && holds(condition.right, isTrue)
  if (condition.kind === 'or')
    return holds(condition.left, isTrue) || holds(condition.right, isTrue)
  return isTrue(condition)
}
