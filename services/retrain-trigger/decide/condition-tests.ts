/** Whether each test of a condition is true of what is known. Pure. */
import type { Truth } from '../../../lib/models/language/policy-language.ts'
import {
  isWindowTest,
  type CanaryTest,
  type Comparison,
  type Test,
  type WindowTest,
} from '../../../lib/models/language/policy-tests.ts'
import { ID_SEPARATOR } from '../../../schemas/fields.ts'

/** One name of a slice: keys and values may hold colons, and neither holds the separator. */
export const sliceName = (key: string, value: string) => `${key}${ID_SEPARATOR}${value}`

/** An evaluated metric of a window, as it stands. */
export interface LatestResult {
  windowEnd: number
  family: string
  metric: string
  subject: string
  verdict: 'ok' | 'warning' | 'alarm' | 'incomplete' | 'none'
  value: number | null
  /** As {@link sliceName} joins it, or '' for the whole window. */
  slice: string
  /** '' for the model as a whole. */
  version: string
  /** Revision of the window, where it is read from a store. */
  revision?: number
}

/** When a cron expression comes due. */
export interface Schedule {
  cron: string
  timezone: string
}

/**
 * Why a policy is asked: a window, a tick of its schedule, an alert, or a look at what else is new.
 */
export type Occasion =
  | { kind: 'window' }
  | ({ kind: 'tick' } & Schedule)
  | { kind: 'alert'; name: string }
  | { kind: 'news' }

/** What is known of a candidate at the step of its rollout. */
export interface SeenCanary {
  run_id: string
  version: string
  decision: 'better' | 'worse' | 'undecided' | 'invalid'
  /** The step, from 0, and the percent of the traffic that it has there. */
  place: number
  share: number
}

/** What a decision is taken on, besides the history of runs. */
export interface Evidence {
  occasion: Occasion
  /** Verdicts of the window that is decided about and of those before it, in any order. */
  results: readonly LatestResult[]
  /** Values of metrics that a test compares with a number, with a verdict or without. */
  values: readonly LatestResult[]
  /**
   * End of the window that is decided about, the newest one but for restatements; undefined where
   * there is none.
   */
  windowEnd: number | undefined
  /** Outcomes resolved since the last run, and predictions that have come since. */
  newLabels: number
  newPredictions: number
  /** Wall time since the newest event came, milliseconds; undefined where none has. */
  silentMs: number | undefined
  /** What is known of the newest candidate that gets its traffic by steps; absent where of none. */
  canary?: SeenCanary | undefined
}

/** Whether a test can be decided by what an occasion is about. */
export function isOfOccasion(test: Test, occasion: Occasion['kind']): boolean {
  if (isWindowTest(test)) return occasion === 'window'
  if (test.kind === 'schedule') return occasion === 'tick'
  if (test.kind === 'alert') return occasion === 'alert'
  return occasion === 'news'
}

/** Whether a test is true, whether it is what is asked about now, and why, for people. */
export function truthOfTest(test: Test, evidence: Evidence): Truth {
  const reason = reasonOf(test, evidence)
  return {
    holds: reason !== undefined,
    isNews: isOfOccasion(test, evidence.occasion.kind),
    reasons: reason === undefined ? [] : [reason],
  }
}

/** Why a test is true; undefined where it is not. */
function reasonOf(test: Test, evidence: Evidence): string | undefined {
  const { occasion, newLabels, newPredictions, silentMs = 0 } = evidence
  switch (test.kind) {
    case 'labels':
      return newLabels > test.above ? `${newLabels} new labels` : undefined
    case 'predictions':
      return newPredictions > test.above ? `${newPredictions} new predictions` : undefined
    case 'silence':
      return silentMs > test.forMs ? `no event for ${test.text}` : undefined
    case 'alert':
      return occasion.kind === 'alert' && occasion.name === test.name
        ? `alert ${test.name}`
        : undefined
    case 'canary':
      return isCanary(test, evidence.canary)
        ? `canary ${evidence.canary!.version} is ${test.decision} at ${evidence.canary!.share} % of the traffic`
        : undefined
    case 'schedule': {
      const isDue =
        occasion.kind === 'tick' &&
        occasion.cron === test.cron &&
        occasion.timezone === test.timezone
      return isDue ? `schedule ${test.cron}` : undefined
    }
    case 'verdict':
    case 'count':
    case 'value':
      return windowReason(test, evidence)
  }
}

