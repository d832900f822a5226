/** Every endpoint refuses for an expectation alike, and sends what it refuses to the log. */
import { NO_PRIVACY } from '../../../lib/events/privacy/redactor.ts'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { openAccess } from '../../../lib/http/api-keys.ts'
import { createHttp, type Http } from '../../../lib/http/server.ts'
import { refusals } from '../../../lib/models/expectations/refusal.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { createMetrics } from '../../../lib/runtime/metrics.ts'
import { cloudEventRoutes } from './cloud-event-routes.ts'
import { ingestRoutes } from './event-routes.ts'
import { otlpRoutes } from './otlp-routes.ts'

let app: Http | undefined
afterEach(() => app?.close())

const model = parseModel(
  JSON.stringify({
    model_id: 'gpt-4o',
    task: 'llm',
    expectations: [{ name: 'tokens', expression: '@output_tokens <= 100', on_violation: 'reject' }],
  }),
)
const SENTENCE = 'the event violates the expectation tokens: @output_tokens <= 100'

async function endpoints() {
  const metrics = createMetrics()
  const log = pino({ level: 'silent' })
  app = await createHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1 << 20,
    maxPendingBytes: 1 << 22,
    log,
    registry: metrics.registry,
    readiness: { started: true, stopping: false },
    checks: new Map(),
    authenticate: openAccess,
  })
  const logged: Record<string, unknown>[] = []
  const eventLog = {
    append: async (_topic: string, messages: readonly { value: string | Buffer }[]) => {
      for (const { value } of messages)
        logged.push(JSON.parse(String(value)) as Record<string, unknown>)
    },
  }
  const options = { eventLog, metrics, log, privacy: NO_PRIVACY, refusalOf: refusals([model]) }
  ingestRoutes(app, options)
  cloudEventRoutes(app, options)
  otlpRoutes(app, options)
  return { http: app, logged }
}

const event = (tokens: number) => ({
  prediction_id: `p${tokens}`,
  model_id: 'gpt-4o',
  model_version: '1',
  predicted_at: '2026-01-01T00:00:00Z',
  output_tokens: tokens,
})

test('predictions and CloudEvents', async () => {
  const { http, logged } = await endpoints()
  const plain = await http.inject({
    method: 'POST',
    url: '/v1/predictions',
    payload: [event(1), event(101)],
  })
  const batch = await http.inject({
    method: 'POST',
    url: '/v1/cloudevents',
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    payload: JSON.stringify(
      [event(2), event(102)].map((data) => ({
        specversion: '1.0',
        id: data.prediction_id,
        source: '/test',
        type: 'plumbline.prediction.v1',
        datacontenttype: 'application/json',
        data,
      })),
    ),
  })
  for (const answer of [plain, batch])
    expect(answer.json()).toMatchObject({
      accepted: 1,
      rejected: [{ index: 1, code: 'expectation_violated', message: SENTENCE }],
    })
  // The refused ones of a batch of CloudEvents go before the others.
  expect(logged.map((one) => one['prediction_id'])).toEqual(['p1', 'p101', 'p102', 'p2'])
})

test('spans of OTLP', async () => {
  const { http, logged } = await endpoints()
  const span = (tokens: number) => ({
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: `eee19b7ec3c1b17${tokens % 10}`,
    name: 'chat gpt-4o',
    startTimeUnixNano: '1767225600000000000',
    endTimeUnixNano: '1767225601000000000',
    attributes: [
      { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
      { key: 'gen_ai.request.model', value: { stringValue: 'gpt-4o' } },
      { key: 'gen_ai.usage.output_tokens', value: { intValue: String(tokens) } },
    ],
  })
  const answer = await http.inject({
    method: 'POST',
    url: '/v1/traces',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'gpt-4o' } }] },
          scopeSpans: [{ spans: [span(1), span(105)] }],
        },
      ],
    }),
  })
  expect(answer.json()).toMatchObject({ partialSuccess: { rejectedSpans: '1' } })
  expect(answer.body).toContain(SENTENCE)
  expect(logged.map((one) => [one['model_id'], one['output_tokens']])).toEqual([
    ['gpt-4o', 105],
    ['gpt-4o', 1],
  ])
})
