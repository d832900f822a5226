import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { eventGateway } from '../../../lib/http/event-endpoint.ts'
import type { EventLog } from '../../../lib/event-log/port.ts'
import type { Privacy } from '../../../lib/events/privacy/redactor.ts'
import type { RefusalOf } from '../../../lib/models/expectations/refusal.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'

/** What the endpoints of predictions need of the service. */
export interface IngestRoutesOptions {
  eventLog: Pick<EventLog, 'append'>
  metrics: Metrics
  /** What model files take out of events. */
  privacy: Privacy
  /** Tells by the model files what is refused; nothing is unless given. */
  refusalOf: RefusalOf | undefined
}

/** Registers `POST /v1/predictions`. */
export function ingestRoutes(
  http: Http,
  { eventLog, metrics, privacy, refusalOf }: IngestRoutesOptions,
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
    refusalOf,
  })
}
