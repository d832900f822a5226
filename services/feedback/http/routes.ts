import { eventGateway } from '../../../lib/http/event-endpoint.ts'
import type { EventLog } from '../../../lib/event-log/port.ts'
import type { RefusalOf } from '../../../lib/models/expectations/refusal.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { attributesKey, AttributesV1 } from '../../../schemas/events/attributes.v1.ts'
import { labelKey, LabelV1 } from '../../../schemas/events/label.v1.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { reviewRoutes, type ReviewRoutesOptions } from './review-routes.ts'
import { undoRoutes } from './undo-routes.ts'

/** What the routes ask and append to. */
export interface FeedbackRoutesOptions extends ReviewRoutesOptions {
  eventLog: EventLog
  metrics: Metrics
  /** Which labels are refused, and why. */
  refusalOf: RefusalOf
}

/** Registers the endpoints of labels and attributes, and the routes of human review. */
export function feedbackRoutes(http: Http, options: FeedbackRoutesOptions): void {
  labelEvents(http, options)
  attributeEvents(http, options)
  reviewRoutes(http, options)
  undoRoutes(http, options)
}

function labelEvents(http: Http, options: FeedbackRoutesOptions): void {
  const { eventLog, metrics, privacy, refusalOf } = options
  eventGateway(http, {
    service: 'feedback',
    eventLog,
    metrics,
    privacy,
    path: '/v1/labels',
    schema: LabelV1,
    topic: TOPICS.labels.topic,
    keyOf: labelKey,
    idField: 'label_id',
    refusalOf,
  })
}

function attributeEvents(http: Http, { eventLog, metrics, privacy }: FeedbackRoutesOptions): void {
  eventGateway(http, {
    service: 'feedback',
    eventLog,
    metrics,
    privacy,
    path: '/v1/attributes',
    schema: AttributesV1,
    topic: TOPICS.attributes.topic,
    keyOf: attributesKey,
    idField: 'subject_id',
  })
}
