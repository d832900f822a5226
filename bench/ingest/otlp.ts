/**
 * OpenTelemetry's spans beside predictions in JSON: events that a second of CPU validates and hands
 * to the log, in batches.
 */
import { pino } from 'pino'
import { median } from 'simple-statistics'
import { openAccess } from '../../lib/http/api-keys.ts'
import { eventGateway } from '../../lib/http/event-endpoint.ts'
import { createHttp } from '../../lib/http/server.ts'
import { NO_PRIVACY } from '../../lib/events/privacy/redactor.ts'
import { createMetrics } from '../../lib/runtime/metrics.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { otlpRoutes } from '../../services/ingest/http/otlp-routes.ts'
import { outcomesOfTraces } from '../../services/ingest/wire-formats/otlp.ts'
import { otlpMessages } from '../../test/planted/otlp-messages.ts'
import { attributesOf, span } from '../../test/planted/otlp-records.ts'
import { benchEvent } from './events.ts'
import type { Result } from '../result.ts'
import { measured } from './measured.ts'

const BATCH = 100
const BATCHES = 100
/** How often the batches are sent in a round: what is measured is code that is warm. */
const TIMES = 5
const TEXT = 'a question of some length, and its answer. '.repeat(5)

interface Sent {
  path: string
  type: string
  bodies: Buffer[]
}

/** A call of a language model as the conventions have it. */
const call = (i: number) =>
  span(
    {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'g',
      'gen_ai.response.model': 'g-2026',
      'gen_ai.response.id': `chatcmpl-${i}`,
      'gen_ai.response.finish_reasons': 'stop',
      'gen_ai.usage.input_tokens': 100 + i,
      'gen_ai.usage.output_tokens': 20 + i,
      'gen_ai.conversation.id': `c-${i % 1000}`,
      'user.id': `u-${i % 100}`,
      'gen_ai.input.messages': TEXT,
      'gen_ai.output.messages': TEXT,
      'server.address': 'api.example.com',
      'server.port': 443,
    },
    { spanId: i.toString(16).padStart(16, '0') },
  )

function requests(): Record<string, Sent> {
  const messages = otlpMessages()
  const resource = { attributes: attributesOf({ 'service.name': 'bench' }) }
  const batches = Array.from({ length: BATCHES }, (_, batch) => {
    const spans = Array.from({ length: BATCH }, (_, i) => call(batch * BATCH + i))
    return { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }
  })
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const events = (batch: object) =>
    [...outcomesOfTraces(batch)].map((outcome) => 'event' in outcome && outcome.event)
  const features = (_: object, batch: number) =>
    Array.from({ length: BATCH }, (_, i) => benchEvent(batch * BATCH + i))
  const application = 'application/json'
  return {
    'predictions in JSON, 20 features': {
      path: '/v1/predictions',
      type: application,
      bodies: batches.map(features).map(json),
    },
    'predictions in JSON, the same calls': {
      path: '/v1/predictions',
      type: application,
      bodies: batches.map(events).map(json),
    },
    'OTLP, protocol buffers': {
      path: '/v1/traces',
      type: 'application/x-protobuf',
      bodies: batches.map((batch) => messages.encode('traces', batch)),
    },
    'OTLP, JSON': { path: '/v1/traces', type: application, bodies: batches.map(json) },
  }
}

/**
 * Both endpoints over a log that takes everything at once: what is measured is reading, translating
 * and validating.
 */
export async function benchOtlp(rounds: number): Promise<Result[]> {
  const log = pino({ level: 'silent' })
  const metrics = createMetrics()
  const http = await createHttp({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 10 << 20,
    maxPendingBytes: 64 << 20,
    log,
    registry: metrics.registry,
    readiness: { started: true, stopping: false },
    checks: new Map(),
    authenticate: openAccess,
  })
  const eventLog = { append: async () => {} }
  eventGateway(http, {
    service: 'bench',
    path: '/v1/predictions',
    schema: PredictionV1,
    topic: TOPICS.predictions.topic,
    idField: 'prediction_id',
    eventLog,
    metrics,
    privacy: NO_PRIVACY,
  })
  otlpRoutes(http, { eventLog, metrics, log, privacy: NO_PRIVACY })
  const sent = requests()
  const send = async ({ path, type, bodies }: Sent) => {
    for (let i = 0; i < TIMES; i++)
      for (const payload of bodies) {
        const headers = { 'content-type': type }
        const answer = await http.inject({ method: 'POST', url: path, headers, payload })
        if (answer.statusCode !== 200) throw new Error(answer.body)
      }
  }
  const rates = new Map(Object.keys(sent).map((name) => [name, [] as number[]]))
  for (const each of Object.values(sent)) await send(each)
  for (let round = 0; round < rounds; round++)
    for (const [name, each] of Object.entries(sent))
      rates
        .get(name)!
        .push((await measured(BATCH * BATCHES * TIMES, () => send(each))).cpuPerSecond)
  await http.close()
  const [against] = Object.keys(sent)
  const base = median(rates.get(against!)!)
  return Object.entries(sent).map(([name, { bodies }]) => ({
    name,
    value: median(rates.get(name)!),
    unit: 'events per CPU-second',
    against: name === against ? '' : against!,
    ratio: name === against ? null : median(rates.get(name)!) / base,
    rounds,
    settings: {
      batch: BATCH,
      bytes: Math.round(bodies.reduce((sum, body) => sum + body.length, 0) / BATCH / BATCHES),
    },
  }))
}
