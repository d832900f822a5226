/** The units of a canary: concurrent, old enough, each subject once. */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { readArms } from '../../../services/drift/canary/canary-queries.ts'
import { readPairs } from '../../../services/drift/canary/canary-pairs.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const MINUTE = 60_000
const model = parseModel(`
model_id: m
task: binary
labels: { horizon: 10m }
business_value: { tp: 5, fp: -2, fn: -20, tn: 0 }
`)

let stream: Pipeline
beforeAll(async () => {
  stream = await pipeline()
})

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
  const { db, predictions, labels } = stream
  await predictions([
    // Before the candidate was there.
    event(0, '7'),
    event(10, '8', { subject_id: 'ann', time_to_first_token_ms: 4 }),
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
    completeUntil: START + 60 * MINUTE,
    looks: 2,
  }
  const one = { correct: 1, errors: 0, worth: 1, failed: 1, latencies: 1, firstTokens: 0, costs: 0 }
  expect(await readArms(db, model, question)).toEqual({
    from: START + 10 * MINUTE,
    to: START + 15 * MINUTE + 1,
    crossed: 1,
    looks: [
      {
        at: START + 12.5 * MINUTE + 1,
        champion: { units: 1, ...one },
        candidate: { units: 1, ...one, firstTokens: 1 },
      },
      {
        at: START + 15 * MINUTE + 1,
        champion: { units: 1, ...one },
        candidate: {
          ...one,
          ...{ units: 2, correct: 2, worth: 2, failed: 2, latencies: 2, firstTokens: 1 },
        },
      },
    ],
    champion: {
      units: 1,
      correct: [0],
      absoluteErrors: [],
      worth: [-20],
      failed: [0],
      latencies: [11],
      firstTokens: [],
      costs: [],
    },
    candidate: {
      units: 2,
      correct: [1, 0],
      absoluteErrors: [],
      worth: [5, -2],
      failed: [0, 1],
      latencies: [10, 15],
      firstTokens: [4],
      costs: [],
    },
  })
  expect(await readArms(db, model, { ...question, candidate: '9' })).toBeUndefined()
  expect(await readArms(db, model, { ...question, completeUntil: START })).toBeUndefined()
})

test('requests that both answered: in pairs, with one truth for both', async () => {
  const { db, predictions, labels } = stream
  const answer = (request: number, version: string, more: object = {}) => ({
    prediction_id: `${version}/${request}`,
    model_id: 'shadowed',
    model_version: version,
    shadow: version === '8',
    request_id: `r-${request}`,
    predicted_at: new Date(START + request * MINUTE).toISOString(),
    prediction: '1',
    ...more,
  })
  await predictions([
    answer(1, '7', { latency_ms: 5, time_to_first_token_ms: 2, cost_usd: 1 }),
    answer(1, '8', { latency_ms: 9, time_to_first_token_ms: 3, prediction: '0' }),
    // Labelled through the shadow; by its score; and failed.
    answer(2, '7', { prediction: null, score: 0.9 }),
    answer(2, '8', { prediction: '0', status: 'error' }),
    // Unlabelled.
    answer(3, '7'),
    answer(3, '8'),
    // Answered by one alone; asked again, of which the first answer counts.
    answer(4, '7'),
    answer(5, '7'),
    answer(5, '8'),
    {
      ...answer(5, '8', { prediction: '0' }),
      prediction_id: '8/5-again',
      predicted_at: new Date(START + 6 * MINUTE).toISOString(),
    },
    answer(9, '7'),
    answer(9, '8'),
  ])
  const told = { '7/1': '1', '8/1': '0', '8/2': '1', '7/5': '0' }
  await labels(
    Object.entries(told).map(([id, label]) => ({
      label_id: id,
      model_id: 'shadowed',
      prediction_id: id,
      label,
      labelled_at: new Date(START).toISOString(),
      source: 'ground_truth',
    })),
  )
  const pairs = await readPairs(
    db,
    { ...model, modelId: 'shadowed' },
    {
      by: 'model_version',
      champion: '7',
      candidate: '8',
      from: 0,
      completeUntil: START + 18 * MINUTE,
      looks: 2,
    },
  )
  const reached = (units: number, correct: number) => ({
    units,
    correct,
    errors: 0,
    worth: correct,
    failed: units,
    latencies: 1,
    firstTokens: 1,
    costs: 0,
  })
  expect(pairs!.looks.map(({ champion }) => champion)).toEqual([reached(3, 2), reached(4, 3)])
  expect(pairs).toMatchObject({
    champion: {
      units: 4,
      correct: [1, 1, 0],
      worth: [5, 5, -2],
      failed: [0, 0, 0, 0],
      latencies: [5],
      firstTokens: [2],
      costs: [],
    },
    candidate: {
      units: 4,
      correct: [0, 0, 0],
      worth: [-20, -20, -2],
      failed: [0, 1, 0, 0],
      latencies: [9],
      firstTokens: [3],
      costs: [],
    },
  })
})
