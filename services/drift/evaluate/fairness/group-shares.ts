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
/** Share of those labelled favourable who are predicted so. */
export const favorableRate = (g: GroupCounts): Share => ({
  successes: g.favorableHits,
  n: g.favorableLabels,
})
/** Share of the truly positive that is predicted so. */
export const truePositives = (g: GroupCounts): Share => ({ successes: g.tp, n: g.tp + g.fn })
/** Share of the truly negative that is predicted positive. */
export const falsePositives = (g: GroupCounts): Share => ({ successes: g.fp, n: g.fp + g.tn })
/** Share of those predicted positive that is positive. */
export const precisionOf = (g: GroupCounts): Share => ({ successes: g.tp, n: g.tp + g.fp })

/** The larger of two gaps; `ok` only where the other one has been evaluated too. */
export function equalizedOdds(a: MetricResult, b: MetricResult): MetricResult {
  const [larger, other] =
    Math.abs(a.value ?? 0) >= Math.abs(b.value ?? 0) ? ([a, b] as const) : ([b, a] as const)
  const { verdict, reason } = larger.verdict === 'ok' && other.verdict !== 'ok' ? other : larger
  return { ...larger, metric: 'equalized_odds_difference', verdict, reason }
}
