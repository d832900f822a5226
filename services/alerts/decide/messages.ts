/** What receivers are told, before each says it in its own shape. */
import { day } from '../../../lib/models/alarm-sentences.ts'
import type { AlertKind, Templates } from '../../../schemas/alerts-file.ts'
import type { Incident, Owners, Severity } from './incidents.ts'
import { shown } from './letters.ts'
import { DEFAULT_TEMPLATES, filledText, type AlertValues } from './templates.ts'

/** What a message does: begins, changes or ends what its receiver knows, or tells by itself. */
export type AlertEvent = 'open' | 'update' | 'resolve' | 'digest' | 'test'

/** What a receiver is told; it is kept as it was made, and sent as it was kept. */
export interface Message extends Owners {
  event: AlertEvent
  /** The identity that all messages of one incident share; printable, 200 characters at most. */
  subject: string
  kind: AlertKind | 'digest' | 'test'
  model_id: string
  severity: Severity
  title: string
  text: string
  headline: string
  /** RFC 3339: since when, and when this was made. */
  since: string
  at: string
  page: string
  report: string
  /** Whose link to the run it is to carry: the link is made when it is sent, and kept nowhere. */
  approval?: ApprovalAsked
}

/** An approval that a message asks one person for; `expires_at` is RFC 3339. */
export interface ApprovalAsked {
  run_id: string
  person: string
  expires_at: string | null
}

const MAX_TITLE = 1000
const MAX_TEXT = 12_000
const MAX_WORDS = 200

/** What is told of an incident. */
export function incidentMessage(
  incident: Incident,
  event: 'open' | 'update' | 'resolve',
  {
    owners,
    at,
    templates,
    approver,
  }: {
    owners: Owners
    at: string
    templates: readonly (Templates | undefined)[]
    /** Who reads it, and may answer approvals by a link. */
    approver?: string | undefined
  },
): Message {
  const { incident_id: subject, kind, model_id, severity, headline, since, page, report } = incident
  const values = valuesOf(incident, event, owners)
  const written = (field: 'title' | 'text') =>
    templates.map((one) => one?.[field]).find((text) => text !== undefined) ??
    DEFAULT_TEMPLATES[field]
  return {
    event,
    subject,
    kind,
    model_id,
    severity,
    headline,
    since,
    at,
    page,
    report,
    ...owners,
    ...(incident.approval &&
      approver !== undefined &&
      event !== 'resolve' && { approval: { ...incident.approval, person: approver } }),
    title: shown(filledText(written('title'), values), MAX_TITLE),
    text: cut(filledText(written('text'), values), MAX_TEXT),
  }
}

const cut = (text: string, most: number) => text.slice(0, most).toWellFormed()

const STATUS = { open: 'firing', update: 'changed', resolve: 'resolved' } as const

function valuesOf(
  incident: Incident,
  event: 'open' | 'update' | 'resolve',
  owners: Owners,
): AlertValues {
  const { model_id, headline, kind, severity, since, count, page, report } = incident
  return {
    model: shown(model_id, MAX_WORDS),
    headline,
    details: detailsOf(incident, event, owners),
    kind,
    severity,
    status: STATUS[event],
    since: instant(since),
    count: String(count),
    owner: shown(owners.owner, MAX_WORDS),
    team: shown(owners.team, MAX_WORDS),
    environment: shown(owners.environment, MAX_WORDS),
    page,
    report,
    runbook: shown(owners.runbook, MAX_TITLE),
  }
}

/** RFC 3339 as people read it. */
const instant = (at: string): string =>
  `${day(Date.parse(at))} ${new Date(at).toISOString().slice(11, 16)} UTC`

function detailsOf(
  { items, count, since, model_id }: Incident,
  event: 'open' | 'update' | 'resolve',
  { owner, team, environment }: Owners,
): string {
  const more = count > items.length ? [`and ${count - items.length} more`] : []
  const whose = [owner, team === '' ? '' : `team ${team}`, environment]
    .filter((word) => word !== '')
    .map((word) => shown(word, MAX_WORDS))
  return [
    ...(event === 'resolve' ? ['It has ended. It was:'] : []),
    ...items.map(({ text, severity }) => `• ${text} (${severity})`),
    ...more,
    '',
    `Model ${shown(model_id, MAX_WORDS)}, since ${instant(since)}.`,
    ...(whose.length === 0 ? [] : [`Whose: ${whose.join(', ')}.`]),
  ].join('\n')
}

const NOBODY: Owners = { owner: '', team: '', environment: '', runbook: '' }

/** What a test says: nothing is wrong. */
export const testMessage = (
  subject: string,
  { receiver, at, page }: { receiver: string; at: string; page: string },
): Message => ({
  ...NOBODY,
  event: 'test',
  subject,
  kind: 'test',
  model_id: '',
  severity: 'warning',
  title: `Test: Plumbline reaches ${receiver}`,
  text: 'Somebody asked for this message. Nothing is wrong.',
  headline: 'a test message',
  since: at,
  at,
  page,
  report: '',
})

/** An incident as a digest counts it; times are RFC 3339. */
export interface DigestedIncident {
  incident: Incident
  opened_at: string
  resolved_at: string | null
}

const MAX_LINES = 100

/** A summary of the incidents that were open from `from` to `at` (RFC 3339). */
export function digestMessage(
  subject: string,
  all: readonly DigestedIncident[],
  { name, from, at, page }: { name: string; from: string; at: string; page: string },
): Message {
  const open = all.filter(({ resolved_at: ended }) => ended === null)
  const began = all.filter(({ opened_at: begun }) => begun >= from).length
  const ended = all.length - open.length
  const headline = `${open.length} open, ${began} began, ${ended} ended`
  const lines = all
    .toSorted((a, b) => Number(a.resolved_at !== null) - Number(b.resolved_at !== null))
    .map(({ incident: { model_id, headline: said, severity }, resolved_at: end }) => {
      const state = end === null ? severity : `ended ${instant(end)}`
      return `• ${shown(model_id, MAX_WORDS)}: ${said} (${state})`
    })
  const more = lines.length > MAX_LINES ? [`and ${lines.length - MAX_LINES} more`] : []
  return {
    ...NOBODY,
    event: 'digest',
    subject,
    kind: 'digest',
    model_id: '',
    severity: open.some(({ incident }) => incident.severity === 'alarm') ? 'alarm' : 'warning',
    title: `${name}: ${headline}, ${instant(from)} to ${instant(at)}`,
    text: cut(
      all.length === 0 ? 'Nothing was wrong.' : [...lines.slice(0, MAX_LINES), ...more].join('\n'),
      MAX_TEXT,
    ),
    headline,
    since: from,
    at,
    page,
    report: '',
  }
}
