/**
 * What a policy that chooses actions is worth, beside always choosing the same, and whether it
 * explores as planned. Pure.
 */
import type { ModelExploration } from '../../../schemas/model-exploration.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { normalQuantile } from '../../../lib/stats/distributions/normal-quantile.ts'
import { growForest, type ForestOptions } from '../../../lib/stats/estimators/forest.ts'
import {
  doublyRobust,
  meanOf,
  policyValue,
  type Estimate,
  type LoggedReward,
} from '../../../lib/stats/estimators/policy-value.ts'
import { wilson } from '../../../lib/stats/intervals/proportions.ts'
import { featureMatrix } from '../data/feature-matrix.ts'
import type { ExplorationCounts, LoggedAction } from '../data/logged-actions.ts'
import { metricResult, type MetricResult } from '../data/metric-results.ts'

const CI_LEVEL = 0.95
const WARNING_LEVEL = 0.99
const ALARM_LEVEL = 0.999
/** Actions below which no value of the policy is told. */
const MIN_ROWS = 50
/** Actions that were chosen less often are not valued as constants. */
const MIN_CHOSEN = 30
/** Actions that are valued as constants, the most frequent ones. */
const MAX_ACTIONS = 10
const FOLDS = 2
const SEED = 1
const FOREST: Omit<ForestOptions, 'uniform'> = { trees: 20, depth: 6, leastLeaf: 10 }
/** Rewards of a fold below which the model of rewards is their mean. */
const MIN_LEARNED = 50

/** The share of events that explore, evaluated by its plan where there is one. */
export function evaluateExplorationShare(
  { events, exploring }: ExplorationCounts,
  { share, tolerance }: ModelExploration,
): MetricResult[] {
  if (events === 0) return []
  const interval = wilson(exploring, events, CI_LEVEL)
  const value = exploring / events
  const shown = {
    n_current: events,
    ci_low: interval.low,
    ci_high: interval.high,
    ci_level: CI_LEVEL,
  }
  if (share === undefined)
    return [metricResult('operations', '', 'exploration_share', value, shown)]
  const [low, high] = [share * (1 - tolerance), share * (1 + tolerance)]
  const isBeside = (level: number) => {
    const own = wilson(exploring, events, level)
    return own.low > high || own.high < low
  }
  const percent = (x: number) => `${Number((100 * x).toPrecision(3))} %`
  return [
    metricResult('operations', '', 'exploration_share', value, {
      ...shown,
      threshold: value > share ? high : low,
      verdict: isBeside(ALARM_LEVEL) ? 'alarm' : isBeside(WARNING_LEVEL) ? 'warning' : 'ok',
      reason: `${percent(value)} of the events explore, planned are ${percent(share)}, within ${percent(low)} to ${percent(high)}`,
    }),
  ]
}

/**
 * Values the policy without its exploration, each frequent action as a constant, and the regret of
 * what was done beside the best of these.
 *
 * @param rows in an order by chance; actions whose reward is not known are not among them
 * @returns one result that says so where the rows are too few
 */
export function evaluatePolicy(rows: readonly LoggedAction[], maturity: number): MetricResult[] {
  const n = rows.length
  const shared = { n_current: n, n_labelled: n, label_maturity: maturity }
  if (n < MIN_ROWS)
    return [
      metricResult('performance', '', 'policy_value_dr', null, {
        ...shared,
        verdict: 'incomplete',
        reason: `${n} actions with a propensity and a reward, below ${MIN_ROWS}`,
      }),
    ]
  const matrix = matrixOf(rows)
  const logged = (agrees: (row: LoggedAction) => boolean) => rewardsOf(rows, matrix, agrees)
  const policy = policyValue(logged(({ isExploration }) => !isExploration))
  const of = (metric: string, estimate: Estimate, reason = '', level = CI_LEVEL, subject = '') =>
    metricResult('performance', subject, metric, estimate.value, {
      ...shared,
      n_effective: policy.effective,
      ...intervalOf(estimate, level),
      reason,
    })
  const faults = weightFault(policy.meanWeight)
  return [
    of('policy_value_ips', policy.ips, faults),
    of('policy_value_snips', policy.snips, faults),
    of('policy_value_dr', policy.dr, faults),
    metricResult('performance', '', 'policy_effective_n', policy.effective, {
      ...shared,
      reason: `${n} rewards are worth as many for the policy without exploration`,
    }),
    of(
      'mean_reward',
      meanOf(rows.map(({ reward }) => reward)),
      'of what was done, exploration included',
    ),
    ...constants(rows, logged, of),
  ]
}

