/** The rules of `expectations`, as a model file declares them. Pure. */
import type { ModelExpectation } from '../../../schemas/model-expectations.ts'
import { textProblem } from '../../events/text-rules.ts'
import { durationMs } from '../../runtime/durations.ts'
import { didYouMean } from '../../runtime/nearest-name.ts'
import {
  nameOf,
  namesOf,
  parseExpression,
  type Check,
  type Name,
  type Sign,
  type Value,
} from './expression.ts'
import { parsePattern } from './pattern.ts'
import { sentenceOf } from './sentences.ts'

/** How a number goes on from event to event. */
export interface Monotone {
  kind: 'monotone'
  feature: string
  /** What is true of each number and the one before it. */
  sign: Sign
  /** What parts series from each other; undefined: all events are one. */
  per: Name | { kind: 'id'; column: SeriesColumn } | undefined
}

/** Columns of a prediction that series may be of. */
export type SeriesColumn = 'subject_id' | 'group_id' | 'trace_id' | 'producer'

/** What a rule asks: of one event, of its arrival, or of events one after another. */
export type Question =
  { kind: 'event'; holds: Check } | { kind: 'freshness'; withinMs: number } | Monotone

/** One rule, with every default filled in. */
export interface ExpectationRule {
  /** The subject of its metric. */
  name: string
  asks: Question
  /** What must be so, as a sentence: `amount is a number from 0 to 100`. */
  says: string
  /** Share of violations up to which a window is ok. */
  tolerance: number
  severity: 'alarm' | 'warning'
  /** Whether an event that violates it is refused. */
  rejects: boolean
}

const SERIES: readonly SeriesColumn[] = ['subject_id', 'group_id', 'trace_id', 'producer']
const SERIES_NAMES = SERIES.map((column) => `@${column}`)
const SIGNS = {
  increasing: '>=',
  strictly_increasing: '>',
  decreasing: '<=',
  strictly_decreasing: '<',
} as const
/** What is said of a feature's own values. */
const OF_VALUES = [
  'type',
  'required',
  'min',
  'max',
  'above',
  'below',
  'one_of',
  'pattern',
  'min_length',
  'max_length',
] as const
/** All texts of the rules together: they travel with each question to ClickHouse. */
const MAX_TEXT = 100_000
/** Each of these is a statement of its own, which sorts its window. */
const MAX_MONOTONE = 10

/**
 * Reads the section `expectations` of a model file.
 *
 * @returns the rules, and every problem as a sentence that begins with its path
 */
export function readExpectations(
  given: readonly ModelExpectation[],
  features: readonly string[],
): { rules: ExpectationRule[]; problems: string[] } {
  const rules: ExpectationRule[] = []
  const problems: string[] = []
  for (const [i, one] of given.entries()) {
    const path = `expectations.${one.name ?? one.feature ?? i}`
    try {
      const rule = readRule(one)
      for (const problem of problemsOf(one, rule, features)) problems.push(`${path}: ${problem}`)
      if (rules.some(({ name }) => name === rule.name))
        problems.push(`${path}: two rules are named ${rule.name}; give one of them a name`)
      rules.push(rule)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      problems.push(`${path}: ${error.message}`)
    }
  }
  if (JSON.stringify(given).length > MAX_TEXT)
    problems.push(`expectations: all rules together have at most ${MAX_TEXT} characters`)
  if (rules.filter(({ asks }) => asks.kind === 'monotone').length > MAX_MONOTONE)
    problems.push(`expectations: at most ${MAX_MONOTONE} rules may be monotone`)
  return { rules, problems }
}

/** @throws {SyntaxError} with what is wrong */
function readRule(one: ModelExpectation): ExpectationRule {
  const asks = questionOf(one)
  const rule = {
    name: one.name ?? defaultName(one),
    asks,
    tolerance: one.tolerance ?? 0,
    severity: one.severity ?? ('alarm' as const),
    rejects: one.on_violation === 'reject',
  }
  return { ...rule, says: sentenceOf(one) }
}

function defaultName({ feature, monotone, freshness, expression }: ModelExpectation): string {
  if (freshness !== undefined) return 'freshness'
  if (expression !== undefined) return expression.slice(0, 200)
  return monotone === undefined ? feature! : `${feature} ${monotone}`
}

