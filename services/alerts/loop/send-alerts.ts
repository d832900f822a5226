/** Alerts out, to Alertmanager's API v2. */
import { causesOf, clauseOf } from '../../../lib/models/alarm-sentences.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { Module } from '../../../lib/runtime/modules.ts'
import type { Ownership } from '../../../lib/models/ownership.ts'
import { pollLoop } from '../../../lib/runtime/poll-loop.ts'
import type { ActiveAlarm } from '../../../schemas/active-alarms.ts'

const INTERVAL_MS = 15_000
const TIMEOUT_MS = 5000
/** Features that an annotation names as what may be behind the alarm. */
const MAX_CAUSES = 3

/** An alert as Alertmanager takes it; times are RFC 3339. */
export interface OutgoingAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
  endsAt?: string
  /** The page of the episode, or of the model. */
  generatorURL: string
}

const rounded = (value: number | null) =>
  value === null ? 'unknown' : String(Number(value.toPrecision(4)))

/**
 * An active alarm as an alert of a warning: which model, what, how much, since when, whose. Its labels
 * are the same from its begin to its end, whatever window shows it and however severe it is. Pure.
 */
function warningOf(
  alarm: ActiveAlarm,
  causes: string,
  { ownershipOf, pageOf, reportOf }: AlertTexts,
): OutgoingAlert {
  const { labels, runbookUrl } = ownershipOf(alarm.model_id)
  const { family, metric, subject, value, threshold, window_start, window_end, reason, since } =
    alarm
  const what = `${family} ${metric}${subject === '' ? '' : ` of ${subject}`}`
  const beyond = threshold === null ? '' : `, its line is ${rounded(threshold)}`
  const whose = labels['owner'] ?? labels['team']
  return {
    labels: {
      ...labels,
      alertname: 'PlumblineVerdict',
      model_id: alarm.model_id,
      family,
      metric,
      subject,
      reference: alarm.reference,
      severity: 'warning',
    },
    annotations: {
      summary: `${alarm.model_id}: ${what} is ${rounded(value)}${beyond}, since ${since}${whose ? `; ${whose} answers for it` : ''}`,
      description: `window ${window_start} to ${window_end}: ${clauseOf(alarm)}. ${reason}`,
      ...(causes !== '' && { causes }),
      page: pageOf(alarm),
      report: reportOf(alarm),
      runbook_url: runbookUrl ?? 'docs/operations.md#plumblineverdict',
    },
    startsAt: since,
    generatorURL: pageOf(alarm),
  }
}

/**
 * The alerts of an active alarm: that of a warning for as long as it lasts, and one for pagers
 * besides while it is an alarm, so that neither changes into the other.
 */
function alertsOf(alarm: ActiveAlarm, causes: string, texts: AlertTexts): OutgoingAlert[] {
  const warning = warningOf(alarm, causes, texts)
  if (alarm.severity === 'warning') return [warning]
  return [warning, { ...warning, labels: { ...warning.labels, severity: 'critical' } }]
}

/** What alerts say of a model besides its alarm. */
export interface AlertTexts {
  ownershipOf: (modelId: string) => Ownership
  /** Address of the page that an alert links to. */
  pageOf: (alarm: Pick<ActiveAlarm, 'model_id' | 'episode_id'>) => string
  /** Address of the report up to the window that alarms. */
  reportOf: (alarm: Pick<ActiveAlarm, 'model_id' | 'window_end'>) => string
}

/** An Alertmanager, and what it was sent last. */
export interface AlertSender {
  texts: AlertTexts
  url: string
  log: Logger
  /** Epoch milliseconds. */
  now: () => number
  /** Alerts that fire there, by their labels. */
  sent: Map<string, OutgoingAlert>
}

/** Makes a sender that has sent nothing yet. */
export const alertSender = (parts: Omit<AlertSender, 'sent'>): AlertSender => ({
  ...parts,
  sent: new Map(),
})

/**
 * Sends active alarms again and again, as Alertmanager expects, and in the same request an end for
 * those that have gone. What it does not take is logged, and sent with the next call.
 */
export async function sendAlerts(
  { url, texts, log, now, sent }: AlertSender,
  alarms: readonly ActiveAlarm[],
): Promise<void> {
  const causes = new Map(
    [...Map.groupBy(alarms, ({ model_id: id }) => id)].map(([id, own]) => [
      id,
      causesOf(own, MAX_CAUSES).map(clauseOf).join('; '),
    ]),
  )
  const active = new Map(
    alarms
      .flatMap((alarm) => alertsOf(alarm, causes.get(alarm.model_id)!, texts))
      .map((alert) => [JSON.stringify(alert.labels), alert]),
  )
  const ended = [...sent]
    .filter(([key]) => !active.has(key))
    .map(([, alert]) => ({ ...alert, endsAt: new Date(now()).toISOString() }))
  const alerts = [...active.values(), ...ended]
  if (alerts.length === 0) return
  try {
    await postAlerts(url, alerts)
    sent.clear()
    for (const [key, alert] of active) sent.set(key, alert)
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'Alertmanager not told, trying again')
  }
}

/** @throws where Alertmanager cannot be reached or refuses them */
async function postAlerts(url: string, alerts: readonly OutgoingAlert[]): Promise<void> {
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
}

/** Sends what is active at every interval for as long as the process lives. */
export const alerting = (
  sender: AlertSender,
  activeAlarms: () => Promise<readonly ActiveAlarm[]>,
): Module =>
  pollLoop({
    name: 'alerts',
    everyMs: INTERVAL_MS,
    rest: 0,
    step: async () => sendAlerts(sender, await activeAlarms()),
    onError: (error) =>
      sender.log.warn({ error: messageOf(error) }, 'standing alarms not read, trying again'),
  }).module
