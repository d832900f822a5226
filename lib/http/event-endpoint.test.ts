/** The answer of an event endpoint: what is accepted, what is refused for which faults, what is not read. */
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { NO_PRIVACY } from '../events/privacy/redactor.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { openAccess } from './api-keys.ts'
import { eventGateway } from './event-endpoint.ts'
import { createHttp, type Http } from './server.ts'

let app: Http | undefined
afterEach(() => app?.close())

async function answerTo(events: readonly object[]): Promise<{ status: number; body: unknown }> {
  const registry = new Registry()
  app = await createHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1 << 22,
    maxPendingBytes: 1 << 24,
    log: pino({ level: 'silent' }),
    registry,
    readiness: { started: true, stopping: false },
    checks: new Map(),
    authenticate: openAccess,
  })
  eventGateway(app, {
    service: 'ingest',
    path: '/v1/predictions',
    schema: PredictionV1,
    topic: 'predictions',
    idField: 'prediction_id',
    eventLog: { append: async () => {} },
    metrics: createMetrics(),
    privacy: NO_PRIVACY,
  })
  const response = await app.inject({ method: 'POST', url: '/v1/predictions', payload: events })
  return { status: response.statusCode, body: response.json() }
}

const prediction = (n: number, more: object = {}) => ({
  prediction_id: `p-${n}`,
  model_id: 'm',
  model_version: '1',
  predicted_at: '2026-01-01T00:00:00Z',
  prediction: '1',
  ...more,
})

test('a name that was probably meant to be a field is told, with how many events have it', async () => {
  const { body } = await answerTo([
    prediction(1, { featurs: { a: 1 } }),
    prediction(2, { featurs: { a: 1 }, team: 'x' }),
    prediction(3, { features: { a: 1 }, featurs: {} }),
    prediction(4, { scroe: 0.5 }),
  ])
  expect(body).toEqual({
    accepted: 4,
    rejected: [],
    misspelled: [
      { field: 'featurs', meant: 'features', events: 2 },
      { field: 'scroe', meant: 'score', events: 1 },
    ],
  })
})

test('fields of the producer’s own are no mistake', async () => {
  const { body } = await answerTo([prediction(1, { region: 'south', pod: '7' })])
  expect(body).toEqual({ accepted: 1, rejected: [] })
})

test('every fault of a refused event is told at once', async () => {
  const { status, body } = await answerTo([{ modelId: 'm', score: 'high', prediction: '1' }])
  expect(status).toBe(400)
  expect(body).toMatchObject({
    rejected: [
      {
        code: 'missing_field',
        message: 'prediction_id is required',
        also: [
          'model_id is required',
          'model_version is required',
          'predicted_at is required',
          expect.stringMatching(/^score /),
          'modelId is no field; did you mean model_id?',
        ],
      },
    ],
  })
})

test('thousands of misspelled names cost an answer of bounded length', async () => {
  const names = Array.from({ length: 5000 }, (_, i) => [`score${i}`, 1])
  const { body } = await answerTo([prediction(1, Object.fromEntries(names))])
  expect((body as { misspelled: object[] }).misspelled).toHaveLength(20)
})
