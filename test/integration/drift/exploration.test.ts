/** A window of a bandit: its policy is valued, its exploration is held against the plan. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const DAY = 86_400_000
let on: Pipeline

beforeAll(async () => {
  on = await pipeline()
})

test('what a bandit earns, regrets and explores', async () => {
  const uniform = uniforms(7)
  const model = parseModel(`
model_id: bidder
task: regression
windows: { size: 1d, min_count: 100, lateness: 0s, idle: 0s }
exploration: { share: 0.05 }
`)
  const events = Array.from({ length: 2000 }, (_, i) => {
    const isExploration = uniform() < 0.2
    const action = isExploration ? 'low' : 'high'
    return {
      id: `bid-${i}`,
      action,
      isExploration,
      propensity: isExploration ? 0.2 : 0.8,
      reward: (action === 'low' ? 3 : 1) + uniform(),
      at: START + i * 40_000,
    }
  })
  await on.predictions(
    events.map(({ id, at, action, isExploration, propensity }) => ({
      prediction_id: id,
      model_id: 'bidder',
      model_version: '1',
      predicted_at: new Date(at).toISOString(),
      prediction: action,
      propensity,
      exploration: isExploration,
      features: { hour: Math.floor((at - START) / 3_600_000) },
    })),
  )
  await on.labels(
    events.map(({ id, at, reward }) => ({
      label_id: id,
      model_id: 'bidder',
      prediction_id: id,
      label: reward,
      labelled_at: new Date(at).toISOString(),
      source: 'ground_truth',
    })),
  )
  await evaluateOn(on.db, { now: () => START + 30 * DAY })(model)
  const rows = await on.db.query<{
    metric: string
    subject: string
    value: number
    verdict: string
    reason: string
  }>(
    `SELECT metric, subject, value, verdict, reason FROM window_metrics_latest WHERE model_id = 'bidder' AND slice_key = ''`,
  )
  const of = (metric: string, subject = '') =>
    rows.find((one) => one.metric === metric && one.subject === subject)!
  expect(of('exploration_share')).toMatchObject({ verdict: 'alarm' })
  expect(of('exploration_share').reason).toMatch(/planned are 5 %, within 4 % to 6 %$/)
  for (const metric of ['policy_value_ips', 'policy_value_snips', 'policy_value_dr'])
    expect(of(metric).value, metric).toBeCloseTo(1.5, 0)
  expect(of('policy_value_dr').reason).toBe('')
  expect(of('action_value', 'action=low').value).toBeCloseTo(3.5, 0)
  expect(of('policy_regret').value).toBeGreaterThan(1.3)
  expect(of('policy_regret').reason).toMatch(
    /^always low would have earned 3\.\d+, 1\.\d+ was earned/,
  )
})
