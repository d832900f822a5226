import { expect, test } from 'vitest'
import { normals } from '../../../bench/streams.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import { scoreAttribution, withScoreAttribution, type Scored } from './score-attribution.ts'
import { metricResult } from '../data/metric-results.ts'

const uniform = uniforms(6)
const normal = normals(uniform)
/** The score follows `x` and `color`, and not `noise`. */
const rows = (x: number, noise: number, red: number): Scored[] =>
  Array.from({ length: 4000 }, () => {
    const features = {
      x: x + normal(),
      noise: noise + normal(),
      color: uniform() < red ? 'red' : 'green',
    }
    return {
      features,
      score: 0.4 + 0.05 * features.x + (features.color === 'red' ? 0.2 : 0),
    }
  })
const reference = rows(0, 0, 0.5)

test('what moved the score is told from what moved beside it', () => {
  const current = rows(1, 3, 0.8)
  // Within tenths the mean is taken for all, beyond the reference the outermost one's.
  expect(scoreAttribution('x', reference, current)).toBeGreaterThan(0.035)
  expect(scoreAttribution('x', reference, current)).toBeLessThan(0.055)
  expect(scoreAttribution('color', reference, current)).toBeCloseTo(0.06, 1)
  expect(Math.abs(scoreAttribution('noise', reference, current))).toBeLessThan(0.01)
})

test('nothing has moved, a feature is gone, texts are new', () => {
  for (const name of ['x', 'noise', 'color', 'nowhere'])
    expect(Math.abs(scoreAttribution(name, reference, rows(0, 0, 0.5)))).toBeLessThan(0.01)
  const gone = reference.map(({ score }) => ({ score, features: {} }))
  expect(scoreAttribution('color', reference, gone)).toBeCloseTo(0, 9)
  const fresh = reference.map(({ score }) => ({ score, features: { color: 'blue' } }))
  expect(scoreAttribution('color', reference, fresh)).toBeCloseTo(0, 9)
})

test('it is said with the alarms of features alone, and not of few rows', () => {
  const alarm = (subject: string, metric = 'psi') =>
    metricResult('drift', subject, metric, 1, { verdict: 'alarm', reason: 'moved' })
  const results = [
    alarm('x'),
    alarm('@score'),
    alarm('x', 'ks'),
    metricResult('drift', 'noise', 'psi', 0),
  ]
  const told = withScoreAttribution(results, reference, rows(1, 0, 0.5))
  expect(told[0]!.reason).toMatch(/^moved; alone it moves the score by \+0\.0\d+ of \+0\.0\d+$/)
  expect(told.slice(1)).toEqual(results.slice(1))
  expect(withScoreAttribution(results, reference, reference.slice(0, 10))).toEqual(results)
})

test('what does nothing to the score is said to do nothing', () => {
  const elsewhere = rows(1, 0, 0.5).map(({ score, features }) => ({
    score,
    features: { ...features, kind: 'new' },
  }))
  const [told] = withScoreAttribution(
    [metricResult('drift', 'kind', 'psi', 9, { verdict: 'alarm' })],
    reference.map(({ score, features }) => ({ score, features: { ...features, kind: 'old' } })),
    elsewhere,
  )
  expect(told!.reason).toMatch(/alone it moves the score by 0 of \+0\.0\d+$/)
})
