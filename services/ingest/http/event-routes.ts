import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { eventGateway } from '../../../lib/http/event-endpoint.ts'
import type { EventLog } from '../../../lib/event-log/port.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'

/** Registers `POST /v1/predictions`. */
export function ingestRoutes(
  http: Http,
  { eventLog, metrics, privacy }: { eventLog: EventLog; metrics: Metrics; privacy: Privacy },
): void {
  eventGateway(http, {
    service: 'ingest',
    path: '/v1/predictions',
    schema: PredictionV1,
    topic: TOPICS.predictions.topic,
    idField: 'prediction_id',
    eventLog,
    metrics,
    privacy,
  })
}
