import { expect, test } from 'vitest'
import { acceptanceOf, metricOf, type ArmCounts, type CandidateEvidence } from './acceptance.ts'

const NONE: ArmCounts = {
  ...{ events: 0, labelled: 0, correct: 0, tp: 0, fp: 0, fn: 0, numbers: 0, absErrors: 0 },
  ...{ squaredErrors: 0, labelSum: 0, labelSquares: 0, scored: 0, logLoss: 0, brier: 0, auc: null },
  ...{ failed: 0, latencies: 0, p50: null, p95: null, p99: null, costs: 0, costSum: 0 },
  ...{ firstTokens: 0, first50: null, first95: null, first99: null },
}
const arm = (correct: number, more: Partial<ArmCounts> = {}) => ({
  ...NONE,
  ...{ events: 1000, labelled: 500, correct },
  ...more,
})
const NOTHING: CandidateEvidence = { shadow: undefined, reported: undefined, version: '8' }
const ask = (
  accept: string[],
  evidence: Partial<CandidateEvidence>,
  more: { evidence?: 'any' | 'shadow' | 'reported'; now?: number } = {},
) =>
  acceptanceOf(
    accept,
    { ...NOTHING, ...evidence },
    {
      validation: { evidence: more.evidence ?? 'any', min_events: 200 },
      now: more.now ?? 0,
      until: 100,
    },
  )
const shadow = { candidate: arm(410), current: arm(400) }

test('a candidate that reaches everything is promoted, with its numbers', () => {
  const answer = ask(['performance.accuracy >= 0.8', 'performance.accuracy >= current'], { shadow })
  expect(answer).toMatchObject({
    decision: 'promoted',
    reason:
      'reached: performance.accuracy >= 0.8 (candidate 0.82, by 500 shadow predictions); performance.accuracy >= current (candidate 0.82, current 0.8, line 0.8, by 500 shadow predictions)',
  })
  expect(answer.requirements[1]).toEqual({
    requirement: 'performance.accuracy >= current',
    ...{
      met: true,
      candidate: 0.82,
      current: 0.8,
      line: 0.8,
      source: 'shadow',
      n: 500,
      reason: '',
    },
  })
})

test('one that misses a requirement is rejected, whatever is not known of the others', () => {
  const answer = ask(['performance.f1 >= 0.5', 'performance.accuracy >= 0.9'], { shadow })
  expect(answer.decision).toBe('rejected')
  expect(answer.reason).toBe(
    'not reached: performance.accuracy >= 0.9 (candidate 0.82, by 500 shadow predictions)',
  )
  expect(answer.requirements.map(({ met }) => met)).toEqual([null, false])
})

test('incomplete evidence says what is missing, and rejects at the time limit alone', () => {
  const few = { candidate: arm(150, { labelled: 199 }), current: arm(150, { labelled: 199 }) }
  const lacking =
    'performance.accuracy >= 0.8 (199 of 200 requests that shadow predictions are counted by, and the job has not reported it)'
  expect(ask(['performance.accuracy >= 0.8'], { shadow: few }, { now: 99 })).toMatchObject({
    decision: 'waiting',
    reason: `the evidence is incomplete: ${lacking}`,
  })
  expect(ask(['performance.accuracy >= 0.8'], { shadow: few }, { now: 100 })).toMatchObject({
    decision: 'rejected',
    reason: `the evidence was still incomplete at the time limit: ${lacking}`,
  })
})

test('what a job reports counts where shadows do not tell, and is marked', () => {
  const reported = {
    candidate: { 'performance.accuracy': 0.79, 'performance.f1': 0.7 },
    current: {},
  }
  const both = ask(['performance.accuracy >= 0.8', 'performance.f1 >= 0.6'], { shadow, reported })
  expect(both.requirements.map(({ source, candidate }) => [source, candidate])).toEqual([
    ['shadow', 0.82],
    ['reported', 0.7],
  ])
  expect(both.reason).toContain('candidate 0.7, as its job reported')
  expect(
    ask(['performance.accuracy >= 0.8'], { shadow, reported }, { evidence: 'reported' }),
  ).toMatchObject({ decision: 'rejected' })
  expect(ask(['performance.f1 >= 0.6'], { reported }, { evidence: 'shadow' }).decision).toBe(
    'waiting',
  )
})

test('what is relative waits for the version that serves', () => {
  const reported = { candidate: { 'performance.mae': 1 }, current: {} }
  const accept = ['performance.mae <= current * 1.05']
  expect(ask(accept, { reported }, { evidence: 'reported' })).toMatchObject({
    decision: 'waiting',
    requirements: [{ met: null, reason: 'the version that serves has no such number' }],
  })
  const current = { 'performance.mae': 0.96 }
  expect(
    ask(accept, { reported: { ...reported, current } }, { evidence: 'reported' }),
  ).toMatchObject({
    decision: 'promoted',
    requirements: [{ line: 1.008, current: 0.96, candidate: 1 }],
  })
})

test('names of objects are no reported metrics', () => {
  const reported = { candidate: {}, current: {} }
  expect(ask(['performance.accuracy >= 0.1'], { reported }).requirements[0]!.met).toBeNull()
})

test('metrics of an arm are those of their definitions', () => {
  // Truths 1, 2, 3 with errors 1, 0, −1: 1 − 2 / 2.
  const numbers = { numbers: 3, absErrors: 2, squaredErrors: 2, labelSum: 6, labelSquares: 14 }
  const one = arm(400, { ...numbers, tp: 30, fp: 10, fn: 20, failed: 5, costs: 4, costSum: 2 })
  const value = (metric: string) => metricOf(one, metric).value
  expect(value('performance.precision')).toBe(0.75)
  expect(value('performance.recall')).toBe(0.6)
  expect(value('performance.f1')).toBeCloseTo(2 / 3, 12)
  expect(value('performance.r2')).toBe(0)
  expect(value('performance.rmse')).toBeCloseTo(Math.sqrt(2 / 3), 12)
  expect(value('operations.error_ratio')).toBe(0.005)
  expect(value('operations.cost_usd')).toBe(0.5)
  expect(value('performance.log_loss')).toBeNull()
  const streamed = arm(400, { firstTokens: 9, first50: 1, first95: 2, first99: 3 })
  expect(
    [50, 95, 99].map((p) => metricOf(streamed, `operations.time_to_first_token_p${p}_ms`)),
  ).toEqual([1, 2, 3].map((ms) => ({ value: ms, n: 9 })))
  expect(
    metricOf(arm(1, { numbers: 2, labelSum: 4, labelSquares: 8 }), 'performance.r2').value,
  ).toBeNull()
})
