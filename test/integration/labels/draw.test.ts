/**
 * Predictions are drawn for review: each once, under a name of its own, at most as many as a budget
 * allows.
 */
import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { MAX_BUDGET_PER_DAY } from '../../../schemas/review/model-review.ts'
import { drawTasks } from '../../../services/feedback/loop/draw.ts'
import { pipeline } from '../../pipeline.ts'

const DAY = Date.UTC(2025, 5, 5)
const model = (modelId: string, budget: number) =>
  parseModel(
    `{ model_id: ${modelId}, task: binary, windows: { size: 1h, lateness: 15m, min_count: 50 }, review: { reviewers: 2, budget_per_day: ${budget} } }`,
  )

test('ids that differ by where a slash stands are two tasks, and a second look draws the same', async () => {
  const stream = await pipeline()
  const prediction = (model_id: string, prediction_id: string, hour: number) => ({
    model_id,
    model_version: '1',
    prediction_id,
    predicted_at: new Date(DAY + hour * 3_600_000).toISOString(),
  })
  await stream.predictions(
    [
      ['a', 'b/c'],
      ['a/b', 'c'],
    ].flatMap(([id, prediction_id]) => [
      prediction(id!, prediction_id!, 1),
      // A later one closes the hour.
      prediction(id!, 'later', 5),
    ]),
  )
  const draw = async () =>
    (await Promise.all(['a', 'a/b'].map((id) => drawTasks(stream.db, model(id, 240))))).flat()
  const drawn = await draw()
  expect(drawn.map(({ modelId, predictionId }) => [modelId, predictionId])).toEqual([
    ['a', 'b/c'],
    ['a/b', 'c'],
  ])
  expect(new Set(drawn.map(({ taskId }) => taskId)).size).toBe(2)
  expect(await draw()).toEqual(drawn)
})

test('a budget beyond what one look can draw is refused', () => {
  expect(model('m', MAX_BUDGET_PER_DAY).review.budgetPerDay).toBe(10_000)
  expect(() => model('m', MAX_BUDGET_PER_DAY + 1)).toThrow('budget_per_day')
})
