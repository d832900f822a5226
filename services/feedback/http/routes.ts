import { eventGateway } from '../../../lib/http/event-endpoint.ts'
import type { EventLog } from '../../../lib/event-log/port.ts'
import type { RefusalOf } from '../../../lib/models/expectations/refusal.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import { attributesKey, AttributesV1 } from '../../../schemas/events/attributes.v1.ts'
import { labelKey, LabelV1 } from '../../../schemas/events/label.v1.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { ARGILLA_BODY, LABEL_STUDIO_BODY } from '../../../schemas/http/labels/exchange.ts'
import { argillaLabels } from '../data/exchange/argilla.ts'
import { labelStudioLabels } from '../data/exchange/label-studio.ts'
import { adjudicationRoutes } from './reviews/adjudication-routes.ts'
import { flagRoutes } from './reviews/flag-routes.ts'
import { goldRoutes } from './reviews/gold-routes.ts'
import { pauseRoutes } from './reviews/pause-routes.ts'
import { reviewRoutes, type ReviewRoutesOptions } from './review-routes.ts'
import { undoRoutes } from './undo-routes.ts'

/** What the routes ask and append to. */
export interface FeedbackRoutesOptions extends ReviewRoutesOptions {
  eventLog: EventLog
  metrics: Metrics
  now: () => number
  /** Which labels are refused, and why. */
  refusalOf: RefusalOf
}

/** Registers the endpoints of labels and attributes, and the routes of human review. */
export function feedbackRoutes(http: Http, options: FeedbackRoutesOptions): void {
  labelEvents(http, options)
  attributeEvents(http, options)
  foreignLabels(http, options)
  reviewRoutes(http, options)
  undoRoutes(http, options)
  goldRoutes(http, options)
  adjudicationRoutes(http, options)
  flagRoutes(http, options)
  pauseRoutes(http, options)
}

/** What every endpoint of labels has. */
const ofLabels = ({ eventLog, metrics, privacy, refusalOf }: FeedbackRoutesOptions) => ({
  service: 'feedback',
  eventLog,
  metrics,
  privacy,
  schema: LabelV1,
  topic: TOPICS.labels.topic,
  keyOf: labelKey,
  idField: 'label_id',
  refusalOf,
})

function labelEvents(http: Http, options: FeedbackRoutesOptions): void {
  eventGateway(http, { ...ofLabels(options), path: '/v1/labels' })
}

function foreignLabels(http: Http, options: FeedbackRoutesOptions): void {
  eventGateway(http, {
    ...ofLabels(options),
    path: '/v1/labels/label-studio',
    foreign: {
      summary: 'Annotations of Label Studio as labels: exports and its webhook',
      body: LABEL_STUDIO_BODY,
      eventsOf: labelStudioLabels,
    },
  })
  eventGateway(http, {
    ...ofLabels(options),
    path: '/v1/labels/argilla',
    foreign: {
      summary: 'Responses of Argilla as labels: records as it exports them',
      body: ARGILLA_BODY,
      eventsOf: (body) => argillaLabels(body, options.now()),
    },
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
