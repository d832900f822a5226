/** The units of a canary: concurrent, old enough, each subject once. */
import { expect, test } from 'vitest'
import { parseModel } from '../../lib/models.ts'
import { readArms } from '../../services/drift/canary-queries.ts'
import { pipeline } from '../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const MINUTE = 60_000
const model = parseModel(`
model_id: m
task: binary
labels: { horizon: 10m }
business_value: { tp: 5, fp: -2, fn: -20, tn: 0 }
`)

test('what both arms served at the same time, each subject by its first prediction, and its truth', async () => {
  const event = (minute: number, version: string, more: object = {}) => ({
    prediction_id: `${version}-${minute}`,
    model_id: 'm',
    model_version: version,
    predicted_at: new Date(START + minute * MINUTE).toISOString(),
    prediction: '1',
    latency_ms: minute,
    ...more,
  })
  const { db, predictions, labels } = await pipeline()
  await predictions([
    // Before the candidate was there.
    event(0, '7'),
    event(10, '8', { subject_id: 'ann' }),
    event(11, '7', { subject_id: 'bob', prediction: '0' }),
    // The second one of a subject, and a subject of both arms.
    event(12, '8', { subject_id: 'ann', prediction: '0' }),
    event(13, '7', { subject_id: 'eve' }),
    event(14, '8', { subject_id: 'eve' }),
    event(15, '8', { status: 'error', shadow: true }),
    event(16, '7', { cost_usd: 0.5 }),
    // The candidate was not there any more, and then too young.
    event(30, '7'),
    event(58, '8'),
    event(59, '7'),
  ])
  const told = { '8-10': '1', '8-12': '0', '7-11': '1', '7-13': '1', '8-15': '0' }
  await labels(
    Object.entries(told).map(([id, label]) => ({
      label_id: id,
      model_id: 'm',
      prediction_id: id,
      label,
      labelled_at: new Date(START).toISOString(),
      source: 'ground_truth',
    })),
  )
  const question = {
    by: 'model_version' as const,
    champion: '7',
    candidate: '8',
    from: 0,
    passedUntil: START + 60 * MINUTE,
  }
  expect(await readArms(db, model, question)).toEqual({
    from: START + 10 * MINUTE,
    to: START + 15 * MINUTE + 1,
    crossed: 1,
    champion: {
      units: 1,
      correct: [0],
      absoluteErrors: [],
      worth: [-20],
      failed: [0],
      latencies: [11],
      costs: [],
    },
    candidate: {
      units: 2,
      correct: [1, 0],
      absoluteErrors: [],
      worth: [5, -2],
      failed: [0, 1],
      latencies: [10, 15],
      costs: [],
    },
  })
  expect(await readArms(db, model, { ...question, candidate: '9' })).toBeUndefined()
  expect(await readArms(db, model, { ...question, passedUntil: START })).toBeUndefined()
})
