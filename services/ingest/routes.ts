import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { eventGateway } from '../../lib/event-gateway.ts'
import type { EventLog } from '../../lib/event-log.ts'
import type { Http } from '../../lib/http.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { IngestConfig } from './config.ts'

export function ingestRoutes(
  http: Http,
  eventLog: EventLog,
  metrics: Metrics,
  config: IngestConfig,
): void {
  eventGateway(http, {
    service: 'ingest',
    path: '/v1/predictions',
    schema: PredictionV1,
    topic: TOPICS.predictions.topic,
    idField: 'prediction_id',
    eventLog,
    metrics,
    maxBodyBytes: config.PLUMBLINE_MAX_BODY_BYTES,
    maxPendingBytes: config.PLUMBLINE_MAX_PENDING_BYTES,
  })
}
