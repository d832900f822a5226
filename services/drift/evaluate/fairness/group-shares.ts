/** Shares of one group of a protected attribute. Pure. */
import type { MetricResult } from '../../data/metric-results.ts'
import { MISSING_GROUP, type GroupCounts } from '../../data/window-data.ts'

/** A share of cases. */
export interface Share {
  successes: number
  n: number
}

/** Whether the events of a group lack the attribute, or one of two. */
export const isMissing = ({ group }: GroupCounts) =>
  group.split('&').some((part) => part === MISSING_GROUP || part.endsWith(`=${MISSING_GROUP}`))
/** Cases of a group with a label. */
export const labelledOf = ({ tp, fp, fn, tn }: GroupCounts) => tp + fp + fn + tn
/** The share that is predicted the favourable class. */
export const selection = (g: GroupCounts): Share => ({ successes: g.favorable, n: g.decided })
/** Of those whose label is the favourable class, the share that is predicted so. */
export const favorableRate = (g: GroupCounts): Share => ({
  successes: g.favorableHits,
  n: g.favorableLabels,
})
/** Of the truly positive, the share that is predicted so. */
export const truePositives = (g: GroupCounts): Share => ({ successes: g.tp, n: g.tp + g.fn })
/** Of the truly negative, the share that is predicted positive. */
export const falsePositives = (g: GroupCounts): Share => ({ successes: g.fp, n: g.fp + g.tn })
/** Of those predicted positive, the share that is. */
export const precisionOf = (g: GroupCounts): Share => ({ successes: g.tp, n: g.tp + g.fp })

/** The larger of two gaps; `ok` only where the other one has been evaluated too. */
export function equalizedOdds(a: MetricResult, b: MetricResult): MetricResult {
  const [larger, other] =
    Math.abs(a.value ?? 0) >= Math.abs(b.value ?? 0) ? ([a, b] as const) : ([b, a] as const)
  const { verdict, reason } = larger.verdict === 'ok' && other.verdict !== 'ok' ? other : larger
  return { ...larger, metric: 'equalized_odds_difference', verdict, reason }
}