/** Whether a test of a canary is true of what is known of one. */
export const isCanary = (
  { decision, version }: Pick<CanaryTest, 'decision' | 'version'>,
  canary: SeenCanary | undefined,
): boolean =>
  canary !== undefined &&
  canary.decision === decision &&
  (version === undefined || canary.version === version)

/** Why a test of metric results is true of the window. */
function windowReason(test: WindowTest, evidence: Evidence): string | undefined {
  const enough = trueSeries(test, evidence)
  if (enough === undefined) return undefined
  const many = test.of === test.windows ? `${test.windows}` : `${test.windows} of ${test.of}`
  const streak = test.of > 1 ? ` in ${many} windows` : ''
  return `${sentence(test, enough)}${test.version === undefined ? '' : ` of version ${test.version}`}${streak}`
}

/** The results of one metric and subject. */
export interface Series {
  name: string
  /** Evaluated results, the newest first. */
  newest: readonly LatestResult[]
}

/**
 * The series by which a test of metric results is true of the window; undefined where it is not
 * true.
 */
export function trueSeries(
  test: WindowTest,
  evidence: Pick<Evidence, 'results' | 'values' | 'windowEnd'>,
): readonly Series[] | undefined {
  const { windowEnd } = evidence
  if (windowEnd === undefined) return undefined
  const named = (test.kind === 'value' ? evidence.values : evidence.results).filter((result) =>
    isNamed(test, result, windowEnd),
  )
  const evaluated = seriesOf(named, windowEnd)
  const enough = evaluated.filter(({ newest }) => hasStreak(test, newest))
  return isEnough(test, enough.length, evaluated.length) ? enough : undefined
}

function sentence(test: WindowTest, enough: readonly Series[]): string {
  const names = enough.map(({ name }) => `${test.family}.${name}`)
  if (test.kind === 'verdict') return `${test.level} of ${names.join(', ')}`
  if (test.kind === 'count')
    return `${enough.length} ${test.level}s of ${test.family} (${test.sign} ${test.limit})`
  const values = enough.map(({ newest }) => Number(newest[0]!.value!.toPrecision(4)))
  return names.map((name, i) => `${name} ${values[i]} ${test.sign} ${test.limit}`).join(', ')
}

function isEnough(test: WindowTest, enough: number, evaluated: number): boolean {
  if (test.kind === 'value') return enough > 0
  if (test.kind === 'count') return evaluated > 0 && compares(enough, test)
  return test.quantifier === 'any' ? enough > 0 : evaluated > 0 && enough === evaluated
}

/** Whether a result of a window, up to an end, is one that a test is of. */
export const isNamed = (test: WindowTest, result: LatestResult, windowEnd: number): boolean =>
  result.windowEnd <= windowEnd &&
  result.family === test.family &&
  result.version === (test.version ?? '') &&
  result.slice === (test.slice ? sliceName(test.slice.key, test.slice.value) : '') &&
  (test.metric === undefined || result.metric === test.metric) &&
  (test.subject === undefined || result.subject === test.subject)

/**
 * Results by metric and subject; incomplete windows are left out, and what was not evaluated in
 * this window.
 */
function seriesOf(results: readonly LatestResult[], windowEnd: number): Series[] {
  const series = Map.groupBy(
    results,
    ({ metric, subject }) => `${metric}${subject === '' ? '' : ` of ${subject}`}`,
  )
  return [...series].flatMap(([name, all]) => {
    const newest = all
      .filter((result) => result.verdict !== 'incomplete')
      .toSorted((a, b) => b.windowEnd - a.windowEnd)
    return newest[0]?.windowEnd === windowEnd ? [{ name, newest }] : []
  })
}

/**
 * Whether a result is so in this window, and in as many of the newest ones as the test asks for.
 */
function hasStreak(test: WindowTest, newest: readonly LatestResult[]): boolean {
  const isSo = (result: LatestResult) =>
    test.kind === 'value'
      ? result.value !== null && compares(result.value, test)
      : reaches(result.verdict, test.level)
  return isSo(newest[0]!) && newest.slice(0, test.of).filter(isSo).length >= test.windows
}

/** Whether a number lies where a comparison asks for it. */
export function compares(value: number, { sign, limit }: Comparison): boolean {
  if (sign === '<') return value < limit
  if (sign === '<=') return value <= limit
  return sign === '>' ? value > limit : value >= limit
}

/** Whether a verdict is as severe as a level. */
export const reaches = (verdict: string, level: 'warning' | 'alarm'): boolean =>
  verdict === 'alarm' || (level === 'warning' && verdict === 'warning')
