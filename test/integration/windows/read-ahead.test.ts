/**
 * What is read ahead for several windows says what each of them read by itself says, also where
 * events come meanwhile, or it cannot be read.
 */
import { beforeAll, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { DriftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { evaluateOn } from '../../evaluating.ts'
import { RECEIVED_AT } from '../../harness.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const WINDOWS = 9
/** When the first window begins: long before its events are received, so that nothing is live. */
const BEGIN = RECEIVED_AT - 240 * HOUR
const NOW = RECEIVED_AT + 48 * HOUR

let stream: Pipeline

beforeAll(async () => {
  stream = await pipeline()
})

const modelOf = (id: string) =>
  parseModel(`{ model_id: ${id}, task: binary, windows: { size: 1h, lateness: 0s, min_count: 20 },
    references: { learned: { kind: first, windows: 4, baseline: true }, recent: { kind: trailing, windows: 3 },
      before: { kind: previous }, opening: { kind: first } } }`)

/** Two versions, a variant and shadows, and a number that moves in the seventh window. */
const eventsOf = (id: string, window: number, from = 0, to = 60) =>
  Array.from({ length: to - from }, (_, k) => k + from).map((i) => ({
    prediction_id: `${window}-${i}`,
    model_id: id,
    model_version: i % 3 === 0 ? '2' : '1',
    ...(i % 4 === 0 && { variant: 'b' }),
    ...(i % 11 === 5 && { shadow: true }),
    predicted_at: new Date(BEGIN + window * HOUR + i * 50_000).toISOString(),
    score: ((i * 37 + window) % 100) / 100,
    features: {
      amount: ((i * 7919 + window * 31) % 200) + (window === 6 ? 500 : 0),
      country: ['DE', 'FR', 'IT'][(i + window) % 3],
    },
    ...(i % 5 === 0 && { attributions: { amount: 0.1 * i } }),
  }))

async function emit(id: string, more: (window: number) => boolean = () => true) {
  for (let window = 0; window < WINDOWS; window++)
    if (more(window)) await stream.predictions(eventsOf(id, window))
}

const evaluator = (between: (own: DriftQueries) => DriftQueries = (own) => own) =>
  evaluateOn(stream.connect('drift'), { now: () => NOW, between })

/** All that was said of a model, but when. */
const said = async (id: string) =>
  stream.db.query<Record<string, unknown>>(
    `SELECT * EXCEPT (model_id, computed_at, revision, policy_revision, episode_id) FROM window_metrics_latest WHERE model_id = {model:String}
     ORDER BY window_start, model_version, variant, slice_key, slice_value, family, subject, metric, convention, method, reference`,
    { model: id },
  )

test('a backlog reads as windows that are evaluated one by one do', async () => {
  let asked = 0
  const counted = (own: DriftQueries): DriftQueries => ({
    ...own,
    countsOfGroups: async (question) => {
      asked++
      return own.countsOfGroups(question)
    },
  })
  await emit('backlog')
  await evaluator(counted)(modelOf('backlog'))
  // The first window by itself, and all others.
  expect(asked).toBe(1)
  for (let window = 0; window < WINDOWS; window++) {
    await stream.predictions(eventsOf('one_by_one', window))
    await evaluator()(modelOf('one_by_one'))
  }
  const found = await said('backlog')
  expect(found.length).toBeGreaterThan(500)
  expect(found.some(({ verdict }) => verdict === 'alarm')).toBe(true)
  expect(found).toEqual(await said('one_by_one'))
})

test('events that come after the read are in what is published', async () => {
  let isLate = false
  const late = (own: DriftQueries): DriftQueries => ({
    ...own,
    countsOfGroups: async (question) => {
      const counts = await own.countsOfGroups(question)
      if (!isLate) await stream.predictions(eventsOf('meanwhile', 7, 40))
      isLate = true
      return counts
    },
  })
  for (let window = 0; window < WINDOWS; window++)
    await stream.predictions(eventsOf('meanwhile', window, 0, window === 7 ? 40 : 60))
  await evaluator(late)(modelOf('meanwhile'))
  expect(isLate).toBe(true)
  expect(await said('meanwhile')).toEqual(await said('backlog'))
})

test('where nothing can be read ahead each window is read by itself', async () => {
  const failing = (own: DriftQueries): DriftQueries => ({
    ...own,
    countsOfGroups: () => Promise.reject(new Error('memory limit exceeded')),
  })
  await emit('without')
  await evaluator(failing)(modelOf('without'))
  expect(await said('without')).toEqual(await said('backlog'))
})
