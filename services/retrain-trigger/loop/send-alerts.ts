/** Alerts out, to Alertmanager's API v2, and alerts in, from Alertmanager and Grafana. */
import { createHash } from 'node:crypto'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { StandingAlarm } from '../queries/policy-queries.ts'

const TIMEOUT_MS = 5000

export interface OutgoingAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
  endsAt?: string
}

/** Pure: what Alertmanager is told of one standing alarm. */
function alertOf(alarm: StandingAlarm): OutgoingAlert {
  const what = `${alarm.family} ${alarm.metric}${alarm.subject === '' ? '' : ` of ${alarm.subject}`}`
  return {
    labels: {
      alertname: 'PlumblineVerdict',
      model_id: alarm.model_id,
      family: alarm.family,
      metric: alarm.metric,
      subject: alarm.subject,
      reference: alarm.reference,
      severity: alarm.verdict === 'alarm' ? 'critical' : 'warning',
    },
    annotations: {
      summary: `${alarm.model_id}: ${what} is ${alarm.value === null ? 'unknown' : Number(alarm.value.toPrecision(4))}`,
      description: `window ${alarm.window_start} to ${alarm.window_end}. ${alarm.reason}`,
    },
    startsAt: alarm.window_end,
  }
}

/** Keeps Alertmanager told: standing alarms again and again, as it expects, and an end for those that have gone. */
export function alertSender(url: string, log: Logger, now: () => number) {
  const sent = new Map<string, OutgoingAlert>()
  return async (alarms: readonly StandingAlarm[]) => {
    const standing = new Map(
      alarms.map(alertOf).map((alert) => [JSON.stringify(alert.labels), alert]),
    )
    const ended = [...sent]
      .filter(([key]) => !standing.has(key))
      .map(([, alert]) => ({ ...alert, endsAt: new Date(now()).toISOString() }))
    const alerts = [...standing.values(), ...ended]
    if (alerts.length === 0) return
    try {
      const response = await fetch(`${url.replace(/\/$/, '')}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      if (!response.ok)
        throw new Error(
          `Alertmanager answered ${response.status}: ${(await response.text()).slice(0, 200)}`,
        )
      sent.clear()
      for (const [key, alert] of standing) sent.set(key, alert)
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'Alertmanager not told, trying again')
    }
  }
}

/** The parts that Alertmanager's webhook (version 4) and Grafana's have in common. */
export interface IncomingAlerts {
  alerts: {
    status: string
    labels: Record<string, string>
    annotations?: Record<string, string>
    startsAt?: string
    fingerprint?: string
  }[]
}

export interface AlertRequest {
  modelId: string
  policy: string
  /** The same alert again is the same cause. */
  cause: string
  reason: string
}

const LONGEST_REASON = 1000
const LONGEST_IDENTITY = 200

/** A text of any length as one that keys a row. */
const short = (text: string) =>
  text.length <= LONGEST_IDENTITY ? text : createHash('sha256').update(text).digest('hex')

/** Firing alerts that name a model and, in the label `plumbline_policy`, one of its policies. Pure. */
export function requestsOf(body: IncomingAlerts): AlertRequest[] {
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
          LONGEST_REASON,
        ),
      },
    ]
  })
}
