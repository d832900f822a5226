/** Tells the head of the audit log outside of its database, once a day. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventLog } from '../../../lib/event-log/port.ts'
import { headOf } from '../../../lib/postgres/audit-log.ts'
import type { AuditAnchor } from '../../../lib/postgres/audit-verify.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { lastDone } from '../queries/control-store.ts'
import { alone } from './alone.ts'

/** What anchoring needs. */
export interface AnchorParts {
  postgres: Postgres
  eventLog: Pick<EventLog, 'kind' | 'append'>
  /** Where anchors lie while the log of events is in this process, and keeps nothing. */
  dataDir: string
  log: Pick<Logger, 'info'>
  now: () => number
}

/** The file of anchors in the data folder, a line of JSON each. */
export const ANCHOR_FILE = 'audit-anchors.ndjson'
const WORK = { name: 'audit anchor', forMs: 60_000 }
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/**
 * Writes an anchor where none was written on this day in UTC: to its topic, to the log of the
 * process, and, without Kafka, to a file. One that fails is tried again with the next call.
 *
 * @returns the anchor; undefined where there is one of today, or another process writes it
 */
export async function anchorAudit(parts: AnchorParts): Promise<AuditAnchor | undefined> {
  const { postgres, now } = parts
  const isDone = async () => {
    const done = await lastDone(postgres, WORK.name)
    return done !== undefined && dayOf(done.getTime()) === dayOf(now())
  }
  if (await isDone()) return undefined
  return alone(parts, WORK, async () => ((await isDone()) ? undefined : writeAnchor(parts)))
}

async function writeAnchor({ postgres, eventLog, dataDir, log, now }: AnchorParts) {
  const anchor: AuditAnchor = { at: new Date(now()).toISOString(), ...(await headOf(postgres)) }
  const value = JSON.stringify(anchor)
  await eventLog.append(TOPICS.auditAnchors.topic, [{ key: dayOf(now()), value }])
  if (eventLog.kind === 'memory') appendFileSync(join(dataDir, ANCHOR_FILE), `${value}\n`)
  log.info(anchor, 'audit log anchored')
  return anchor
}
