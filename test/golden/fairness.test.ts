/** Fairness of groups beside fairlearn: `scripts/golden/conventions.py` made the values. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { evaluateFairness } from '../../services/drift/evaluate/fairness/fairness.ts'
import type { GroupCounts } from '../../services/drift/data/window-data.ts'

const { fairness: golden } = JSON.parse(
  readFileSync(new URL('conventions.json', import.meta.url), 'utf8'),
) as {
  fairness: {
    truth: number[]
    guess: number[]
    group: string[]
    by_group: Record<string, Record<string, number>>
    demographic_parity_difference: number
    demographic_parity_ratio: number
    equalized_odds_difference: number
  }
}

test('every group, and the widest gaps', () => {
  const groups = [...Map.groupBy(golden.group.keys(), (i) => golden.group[i]!)].map(
    ([group, members]): GroupCounts => {
      const count = (guess: number, truth: number) =>
        members.filter((i) => golden.guess[i] === guess && golden.truth[i] === truth).length
      const [tp, fp, fn, tn] = [count(1, 1), count(1, 0), count(0, 1), count(0, 0)]
      return {
        group,
        predictions: members.length,
        decided: members.length,
        favorable: tp + fp,
        favorableLabels: tp + fn,
        favorableHits: tp,
        tp,
        fp,
        fn,
        tn,
      }
    },
  )
  const results = evaluateFairness(groups, {
    attribute: 'g',
    privileged: 'a',
    minCount: 1,
    maturity: 1,
    alpha: 0.001,
  })
  const value = (subject: string, metric: string) =>
    results.find((result) => result.subject === subject && result.metric === metric)?.value
  for (const [name, rates] of Object.entries(golden.by_group))
    for (const [metric, rate] of Object.entries(rates))
      expect(value(`g=${name}`, metric)).toBeCloseTo(rate, 9)
  expect(value('g', 'equalized_odds_difference')).toBeCloseTo(golden.equalized_odds_difference, 9)
  const rates = Object.values(golden.by_group).map((rate) => rate['selection_rate']!)
  expect(Math.max(...rates) - Math.min(...rates)).toBeCloseTo(
    golden.demographic_parity_difference,
    9,
  )
  for (const name of ['b', 'c']) {
    const [own, privileged] = [golden.by_group[name]!, golden.by_group['a']!]
    const difference = own['selection_rate']! - privileged['selection_rate']!
    expect(value(`g=${name}`, 'statistical_parity_difference')).toBeCloseTo(difference, 9)
    expect(value(`g=${name}`, 'disparate_impact_ratio')).toBeCloseTo(
      own['selection_rate']! / privileged['selection_rate']!,
      9,
    )
  }
})
