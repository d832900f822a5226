/**
 * Looks at what is wrong, and enqueues what is to be told of it: one process at a time decides, and
 * whichever does finds what the others have decided.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import type { Postgres, Sql } from '../../../lib/postgres/port.ts'
import type { AlertsFile } from '../../../schemas/alerts-file.ts'
import { lastDigestTime } from '../decide/digests.ts'
import {
  incidentOfRun,
  incidentsOfAlarms,
  isSame,
  ownersOf,
  type Incident,
} from '../decide/incidents.ts'
import { digestMessage, incidentMessage } from '../decide/messages.ts'
import { escalated, escalationOf, stepsDue } from '../decide/escalations.ts'
import { dueOf, endsOf, type Due, type Told } from '../decide/plan.ts'
import { matches, targetsOf } from '../decide/routes.ts'
import { alarmsOfCohorts, MAX_ALARMS, runFindings } from '../queries/findings.ts'
import { readUnanswered, recordEscalation } from '../queries/escalations.ts'
import {
  enqueue,
  forget,
  isEnqueued,
  lockAlerts,
  readOpen,
  readSince,
  readTold,
  recordEnded,
  recordGone,
  recordSeen,
  type NewDelivery,
  type OpenIncident,
} from '../queries/incidents.ts'

/** An incident has ended once it was not there for so long: a look may come between two states. */
const GONE_MS = 30_000
/** A digest that nobody could send within this time is left out. */
const DIGEST_LATE_MS = 3_600_000
/** How long what was told is kept. */
const KEPT_MS = 90 * 86_400_000

/** What looking needs. */
export interface TellParts {
  db: ClickHouse
  postgres: Postgres
  models: Models
  file: () => AlertsFile
  /** Address of the service, without a slash at its end. */
  base: () => string
  now: () => number
}

/** What is wrong now, and whether that is all of it. */
interface Seen {
  incidents: Incident[]
  isAll: boolean
}

/**
 * Looks once.
 *
 * @returns how many messages were enqueued
 */
export async function tellIncidents(parts: TellParts): Promise<number> {
  const { postgres, now } = parts
  const seen = await look(parts)
  return postgres.transaction(async (tx) => {
    await lockAlerts(tx)
    const at = new Date(now())
    const told = await tellChanges(tx, parts, seen, at)
    const escalated = await takeFurther(tx, parts, seen, at)
    const digested = await tellDigests(tx, parts, at)
    return told + escalated + digested
  })
}

/** Removes what was told long ago. */
export const forgetTold = ({ postgres, now }: Pick<TellParts, 'postgres' | 'now'>) =>
  forget(postgres, new Date(now() - KEPT_MS))

async function look({ db, postgres, base, now }: TellParts): Promise<Seen> {
  const alarms = await alarmsOfCohorts(db)
  const runs = await runFindings(postgres, now())
  return {
    incidents: [
      ...incidentsOfAlarms(alarms, base()),
      ...runs.map((run) => incidentOfRun(run, base())),
    ],
    isAll: alarms.length < MAX_ALARMS,
  }
}

async function tellChanges(tx: Sql, parts: TellParts, seen: Seen, at: Date): Promise<number> {
  const { incidents } = seen
  const gone = await recordPresence(tx, seen, at)
  const told = await readTold(
    tx,
    [...incidents, ...gone].map(({ incident_id: id }) => id),
  )
  const toldOf = ({ incident_id: id }: Incident): readonly Told[] => told.get(id) ?? []
  const file = parts.file()
  const deliveries = [
    ...incidents.flatMap((incident) => {
      const targets = targetsOf(file, { ...incident, ...ownersFor(parts, incident) })
      const due = dueOf(incident, targets, toldOf(incident), at.getTime())
      return messagesOf(parts, incident, due, at)
    }),
    ...gone.flatMap((incident) => messagesOf(parts, incident, endsOf(toldOf(incident)), at)),
  ]
  await enqueue(tx, deliveries, at)
  return deliveries.length
}

/**
 * Records what is there and what is not.
 *
 * @returns incidents that have ended with this look
 */