type Told = (
  metric: string,
  estimate: Estimate,
  reason?: string,
  level?: number,
  subject?: string,
) => MetricResult

/** Each frequent action as a constant, and the regret beside the best; intervals hold for all. */
function constants(
  rows: readonly LoggedAction[],
  logged: (agrees: (row: LoggedAction) => boolean) => LoggedReward[],
  of: Told,
): MetricResult[] {
  const chosen = [...Map.groupBy(rows, ({ action }) => action)]
    .filter(([, own]) => own.length >= MIN_CHOSEN)
    .toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .slice(0, MAX_ACTIONS)
  if (chosen.length === 0) return []
  const level = 1 - (1 - CI_LEVEL) / chosen.length
  const valued = chosen.map(([action]) => {
    const own = logged((row) => row.action === action)
    return { action, terms: doublyRobust(own), value: policyValue(own) }
  })
  const best = valued.reduce((a, b) => (b.value.dr.value > a.value.dr.value ? b : a))
  const regret = meanOf(best.terms.map((term, i) => term - rows[i]!.reward))
  const short = (x: number) => Number(x.toPrecision(3))
  return [
    of(
      'policy_regret',
      regret,
      `always ${best.action} would have earned ${short(best.value.dr.value)}, ${short(best.value.dr.value - regret.value)} was earned; the best of ${valued.length} constant actions`,
      level,
    ),
    ...valued.map(({ action, value }) => ({
      ...of('action_value', value.dr, weightFault(value.meanWeight), level, `action=${action}`),
      n_effective: value.effective,
    })),
  ]
}

function intervalOf({ value, standardError }: Estimate, level: number) {
  const reach = normalQuantile((1 + level) / 2) * standardError
  return { ci_low: finite(value - reach), ci_high: finite(value + reach), ci_level: level }
}
const finite = (x: number) => (Number.isFinite(x) ? x : null)

/** Weights are 1 on average where the propensities are those of the chosen actions. */
function weightFault({ value, standardError }: Estimate): string {
  const isOff = Math.abs(value - 1) > normalQuantile((1 + ALARM_LEVEL) / 2) * standardError
  return isOff
    ? `the weights average ${value.toPrecision(3)}, and 1 is right: the propensities are not those of the chosen actions, or some action is never explored`
    : ''
}

function matrixOf(rows: readonly LoggedAction[]): Float64Array[] {
  const { names, rowOf } = featureMatrix(rows.map(({ features }) => features))
  return names.length === 0 ? [] : rows.map(({ features }) => rowOf(features))
}

/**
 * The rows as a policy sees them. What its action is expected to earn is learned of the rows of the
 * other fold on which it agrees, so that no row has a part in its own expectation.
 */
function rewardsOf(
  rows: readonly LoggedAction[],
  matrix: readonly Float64Array[],
  agrees: (row: LoggedAction) => boolean,
): LoggedReward[] {
  const expectations = Array.from({ length: FOLDS }, (_, fold) => {
    const others = rows.flatMap((row, i) => (i % FOLDS !== fold && agrees(row) ? [i] : []))
    const rewards = others.map((i) => rows[i]!.reward)
    if (matrix.length === 0 || others.length < MIN_LEARNED) {
      const mean = others.length === 0 ? 0 : meanOf(rewards).value
      return () => mean
    }
    const options = { ...FOREST, uniform: uniforms(SEED) }
    const forest = growForest(
      others.map((i) => matrix[i]!),
      rewards,
      options,
    )
    return (i: number) => forest.of(matrix[i]!)
  })
  return rows.map((row, i) => ({
    reward: row.reward,
    propensity: row.propensity,
    agrees: agrees(row),
    expected: expectations[i % FOLDS]!(i),
  }))
}
