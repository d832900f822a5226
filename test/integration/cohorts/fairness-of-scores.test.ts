/**
 * Fairness of models that send scores and no class: the threshold decides, as it does for
 * performance.
 */
import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateFairness } from '../../../services/drift/evaluate/fairness/fairness.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ALL } from '../../../services/drift/data/cohort.ts'
import { pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

/**
 * Three in 10 women are at or above the threshold, and 8 in 10 men; labels are as many of each,
 * whatever the score.
 */
const events = Array.from({ length: 400 }, (_, i) => {
  const sex = i % 2 === 0 ? 'f' : 'm'
  const place = Math.floor(i / 2) % 10
  return { i, sex, score: place < (sex === 'f' ? 3 : 8) ? 0.9 : 0.1 }
})

test('selection, true and false positive rates by the threshold; rows without class and score are unknown', async () => {
  const on = await pipeline()
  await on.predictions([
    ...events.map(({ i, sex, score }) => ({
      prediction_id: `p${i}`,
      model_id: 'fair',
      model_version: '1',
      predicted_at: new Date(START + i * 1000).toISOString(),
      score,
      attributes: { sex },
    })),
    ...Array.from({ length: 50 }, (_, i) => ({
      prediction_id: `unknown${i}`,
      model_id: 'fair',
      model_version: '1',
      predicted_at: new Date(START + i * 1000).toISOString(),
      attributes: { sex: 'f' },
    })),
  ])
  await on.labels(
    events.map(({ i }) => ({
      label_id: `l${i}`,
      model_id: 'fair',
      prediction_id: `p${i}`,
      label: Math.floor(i / 20) % 2 === 0 ? '1' : '0',
      labelled_at: new Date(START + HOUR).toISOString(),
      source: 'ground_truth',
    })),
  )
  for (const favorable of ['1', '0']) {
    const model = parseModel(
      `{ model_id: fair, task: binary, positive_class: '1', threshold: 0.5, fairness: { attributes: { sex: { privileged: m } }, favorable: '${favorable}' } }`,
    )
    const groups = await driftQueries(on.db).groups(
      {
        model,
        spans: [{ start: START, end: START + HOUR }],
        c: ALL,
        completeUntil: START + 2 * HOUR,
      },
      'sex',
    )
    const results = evaluateFairness(groups, {
      attribute: 'sex',
      privileged: 'm',
      minCount: 20,
      maturity: 1,
      alpha: 0.01,
    })
    const of = (subject: string, metric: string) =>
      results.find((one) => one.subject === subject && one.metric === metric)
    const [low, high] = favorable === '1' ? [0.3, 0.8] : [0.7, 0.2]
    expect(of('sex=f', 'selection_rate')!.value).toBeCloseTo(low, 9)
    expect(of('sex=f', 'selection_rate')!.n_current).toBe(200)
    expect(of('sex=m', 'selection_rate')!.value).toBeCloseTo(high, 9)
    expect(of('sex=f', 'statistical_parity_difference')).toMatchObject({ verdict: 'alarm' })
    expect(of('sex=f', 'statistical_parity_difference')!.value).toBeCloseTo(low - high, 9)
    // Rates are those of the positive class, whichever class is favourable.
    expect(of('sex=m', 'true_positive_rate')!.value).toBeCloseTo(0.8, 9)
    expect(of('sex=f', 'false_positive_rate')!.value).toBeCloseTo(0.3, 9)
    expect(of('sex=f', 'false_positive_rate_difference')!.value).toBeCloseTo(-0.5, 9)
    expect(of('sex=f', 'equal_opportunity_difference')!.value).toBeCloseTo(low - high, 9)
  }
})
