/** What alerts that come in ask for. */
import { createHash } from 'node:crypto'
import type { AlertsBody } from '../../../schemas/http/retrain-trigger.ts'

/** A run that an alert asks for. */
export interface AlertRequest {
  modelId: string
  policy: string
  /** The same alert again is the same cause. */
  cause: string
  reason: string
}

const MAX_REASON = 1000
const MAX_IDENTITY = 200

/** A text of any length as one that keys a row. */
const short = (text: string) =>
  text.length <= MAX_IDENTITY ? text : createHash('sha256').update(text).digest('hex')

/** Firing alerts that name a model and, in the label `plumbline_policy`, one of its policies. */
export function requestsOf(body: AlertsBody): AlertRequest[] {
  return body.alerts.flatMap(({ status, labels, annotations, startsAt, fingerprint }) => {
    const { model_id: modelId, plumbline_policy: policy } = labels
    if (status !== 'firing' || !modelId || !policy) return []
    const identity = short(`${fingerprint ?? JSON.stringify(labels)}:${startsAt ?? ''}`)
    return [
      {
        modelId,
        policy,
        cause: `alert:${identity}`,
        reason: (annotations?.['summary'] ?? labels['alertname'] ?? 'an alert').slice(
          0,
          MAX_REASON,
        ),
      },
    ]
  })
}
