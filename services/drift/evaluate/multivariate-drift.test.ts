/** Novelty of embeddings alarms by chance about as often as its p says. */
import { expect, test } from 'vitest'
import { normals } from '../../../bench/streams.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'
import type { Drawn } from '../data/reference.ts'
import { evaluateMultivariate, multivariateReference } from './multivariate-drift.ts'

const RULES = { reference: 'usual', windowAlpha: 0.05, isReference: false }
const [WINDOWS, DRAWS] = [8, 40]

test.each([
  ['as many rows as the reference has', 60],
  ['fewer rows', 40],
])('under the null, %s', (_, size) => {
  const normal = normals(uniforms(23))
  const rows = (n: number): Drawn[] =>
    Array.from({ length: n }, (__, i) => ({
      ...{ predictionId: String(i), modelVersion: '1', predictedAt: '', features: {} },
      embedding: [normal(), normal(), normal()],
    }))
  let low = 0
  for (let draw = 0; draw < DRAWS; draw++) {
    const reference = multivariateReference(Array.from({ length: WINDOWS }, () => rows(60)))
    const found = evaluateMultivariate(rows(size), reference, RULES)
    if (found.find(({ metric }) => metric === 'novelty')!.p_value! < 0.05) low++
  }
  expect(low / DRAWS).toBeLessThan(0.2)
})
