/** What alerts that come in ask for. */
import { createHash } from 'node:crypto'
import type { AlertsBody } from '../../../schemas/http/alerts/alerts-in.ts'

/** A run that an alert asks for. */
export interface AlertRequest {
  modelId: string
  /** The policy that it names; undefined: those that wait for an alert of its name. */
  policy: string | undefined
  /** Its `alertname`, '' where it has none. */
  name: string
  /** An alert that comes again is the same cause. */
  cause: string
  reason: string
}

const MAX_REASON = 1000
const MAX_IDENTITY = 200

/** A text of any length as one that keys a row. */
const short = (text: string) =>
  text.length <= MAX_IDENTITY ? text : createHash('sha256').update(text).digest('hex')

/**
 * Firing alerts that name a model and, in the label `plumbline_policy`, one of its policies, or
 * that have a name themselves.
 */
export function requestsOf(body: AlertsBody): AlertRequest[] {
  return body.alerts.flatMap(({ status, labels, annotations, startsAt, fingerprint }) => {
    const { model_id: modelId, plumbline_policy: policy, alertname: name = '' } = labels
    if (status !== 'firing' || !modelId || !(policy || name)) return []
    const identity = short(`${fingerprint ?? JSON.stringify(labels)}:${startsAt ?? ''}`)
    const reason = annotations?.['summary'] ?? (name || 'an alert')
    const cause = `alert:${identity}`
    return [
      { modelId, policy: policy || undefined, name, cause, reason: reason.slice(0, MAX_REASON) },
    ]
  })
}