async function recordPresence(
  tx: Sql,
  { incidents, isAll }: Seen,
  at: Date,
): Promise<readonly Incident[]> {
  const open = await readOpen(tx)
  const known = new Map(open.map((one) => [one.incident.incident_id, one]))
  const here = new Set(incidents.map(({ incident_id: id }) => id))
  const changed = incidents.filter((incident) => {
    const before = known.get(incident.incident_id)
    return !before || before.goneAt !== undefined || !isSame(before.incident, incident)
  })
  if (changed.length > 0) await recordSeen(tx, changed, at)
  const missing = isAll ? open.filter(({ incident }) => !here.has(incident.incident_id)) : []
  const isOver = ({ goneAt }: OpenIncident) =>
    goneAt !== undefined && at.getTime() - goneAt >= GONE_MS
  const idsOf = (some: readonly OpenIncident[]) => some.map(({ incident }) => incident.incident_id)
  const isNew = ({ goneAt }: OpenIncident) => goneAt === undefined
  if (missing.some(isNew)) await recordGone(tx, idsOf(missing.filter(isNew)), at)
  const gone = missing.filter(isOver)
  if (gone.length > 0) await recordEnded(tx, idsOf(gone), at)
  return gone.map(({ incident }) => incident)
}

const ownersFor = ({ models }: TellParts, { model_id: id }: Incident) =>
  ownersOf(models.get(id).ownership)

/** The messages of what is due; a receiver that the file has no more is told nothing. */
function messagesOf(
  parts: TellParts,
  incident: Incident,
  due: readonly Due[],
  at: Date,
): NewDelivery[] {
  const { receivers, templates } = parts.file()
  const owners = ownersFor(parts, incident)
  return due.flatMap(({ receiver: name, event, approver }) => {
    const receiver = receivers.find((one) => one.name === name)
    if (!receiver) return []
    const how = {
      owners,
      approver,
      at: at.toISOString(),
      templates: [receiver.templates, templates],
    }
    const message = incidentMessage(incident, event, how)
    return [{ receiver: name, message, hash: incident.hash }]
  })
}

/**
 * Takes approvals that nobody has given further. The step, its messages and its entry in the audit
 * log are one transaction: each step is taken once.
 */
async function takeFurther(
  tx: Sql,
  parts: TellParts,
  { incidents }: Seen,
  at: Date,
): Promise<number> {
  const waiting = await readUnanswered(tx, at)
  if (waiting.length === 0) return 0
  const told = await readTold(
    tx,
    incidents.filter(({ kind }) => kind === 'approval').map(({ incident_id: id }) => id),
  )
  let enqueued = 0
  for (const run of waiting) {
    const incident = incidents.find(({ approval }) => approval?.run_id === run.run_id)
    if (!incident) continue
    const known = [...(told.get(incident.incident_id) ?? [])]
    for (const step of stepsDue(run, at.getTime())) {
      const { due, missing } = escalationOf(parts.file(), step, known)
      const deliveries = messagesOf(parts, escalated(incident, step), due, at)
      await enqueue(tx, deliveries, at)
      const receivers = due.map(({ receiver }) => receiver)
      await recordEscalation(tx, run, { step, receivers, missing }, at)
      enqueued += deliveries.length
    }
  }
  return enqueued
}

async function tellDigests(tx: Sql, parts: TellParts, at: Date): Promise<number> {
  const { file, base } = parts
  let enqueued = 0
  for (const digest of file().digests ?? []) {
    const time = lastDigestTime(digest, at.getTime())
    const subject = `digest/${digest.name}/${new Date(time.at).toISOString()}`
    if (at.getTime() - time.at > DIGEST_LATE_MS || (await isEnqueued(tx, subject))) continue
    const [from, to] = [new Date(time.from), new Date(time.at)]
    const all = (await readSince(tx, from)).filter(({ incident }) =>
      matches(digest.match ?? {}, { ...incident, ...ownersFor(parts, incident) }),
    )
    const { name } = digest
    const span = { from: from.toISOString(), at: to.toISOString() }
    const message = digestMessage(subject, all, { name, ...span, page: `${base()}/` })
    const deliveries = digest.receivers.map((receiver) => ({ receiver, message, hash: '' }))
    await enqueue(tx, deliveries, at)
    enqueued += deliveries.length
  }
  return enqueued
}
