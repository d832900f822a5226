/** What is wrong, as incidents: one for one cause, with its list. */
import { createHash } from 'node:crypto'
import {
  alarmsSentence,
  clauseOf,
  ofWhole,
  rankedAlarms,
} from '../../../lib/models/alarm-sentences.ts'
import type { Ownership } from '../../../lib/models/ownership.ts'
import { smallest } from '../../../lib/stats/samples/extremes.ts'
import type { ActiveAlarm } from '../../../schemas/active-alarms.ts'
import type { AlertKind } from '../../../schemas/alerts-file.ts'
import { pageOfAlarm, reportOfAlarm } from './addresses.ts'
import { shown } from './letters.ts'

/** How grave something is. */
export type Severity = 'warning' | 'alarm'

/** One thing of an incident's list. */
export interface IncidentItem {
  /** What it is, whatever its value and its window. */
  key: string
  text: string
  severity: Severity
}

/** One cause that somebody may be told of. */
export interface Incident {
  /**
   * Id that stays for as long as the incident lasts, however severe it is and whatever window shows
   * it.
   */
  incident_id: string
  kind: AlertKind
  model_id: string
  severity: Severity
  headline: string
  /** RFC 3339. */
  since: string
  /** The gravest first, {@link MAX_ITEMS} at most. */
  items: IncidentItem[]
  /** All of them. */
  count: number
  /** Changes when something comes to the list, goes from it, or becomes more or less severe. */
  hash: string
  page: string
  report: string
  /** The run that waits for people, and until when (RFC 3339); absent for all else. */
  approval?: { run_id: string; expires_at: string | null }
}

/** A run that people are told of, with when it last changed. */
export interface RunFinding {
  run_id: string
  model_id: string
  policy: string
  kind: 'run_failed' | 'approval' | 'made_worse' | 'canary'
  severity: Severity
  message: string
  /** RFC 3339. */
  at: string
  /** Until when it may be approved, RFC 3339; null where nothing says so. */
  approval_expires_at: string | null
}

/** Things of one incident that are listed; more are counted. */
const MAX_ITEMS = 20
const MAX_TEXT = 300
const MAX_HEADLINE = 600
const MAX_ID = 200

/** A text of any length as one that keys a row, and that every receiver takes as an identity. */
const identity = (text: string): string =>
  text.length <= MAX_ID && /^[\x21-\x7e]+$/.test(text)
    ? text
    : createHash('sha256').update(text).digest('hex')

/**
 * Active alarms as incidents: one for each episode of a model.
 *
 * @param base address of the service, without a slash at its end
 */
export const incidentsOfAlarms = (alarms: readonly ActiveAlarm[], base: string): Incident[] =>
  [...Map.groupBy(alarms, causeOf).entries()].map(([cause, own]) => incidentOf(cause, own, base))

/** The cause that an alarm belongs to: its episode, or itself where it has none. */
const causeOf = (alarm: ActiveAlarm): string => {
  const { episode_id: episode, model_id, family, metric, subject } = alarm
  return episode === '' ? JSON.stringify([model_id, family, metric, subject]) : episode
}

function incidentOf(cause: string, alarms: readonly ActiveAlarm[], base: string): Incident {
  const severity = alarms.some((alarm) => alarm.severity === 'alarm') ? 'alarm' : 'warning'
  const isGravest = (alarm: ActiveAlarm) => alarm.severity === severity
  const ofModel = alarms.filter((alarm) => alarm.model_version === '' && alarm.variant === '')
  const candidates = [ofWhole(ofModel), ofModel, alarms].map((all) => all.filter(isGravest))
  const said = candidates.find((all) => all.length > 0) ?? alarms
  const newest = alarms.reduce((a, b) => (b.window_end > a.window_end ? b : a))
  const items = alarms.toSorted(byGravity).map(itemOf)
  return {
    incident_id: identity(`alarm/${cause}`),
    kind: alarms.some(isSilence) ? 'silence' : 'alarm',
    model_id: newest.model_id,
    severity,
    headline: shown(alarmsSentence(rankedAlarms(said)), MAX_HEADLINE),
    since: new Date(smallest(alarms.map(({ since }) => Date.parse(since)))).toISOString(),
    items: items.slice(0, MAX_ITEMS),
    count: items.length,
    hash: hashOf(items),
    page: pageOfAlarm(base, newest),
    report: reportOfAlarm(base, newest),
  }
}

const isSilence = ({ metric, value, severity }: ActiveAlarm) =>
  metric === 'throughput_per_s' && value === 0 && severity === 'alarm'

const byGravity = (a: ActiveAlarm, b: ActiveAlarm) =>
  Number(b.severity === 'alarm') - Number(a.severity === 'alarm') ||
  Number(b.slice_key === '') - Number(a.slice_key === '')

function itemOf(alarm: ActiveAlarm): IncidentItem {
  const { family, metric, subject, slice_key, slice_value, model_version, variant, severity } =
    alarm
  const version = model_version === '' ? '' : ` (version ${model_version})`
  const arm = variant === '' ? '' : ` (variant ${variant})`
  return {
    key: JSON.stringify([family, metric, subject, slice_key, slice_value, model_version, variant]),
    text: shown(`${clauseOf(alarm)}${version}${arm}`, MAX_TEXT),
    severity,
  }
}

const hashOf = (items: readonly IncidentItem[]): string =>
  createHash('sha256')
    .update(
      items
        .map(({ key, severity }) => `${key}\u0000${severity}`)
        .toSorted()
        .join('\u0001'),
    )
    .digest('hex')
    .slice(0, 16)

/** Whether an incident is told by the same words as before. */
export const isSame = (a: Incident, b: Incident): boolean => wordsOf(a) === wordsOf(b)

const wordsOf = (of: Incident): string =>
  JSON.stringify([
    of.kind,
    of.severity,
    of.headline,
    of.since,
    of.count,
    of.hash,
    of.page,
    of.report,
    of.items.map(({ key, text, severity }) => [key, text, severity]),
  ])

const HEADLINES = {
  run_failed: 'retraining failed',
  approval: 'a retraining waits for approval',
  made_worse: 'a retraining has made it worse',
  canary: 'the traffic of a candidate is held',
} as const

/** A run that people are told of, as an incident of its policy. */
export function incidentOfRun(run: RunFinding, base: string): Incident {
  const { run_id, model_id, policy, kind, severity, message, at } = run
  const { approval_expires_at: expires } = run
  const why = message === '' ? '' : `: ${message}`
  // A policy whose runs fail one after another has one cause; an approval and a candidate are of one run.
  const isOfRun = kind === 'approval' || kind === 'canary'
  const cause = isOfRun ? run_id : JSON.stringify([model_id, policy])
  const headline = shown(`${HEADLINES[kind]} (policy ${policy})${why}`, MAX_HEADLINE)
  const item = { key: run_id, text: shown(`run ${run_id}${why}`, MAX_TEXT), severity } as const
  return {
    incident_id: identity(`${kind}/${cause}`),
    kind,
    model_id,
    severity,
    headline,
    since: at,
    items: [item],
    count: 1,
    hash: hashOf([item]),
    page: `${base}/runs`,
    report: '',
    ...(kind === 'approval' && { approval: { run_id, expires_at: expires } }),
  }
}

/** Who answers for a model, as routes and messages know it; '' for what its file does not say. */
export function ownersOf({ labels, runbookUrl }: Ownership): Owners {
  const { owner = '', team = '', environment = '' } = labels
  return { owner, team, environment, runbook: runbookUrl ?? '' }
}

/** Whose a model is. */
export interface Owners {
  owner: string
  team: string
  environment: string
  runbook: string
}
