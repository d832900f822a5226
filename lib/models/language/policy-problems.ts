/**
 * What is wrong with a condition that parses: names that nothing has, and tests that are never
 * true. Pure.
 */
import { validate as isCron } from 'node-cron'
import { featureSubject, isFeature, OWN_NUMBERS } from '../../events/subjects.ts'
import { METRICS, worseSide } from '../metric-names.ts'
import { didYouMean } from '../../runtime/nearest-name.ts'
import { testsOf } from './logic.ts'
import {
  CANARY_DECISIONS,
  isWindowTest,
  type CanaryTest,
  type Condition,
  type ScheduleTest,
  type Test,
  type WindowTest,
} from './policy-tests.ts'
import { isTimezone } from '../windows.ts'

/** Windows that a test looks back over at most. */
const MAX_WINDOWS = 100
const FEEDBACK = 'feedback'
const FAMILIES = [...Object.keys(METRICS), FEEDBACK]
const OWN_SUBJECTS = ['@prediction', '@embedding', ...OWN_NUMBERS.map(({ subject }) => subject)]

/** What the model file declares. Where it declares no features, or no attributes, any may come. */
export interface DeclaredNames {
  features: readonly string[]
  slices: readonly string[]
  /** Names of `custom_metrics`. */
  customMetrics: readonly string[]
  /** Attributes of `fairness`. */
  attributes: readonly string[]
  /** Names of the rules of `expectations`. */
  expectations: readonly string[]
  /** Whether a policy gives candidates their traffic step by step. */
  hasCanaries: boolean
}

/** Every problem of a condition as a sentence, with the nearest right name where there is one. */
export function conditionProblems(condition: Condition, declared: DeclaredNames): string[] {
  return testsOf(condition).flatMap((test) => {
    if (isWindowTest(test))
      return [
        ...nameProblems(test, declared.customMetrics),
        ...subjectProblems(test, declared),
        ...windowProblems(test),
      ]
    if (test.kind === 'schedule') return scheduleProblems(test)
    if (test.kind === 'canary') return canaryProblems(test, declared)
    return otherProblems(test)
  })
}

function nameProblems({ family, metric }: WindowTest, custom: readonly string[]): string[] {
  if (!FAMILIES.includes(family))
    return [
      `"${family}" is not one of ${FAMILIES.join(', ')}${didYouMean(family, [...FAMILIES, 'labels', 'predictions'])}`,
    ]
  if (metric === undefined || family === FEEDBACK) return []
  if (metric.startsWith('custom.')) {
    const own = custom.map((name) => `custom.${name}`)
    return own.includes(metric)
      ? []
      : [`${family}.${metric} is not one of custom_metrics${didYouMean(metric, own)}`]
  }
  if (worseSide(family, metric) !== undefined) return []
  const others = Object.keys(METRICS).filter((other) => METRICS[other]!.has(metric))
  return [
    others.length > 0
      ? `${metric} is a metric of ${others.join(' and ')}, not of ${family}; did you mean ${others[0]}.${metric}?`
      : `${family} has no metric ${metric}${didYouMean(metric, METRICS[family]!.keys())}`,
  ]
}

function subjectProblems({ family, metric, subject, slice }: WindowTest, declared: DeclaredNames) {
  const problems: string[] = []
  const isRule = metric === 'expectation_violation_ratio'
  if (subject !== undefined && isRule && !declared.expectations.includes(subject))
    problems.push(`no rule is named ${subject}${didYouMean(subject, declared.expectations)}`)
  if (subject !== undefined && !isRule && (family === 'drift' || family === 'quality'))
    for (const problem of featureProblems(subject, declared.features)) problems.push(problem)
  if (subject !== undefined && family === 'fairness' && declared.attributes.length > 0) {
    const isKnown = declared.attributes.some((name) => subject.startsWith(`${name}=`))
    const meant = didYouMean(subject.split('=', 1)[0]!, declared.attributes)
    if (!isKnown) problems.push(`${subject} is no group of a declared fairness attribute${meant}`)
  }
  if (slice && !declared.slices.includes(slice.key))
    problems.push(
      `slice ${slice.key} is none of the model’s slices${didYouMean(slice.key, declared.slices)}`,
    )
  return problems
}

function featureProblems(subject: string, features: readonly string[]): string[] {
  const isOwn = !isFeature(subject)
  if (isOwn && OWN_SUBJECTS.includes(subject)) return []
  if (isOwn) return [`${subject} is no value of a model's own${didYouMean(subject, OWN_SUBJECTS)}`]
  const subjects = features.map(featureSubject)
  if (subjects.length === 0 || subjects.includes(subject)) return []
  return [`no feature ${subject} is declared${didYouMean(subject, subjects)}`]
}

function windowProblems({ windows, of, kind, ...test }: WindowTest): string[] {
  const problems: string[] = []
  if (windows < 1 || windows > MAX_WINDOWS)
    problems.push(`for=${windows} must be from 1 to ${MAX_WINDOWS} windows`)
  if (of > MAX_WINDOWS && of !== windows)
    problems.push(`of=${of} must be at most ${MAX_WINDOWS} windows`)
  if (windows > of) problems.push(`for=${windows} cannot be reached in of=${of} windows`)
  if (kind === 'count' && 'limit' in test && isAlwaysSo(test))
    problems.push(`count(…) ${test.sign} ${test.limit} says nothing: a count is 0 or more`)
  return problems
}

/** Whether every count, or none, is so. */
const isAlwaysSo = ({ sign, limit }: { sign: string; limit: number }) =>
  sign === '<' || sign === '>=' ? limit <= 0 : limit < 0

function scheduleProblems({ cron, timezone }: ScheduleTest): string[] {
  const problems: string[] = []
  if (!isCron(cron)) problems.push(`"${cron}" is not a cron expression`)
  else if (cron.trim().split(/\s+/).length !== 5)
    problems.push(
      `"${cron}" must have five fields (minute, hour, day, month, weekday): schedules tick once a minute at most`,
    )
  if (!isTimezone(timezone))
    problems.push(
      `${timezone} is not an IANA time zone${didYouMean(timezone, Intl.supportedValuesOf('timeZone'))}`,
    )
  return problems
}

/** Words of other tools for what a canary may be told to be. */
const MEANT: Readonly<Record<string, string>> = {
  rollback: 'worse',
  roll_back: 'worse',
  fail: 'worse',
  failed: 'worse',
  promote: 'better',
  pass: 'better',
  hold: 'undecided',
  inconclusive: 'undecided',
}

function canaryProblems({ decision }: CanaryTest, { hasCanaries }: DeclaredNames): string[] {
  const isKnown = (CANARY_DECISIONS as readonly string[]).includes(decision)
  const meant = MEANT[decision.toLowerCase()]
  const near = meant ? `; did you mean ${meant}?` : didYouMean(decision, CANARY_DECISIONS)
  return [
    ...(isKnown ? [] : [`canary is one of ${CANARY_DECISIONS.join(', ')}, not ${decision}${near}`]),
    ...(hasCanaries
      ? []
      : [
          'canary: no policy of the model has promote, so no candidate is ever held against another',
        ]),
  ]
}

function otherProblems(test: Exclude<Test, WindowTest | ScheduleTest | CanaryTest>): string[] {
  if (test.kind === 'alert' && test.name.trim() === '') return ['alert("") needs a name']
  if (test.kind === 'silence' && test.forMs < 60_000)
    return [`silent(for="${test.text}") must be at least 1m`]
  return []
}
