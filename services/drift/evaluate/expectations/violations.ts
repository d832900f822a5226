/** What a window violates of its model's expectations. Pure. */
import { namesAsked, type ExpectationRule } from '../../../../lib/models/expectations/rules.ts'
import { metricResult, type MetricResult, type Verdict } from '../../data/metric-results.ts'
import type { RuleCounts } from '../../data/expectations.ts'

/** The metric of every rule. */
export const VIOLATION_RATIO = 'expectation_violation_ratio'

/**
 * One result a rule: the share of the events that it was asked of which violate it. It is a fact
 * about these events and no estimate, so it stands outside the alarm budget and needs no baseline:
 * above the rule's tolerance it has the rule's severity.
 *
 * @param counts by the name of the rule
 * @param minCount fewer events than this say nothing of a share; a tolerance of 0 is no share
 */
export function evaluateExpectations(
  rules: readonly ExpectationRule[],
  counts: ReadonlyMap<string, RuleCounts>,
  minCount: number,
): MetricResult[] {
  return rules.map((rule) => {
    const found = counts.get(rule.name)
    if (!found || found.asked === 0)
      return metricResult('quality', rule.name, VIOLATION_RATIO, null, {
        verdict: 'incomplete',
        reason: `no event could be asked: ${unaskedReason(rule)}`,
      })
    const value = found.violatedWeight / found.askedWeight
    return metricResult('quality', rule.name, VIOLATION_RATIO, value, {
      n_current: found.asked,
      threshold: rule.tolerance,
      verdict: verdictOf(rule, value, found.asked, minCount),
      reason: reasonOf(rule, found, minCount),
    })
  })
}

const isTooSmall = ({ tolerance }: ExpectationRule, asked: number, minCount: number) =>
  tolerance > 0 && asked < minCount

function verdictOf(rule: ExpectationRule, value: number, asked: number, minCount: number): Verdict {
  if (isTooSmall(rule, asked, minCount)) return 'incomplete'
  return value > rule.tolerance ? rule.severity : 'ok'
}

function reasonOf(rule: ExpectationRule, { asked, violated, refused }: RuleCounts, min: number) {
  return [
    `${violated} of ${asked} violate: ${rule.says}`,
    ...(refused > 0 ? [`${refused} of them were refused`] : []),
    ...(isTooSmall(rule, asked, min) ? [`fewer than min_count ${min}`] : []),
  ].join('; ')
}

function unaskedReason({ asks }: ExpectationRule): string {
  if (asks.kind === 'monotone') return `none has ${asks.feature} twice in one series`
  const names = namesAsked(asks)
  return names.length === 0 ? 'none has the values' : `none has ${names.join(' and ')}`
}
