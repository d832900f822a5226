/** An event that its model's expectations refuse is told so, and is in the log all the same. */
import { NO_PRIVACY } from '../events/privacy/redactor.ts'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { openAccess } from './api-keys.ts'
import { eventGateway } from './event-endpoint.ts'
import { createHttp, type Http } from './server.ts'

let app: Http | undefined
afterEach(() => app?.close())

const event = (id: string, amount: number) => ({
  prediction_id: id,
  model_id: 'm',
  model_version: '1',
  predicted_at: '2026-01-01T00:00:00Z',
  features: { amount },
})

test('refused events go to the log, where they become dead letters', async () => {
  const metrics = createMetrics()
  app = await createHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1 << 20,
    maxPendingBytes: 1 << 22,
    log: pino({ level: 'silent' }),
    registry: metrics.registry,
    readiness: { started: true, stopping: false },
    checks: new Map(),
    authenticate: openAccess,
  })
  const logged: string[] = []
  eventGateway(app, {
    service: 'ingest',
    path: '/v1/predictions',
    schema: PredictionV1,
    topic: 'predictions',
    idField: 'prediction_id',
    eventLog: {
      append: async (_topic, messages) => {
        for (const { value } of messages)
          logged.push((JSON.parse(String(value)) as { prediction_id: string }).prediction_id)
      },
    },
    metrics,
    privacy: NO_PRIVACY,
    refusalOf: (one) =>
      (one.get('features') as { get: (name: string) => number }).get('amount') < 0
        ? { rule: 'amount', message: 'amount is at least 0' }
        : undefined,
  })
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/predictions',
    payload: [event('a', 1), event('b', -1)],
  })
  expect(answer.json()).toEqual({
    accepted: 1,
    rejected: [
      { index: 1, id: 'b', code: 'expectation_violated', message: 'amount is at least 0' },
    ],
  })
  expect(logged).toEqual(['a', 'b'])
  const none = await app.inject({
    method: 'POST',
    url: '/v1/predictions',
    payload: event('c', -1),
  })
  expect(none.statusCode).toBe(400)
  expect(none.json()).toMatchObject({ code: 'nothing_valid', accepted: 0 })
  expect(logged).toEqual(['a', 'b', 'c'])
})
