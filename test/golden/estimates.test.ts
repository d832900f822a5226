/**
 * Estimates before labels are in, beside NannyML's: `scripts/golden/estimates.py` made the values and
 * names the versions.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ScoreBin } from '../../lib/stats/estimators/calibration.ts'
import type { ScoredRow } from '../../services/drift/data/reference.ts'
import {
  evaluateLosses,
  lossModel,
} from '../../services/drift/evaluate/estimates/estimated-loss.ts'
import { evaluateEstimates } from '../../services/drift/evaluate/estimates/estimated-performance.ts'

interface Bin {
  score: number
  guess: number
  n: number
  positives: number
}
type Errors = Record<'mae' | 'rmse', number>

const golden = JSON.parse(readFileSync(new URL('estimates.json', import.meta.url), 'utf8')) as {
  cbpe: {
    worth: Record<'tp' | 'fp' | 'fn' | 'tn', number>
    reference: Bin[]
    current: Bin[]
    values: Record<string, number>
  }
  dle: {
    reference: [x: number, kind: number, guess: number, truth: number][]
    cases: { rows: [x: number, kind: number, guess: number][]; values: Errors; truth: Errors }[]
  }
}

const binOf = ({ score, guess, n, positives }: Bin): ScoreBin => ({
  bin: Math.floor(score * 100),
  asPositive: guess === 1,
  n,
  positives,
  scores: n * score,
})

test('accuracy, precision, recall, F1, business value and ROC AUC are those of CBPE', () => {
  const { reference, current, worth, values } = golden.cbpe
  const labelled = reference.map(binOf)
  const results = evaluateEstimates(
    { predicted: current.map(binOf), labelled: [], improbable: 0 },
    { predicted: labelled, labelled, improbable: 0 },
    'first',
    [],
    worth,
  )
  expect(Object.keys(values)).toHaveLength(6)
  for (const [metric, value] of Object.entries(values)) {
    const own = results.find((result) => result.metric === `estimated_${metric}`)
    expect(own?.value, metric).toBeCloseTo(value, 8)
  }
})

test('MAE and RMSE are within a tenth of those of DLE, and of what came true', () => {
  const { reference, cases } = golden.dle
  const model = lossModel(
    reference.map(([x, kind, prediction, truth]): ScoredRow => ({
      features: { x, kind },
      prediction,
      loss: Math.abs(truth - prediction),
    })),
  )!
  for (const { rows, values, truth } of cases) {
    const current = rows.map(([x, kind, prediction]): ScoredRow => ({
      features: { x, kind },
      prediction,
      loss: null,
    }))
    const results = evaluateLosses(current, model, 'first', [])
    for (const metric of ['mae', 'rmse'] as const) {
      const own = results.find((result) => result.metric === `estimated_${metric}`)!.value!
      expect(Math.abs(own - values[metric]) / values[metric], metric).toBeLessThan(0.1)
      expect(Math.abs(own - truth[metric]) / truth[metric], metric).toBeLessThan(0.1)
    }
  }
})
