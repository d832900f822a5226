/**
 * What an earlier revision said and the newer one can not say any more is taken back, not left
 * standing.
 */
import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)

test('labels that are all retracted leave no accuracy, under the newer revision', async () => {
  const { connect, db, predictions, labels } = await pipeline()
  const model = parseModel(`
model_id: m
task: binary
windows: { size: 1h, lateness: 1m, min_count: 10 }
`)
  let now = START + 50 * HOUR
  const evaluate = evaluateOn(connect('drift'), { now: () => now })
  const ids = Array.from({ length: 20 }, (_, i) => `p-${i}`)
  const tell = (retracted: boolean) =>
    labels(
      ids.map((id) => ({
        label_id: `${id}-${retracted}`,
        model_id: 'm',
        prediction_id: id,
        label: '1',
        labelled_at: new Date(START + (retracted ? 2 : 1) * HOUR).toISOString(),
        source: 'ground_truth',
        retracted,
      })),
    )
  const said = () =>
    db.query(
      `SELECT value, verdict, reason, revision FROM window_metrics_latest WHERE metric = 'accuracy' AND method = 'observed'`,
    )
  await predictions(
    ids.map((prediction_id, i) => ({
      prediction_id,
      model_id: 'm',
      model_version: '1',
      predicted_at: new Date(START + i * 60_000).toISOString(),
      prediction: '1',
    })),
  )
  await tell(false)
  await evaluate(model)
  expect(await said()).toMatchObject([{ value: 1, revision: 1 }])
  await tell(true)
  now += HOUR
  await evaluate(model)
  expect(await said()).toEqual([
    { value: null, verdict: 'none', reason: 'no longer in the window', revision: 2 },
  ])
})
