/**
 * The language of `retrain.accept`, what a candidate must reach:
 *
 *     family.metric >= N      family.metric >= current [+ N | - N | * N]      (also <, <=, >)
 *
 * `current` is the version that serves, by the same events. Pure.
 */
import { METRICS, worseSide } from '../metric-names.ts'
import { didYouMean } from '../../runtime/nearest-name.ts'
import { expected, pattern, skip, take, word, type Cursor } from '../language/tokens.ts'
import type { Comparison } from '../language/policy-tests.ts'

/** One thing that a candidate must reach. */
export interface Requirement {
  /** As the model file has it. */
  text: string
  /** As `family.metric`. */
  metric: string
  sign: Comparison['sign']
  /** The line is `current * factor + offset`; a fixed line has the factor 0. */
  factor: number
  offset: number
}

/** Metrics that the shadow predictions of a candidate tell. */
export const SHADOW_METRICS: ReadonlySet<string> = new Set([
  ...'accuracy precision recall f1 log_loss brier roc_auc mae rmse r2'
    .split(' ')
    .map((name) => `performance.${name}`),
  ...'error_ratio latency_p50_ms latency_p95_ms latency_p99_ms time_to_first_token_p50_ms time_to_first_token_p95_ms time_to_first_token_p99_ms cost_usd'
    .split(' ')
    .map((name) => `operations.${name}`),
])

const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy

/**
 * Parses one requirement.
 *
 * @throws {SyntaxError} with what was expected and where
 * @example parseRequirement('performance.mae <= current * 1.05').factor // => 1.05
 */
export function parseRequirement(text: string): Requirement {
  const cursor: Cursor = { text, at: 0, depth: 0 }
  const metric = pattern(cursor, /[a-z]+\.[\w@]+(?:\.\w+)?/y, 'family.metric')
  const sign = pattern(cursor, /[<>]=?/y, 'a comparison: < , <= , > or >=') as Requirement['sign']
  const line = word(cursor, 'current') ? relative(cursor) : fixed(numberOf(cursor))
  skip(cursor)
  if (cursor.at < text.length) throw expected(cursor, 'the end')
  return { text, metric, sign, ...line }
}

const fixed = (offset: number) => ({ factor: 0, offset })

function relative(cursor: Cursor): Pick<Requirement, 'factor' | 'offset'> {
  if (take(cursor, '*')) return { factor: numberOf(cursor), offset: 0 }
  if (take(cursor, '+')) return { factor: 1, offset: numberOf(cursor) }
  if (take(cursor, '-')) return { factor: 1, offset: -numberOf(cursor) }
  return { factor: 1, offset: 0 }
}

function numberOf(cursor: Cursor): number {
  const value = Number(pattern(cursor, NUMBER, 'a number or current'))
  if (!Number.isFinite(value)) throw new SyntaxError(`${value} is not a finite number`)
  return value
}

/**
 * Every problem of one requirement as a sentence, with the nearest right name where there is one.
 *
 * @param evidence what may tell the metric: of `reported` ones any name may come
 */
export function requirementProblems(
  text: string,
  evidence: 'any' | 'shadow' | 'reported',
): string[] {
  let found: Requirement
  try {
    found = parseRequirement(text)
  } catch (error) {
    return [(error as Error).message]
  }
  const [family = '', ...rest] = found.metric.split('.')
  const known = METRICS[family]
  const name = rest.join('.')
  if (!known)
    return [
      `"${family}" is not one of ${Object.keys(METRICS).join(', ')}${didYouMean(family, Object.keys(METRICS))}`,
    ]
  const side = worseSide(family, name)
  if (side === undefined)
    return [`${family} has no metric ${name}${didYouMean(name, known.keys())}`]
  const problems: string[] = []
  const isFloor = found.sign === '>' || found.sign === '>='
  if (side === (isFloor ? 'higher' : 'lower'))
    problems.push(
      `${found.metric} gets worse the ${side} it is, so ${found.sign} would ask for a bad candidate: write ${isFloor ? '<=' : '>='}`,
    )
  if (evidence === 'shadow' && !SHADOW_METRICS.has(found.metric))
    problems.push(
      `${found.metric} is not told by shadow predictions, and evidence: shadow takes no reported one; those that are: ${[...SHADOW_METRICS].join(', ')}`,
    )
  return problems
}
