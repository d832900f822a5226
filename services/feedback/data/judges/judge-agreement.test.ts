/** Judges beside people: how far they agree, and when a judge is muted. */
import { expect, test } from 'vitest'
import { cohensKappa } from '../../../../lib/stats/agreement/cohen.ts'
import { krippendorffsAlpha } from '../../../../lib/stats/agreement/krippendorff.ts'
import { judgeAgreements, muteReason, type SharedLabel } from './judge-agreement.ts'

/** Labels of a judge and of one person, as pairs of texts. */
const pairs = (said: readonly (readonly [string, string])[], judge = 'g@1'): SharedLabel[] =>
  said.flatMap(([ofJudge, ofPerson], i) => [
    { name: 'g', prediction_id: `p-${i}`, source: 'judge', labeler: judge, label: ofJudge },
    { name: 'g', prediction_id: `p-${i}`, source: 'human_review', labeler: 'ann', label: ofPerson },
  ])
const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value)
const YES_NO = [
  ...times(20, ['yes', 'yes'] as const),
  ...times(5, ['yes', 'no'] as const),
  ...times(10, ['no', 'yes'] as const),
  ...times(15, ['no', 'no'] as const),
]

test('classes agree by Cohen’s kappa, as its own function has it', () => {
  const [found] = judgeAgreements(pairs(YES_NO))
  const kappa = cohensKappa([
    [20, 5],
    [10, 15],
  ])!
  expect(found).toMatchObject({ judge: 'g@1', label: 'g', items: 50, statistic: 'kappa' })
  expect(found!.agreement.value).toBeCloseTo(kappa.value, 12)
  expect(found!.agreement.ci_high).toBeCloseTo(kappa.value + 1.959964 * kappa.standardError, 5)
})

test('numbers agree by Krippendorff’s alpha with the middle of what people say', () => {
  const labels: SharedLabel[] = [1, 2, 3, 4, 5].flatMap((n, i) => [
    ...pairs([[String(n), String(n)]]).map((one) => ({ ...one, prediction_id: `p-${i}` })),
    {
      name: 'g',
      prediction_id: `p-${i}`,
      source: 'human_review' as const,
      labeler: 'bob',
      label: String(n + 1),
    },
  ])
  const [found] = judgeAgreements(labels)
  const values = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5]
  const counts = [1, 2, 3, 4, 5].map((n) =>
    values.map((value) => (value === n || value === n + 0.5 ? 1 : 0)),
  )
  expect(found!.statistic).toBe('alpha')
  expect(found!.agreement.value).toBeCloseTo(
    krippendorffsAlpha(counts, values, 'interval')!.value,
    12,
  )
})

test('zeros and ones are classes, unless the judge is asked for numbers', () => {
  const labels = pairs([...times(9, ['1', '1'] as const), ['0', '1'], ['0', '0']])
  expect(judgeAgreements(labels)[0]!.statistic).toBe('kappa')
  expect(judgeAgreements(labels, () => true)[0]!.statistic).toBe('alpha')
})

test('versions of a judge and other judges are told apart, other judges do not vote', () => {
  const good = pairs(times(20, ['yes', 'yes'] as const))
  const all = [
    ...pairs(YES_NO),
    ...pairs(YES_NO, 'g@2').filter(({ source }) => source === 'judge'),
    ...good.map((one) => ({ ...one, name: 'other' })),
  ]
  const found = judgeAgreements(all)
  expect(found.map(({ judge, label, items }) => [judge, label, items])).toEqual([
    ['g@1', 'g', 50],
    ['g@2', 'g', 50],
    ['g@1', 'other', 20],
  ])
  expect(found[0]!.agreement).toEqual(judgeAgreements(pairs(YES_NO))[0]!.agreement)
  expect(found[2]!.agreement).toMatchObject({ value: null })
  expect(found[2]!.agreement.reason).toContain('all answers are the same')
})

test('people who disagree say nothing of the judge', () => {
  const split: SharedLabel = {
    name: 'g',
    prediction_id: 'p-0',
    source: 'human_review',
    labeler: 'bob',
    label: 'no',
  }
  expect(judgeAgreements([...pairs([['yes', 'yes']]), split])[0]).toMatchObject({ items: 0 })
})

test('a judge is muted where its agreement is surely below the floor, over enough', () => {
  const floor = (agreement: number, items: number) => ({ agreement, items })
  const [found] = judgeAgreements(pairs(YES_NO))
  // Kappa is 0.4, its interval ends at 0.65.
  expect(muteReason(found!, floor(0.7, 50))).toBe(
    'its agreement with people (kappa) is 0.4, at most 0.649, over 50 predictions: below 0.7',
  )
  expect(muteReason(found!, floor(0.6, 50))).toBeUndefined()
  expect(muteReason(found!, floor(0.7, 51))).toBeUndefined()
  const [same] = judgeAgreements(pairs(times(60, ['yes', 'yes'] as const)))
  expect(muteReason(same!, floor(0.7, 50))).toBeUndefined()
})