function questionOf(one: ModelExpectation): Question {
  const about = (['feature', 'freshness', 'expression'] as const).filter(
    (key) => one[key] !== undefined,
  )
  if (about.length !== 1)
    throw new SyntaxError('a rule needs one of feature, freshness and expression')
  const values = OF_VALUES.filter((key) => one[key] !== undefined)
  if (one.feature === undefined || one.monotone !== undefined) {
    const what = one.monotone === undefined ? about[0]! : 'monotone'
    if (values.length > 0)
      throw new SyntaxError(`${values[0]} cannot stand beside ${what}: make it a rule of its own`)
  }
  if (one.monotone === undefined && one.per !== undefined)
    throw new SyntaxError('per says nothing without monotone')
  if (one.freshness !== undefined) return { kind: 'freshness', withinMs: durationMs(one.freshness) }
  if (one.expression !== undefined) return { kind: 'event', holds: parseExpression(one.expression) }
  return one.monotone === undefined ? ofFeature(one) : monotoneOf(one)
}

function monotoneOf({ feature, monotone, per }: ModelExpectation): Monotone {
  return { kind: 'monotone', feature: feature!, sign: SIGNS[monotone!], per: seriesOf(per) }
}

function seriesOf(per: string | undefined): Monotone['per'] {
  if (per === undefined) return undefined
  if (!per.startsWith('@')) return { kind: 'feature', name: per }
  const column = SERIES.find((known) => per === `@${known}`)
  if (column) return { kind: 'id', column }
  throw new SyntaxError(
    `per must be a feature or one of ${SERIES_NAMES.join(', ')}${didYouMean(per, SERIES_NAMES)}`,
  )
}

/** Everything that is said of a feature's own values, as one condition. */
function ofFeature(one: ModelExpectation): Question {
  const name = nameOf(one.feature!)
  const number = (value: number): Value => ({ kind: 'literal', value })
  const compare = (sign: Sign, limit: number | undefined, left: Value = name): Check[] =>
    limit === undefined ? [] : [{ kind: 'compare', sign, left, right: number(limit) }]
  const length: Value = { kind: 'call', of: 'length', inner: name }
  const checks: Check[] = [
    ...(one.type === undefined ? [] : [{ kind: 'is' as const, inner: name, what: one.type }]),
    ...compare('>=', one.min),
    ...compare('<=', one.max),
    ...compare('>', one.above),
    ...compare('<', one.below),
    ...compare('>=', one.min_length, length),
    ...compare('<=', one.max_length, length),
    ...(one.one_of ? [{ kind: 'in' as const, inner: name, values: one.one_of }] : []),
    ...(one.pattern === undefined
      ? []
      : [{ kind: 'matches' as const, inner: name, pattern: parsePattern(one.pattern) }]),
  ]
  if (one.required) checks.unshift({ kind: 'not', inner: { kind: 'missing', inner: name } })
  if (checks.length === 0)
    throw new SyntaxError(`a rule of a feature needs one of ${OF_VALUES.join(', ')}, monotone`)
  return {
    kind: 'event',
    holds: checks.reduce((left, right) => ({ kind: 'and', left, right })),
  }
}

/** What JSON Schema and the parser cannot say. */
function problemsOf(
  one: ModelExpectation,
  rule: ExpectationRule,
  features: readonly string[],
): string[] {
  const problems: string[] = []
  const unkept = textProblem('the name', rule.name)
  if (unkept) problems.push(unkept)
  if (rule.name.startsWith('@'))
    problems.push('its name may not begin with @, as values of the model’s own do: give it another')
  if (rule.rejects && rule.asks.kind !== 'event')
    problems.push(
      `on_violation: reject needs what one event says by itself, which ${rule.asks.kind} does not`,
    )
  if (rule.rejects && rule.tolerance > 0)
    problems.push('tolerance says nothing beside on_violation: reject: each violation is refused')
  for (const [least, most] of [
    [one.min, one.max],
    [one.min_length, one.max_length],
    [one.above, one.below],
  ] as const)
    if (least !== undefined && most !== undefined && least > most)
      problems.push(`no value lies from ${least} to ${most}`)
  if (features.length > 0)
    for (const name of namesAsked(rule.asks))
      if (!features.includes(name))
        problems.push(`no feature ${name} is declared${didYouMean(name, features)}`)
  return problems
}

/** Names of the features that a rule asks for. */
export function namesAsked(asks: Question): string[] {
  if (asks.kind === 'freshness') return []
  if (asks.kind === 'event')
    return namesOf(asks.holds).flatMap((name) => (name.kind === 'feature' ? [name.name] : []))
  return [asks.feature, ...(asks.per?.kind === 'feature' ? [asks.per.name] : [])]
}
