/**
 * One HTTP server in a process of its own: `bare`, a Fastify handler with our schema, or
 * `plumbline`, ours with Kafka behind it.
 */
import fastify from 'fastify'
import { pino } from 'pino'
import { openAccess } from '../../lib/http/api-keys.ts'
import { eventGateway } from '../../lib/http/event-endpoint.ts'
import { kafkaLog } from '../../lib/event-log/kafka.ts'
import { createHttp } from '../../lib/http/server.ts'
import { NO_PRIVACY } from '../../lib/events/privacy/redactor.ts'
import { createMetrics } from '../../lib/runtime/metrics.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { TOPICS } from '../../schemas/topics.ts'

const [mode, port, brokers] = process.argv.slice(2) as [string, string, string]
const path = '/v1/predictions'
if (mode === 'bare') {
  const app = fastify({
    ajv: { customOptions: { strict: false, formats: { 'event-time': true } } },
  })
  const { $id: _, ...schema } = PredictionV1 as unknown as Record<string, unknown>
  app.post(
    path,
    {
      bodyLimit: 10 << 20,
      schema: { body: { anyOf: [schema, { type: 'array', items: schema }] } },
    },
    async (request) => ({
      accepted: Array.isArray(request.body) ? request.body.length : 1,
      rejected: [],
    }),
  )
  await app.listen({ host: '127.0.0.1', port: Number(port) })
} else {
  const log = pino({ level: 'silent' })
  const metrics = createMetrics()
  const eventLog = kafkaLog({
    brokers: [brokers],
    clientId: 'bench',
    topics: Object.values(TOPICS),
    log,
  })
  void eventLog.module.run!(new AbortController().signal)
  const http = await createHttp({
    host: '127.0.0.1',
    port: Number(port),
    maxBodyBytes: 10 << 20,
    maxPendingBytes: 64 << 20,
    log,
    registry: metrics.registry,
    readiness: { started: true, stopping: false },
    checks: new Map([['kafka', () => eventLog.check()]]),
    authenticate: openAccess,
  })
  eventGateway(http, {
    service: 'bench',
    path,
    schema: PredictionV1,
    topic: TOPICS.predictions.topic,
    idField: 'prediction_id',
    eventLog,
    metrics,
    privacy: NO_PRIVACY,
  })
  await http.listen({ host: '127.0.0.1', port: Number(port) })
}
