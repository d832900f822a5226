/** Scores of several models, read together: each model gets its own. */
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseModel, type Model } from '../../../lib/models/model-files.ts'
import { ALL } from '../../../services/drift/data/cohort.ts'
import type { ScoreCounts } from '../../../services/drift/data/reference.ts'
import { driftQueries, type DriftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const window = { start: START, end: START + HOUR }
const MODELS = ['few', 'many', 'strict', 'implied'] as const
/** Predictions of each; every fourth has a label, positive for the higher scores. */
const SIZES = { few: 20, many: 100, strict: 100, implied: 100 }
const modelOf = (id: (typeof MODELS)[number]): Model =>
  parseModel(
    `{ model_id: ${id}, task: binary, threshold: ${id === 'strict' ? 0.9 : 0.5}, labels: { horizon: 1h, absent_means: ${id === 'implied' ? "'0'" : 'unknown'} } }`,
  )
let stream: Pipeline
let statements = 0
let queries: DriftQueries

beforeAll(async () => {
  stream = await pipeline()
  const db = stream.connect('drift')
  const counting: ClickHouse = {
    ...db,
    query: (sql, params) => {
      statements++
      return db.query(sql, params)
    },
  }
  queries = driftQueries(counting)
  for (const id of MODELS) {
    const all = Array.from({ length: SIZES[id] }, (_, i) => ({ i, score: (i + 0.5) / SIZES[id] }))
    await stream.predictions(
      all.map(({ i, score }) => ({
        prediction_id: `${i}`,
        model_id: id,
        model_version: '1',
        predicted_at: new Date(START + i * 1000).toISOString(),
        score,
      })),
    )
    await stream.labels(
      all
        .filter(({ i }) => i % 4 === 0)
        .map(({ i, score }) => ({
          label_id: `${i}`,
          model_id: id,
          prediction_id: `${i}`,
          label: score > 0.5 ? '1' : '0',
          labelled_at: new Date(START).toISOString(),
          source: 'ground_truth',
        })),
    )
  }
})

const scoresOf = (id: (typeof MODELS)[number]) =>
  queries.scores(modelOf(id), [window], ALL, START + 10 * HOUR)
const sum = (bins: ScoreCounts['labelled'], of: 'n' | 'positives') =>
  bins.reduce((total, bin) => total + bin[of], 0)

test('models that ask alike share a statement, and every answer is that of the model alone', async () => {
  const alone: ScoreCounts[] = []
  for (const id of MODELS) alone.push(await scoresOf(id))
  statements = 0
  const together = await Promise.all(MODELS.map(scoresOf))
  expect(together).toEqual(alone)
  // Another threshold is another class, and what a missing label means has a time of its own.
  expect(statements).toBe(3)
  const [few, many, strict, implied] = together as [
    ScoreCounts,
    ScoreCounts,
    ScoreCounts,
    ScoreCounts,
  ]
  expect([few, many].map(({ predicted }) => sum(predicted, 'n'))).toEqual([20, 100])
  expect([few, many].map(({ labelled }) => sum(labelled, 'n'))).toEqual([5, 25])
  expect(sum(many.labelled, 'positives')).toBe(12)
  expect(sum(implied.labelled, 'n')).toBe(100)
  expect(sum(implied.labelled, 'positives')).toBe(12)
  const positive = ({ predicted }: ScoreCounts) =>
    sum(
      predicted.filter(({ asPositive }) => asPositive),
      'n',
    )
  expect([many, strict].map(positive)).toEqual([50, 10])
})
