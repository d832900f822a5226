/**
 * Sends what is enqueued. A message is claimed in the store before it is sent, so of several
 * processes one sends it; the claim of a process that died ends by itself. Receivers are told beside
 * one another, each within its own time: one that hangs or fails delays its own messages alone.
 */
import { backoffMs } from '../../../lib/runtime/clock.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { Module } from '../../../lib/runtime/modules.ts'
import { pollLoop } from '../../../lib/runtime/poll-loop.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import type { Receiver } from '../../../schemas/alerts-file.ts'
import {
  claimDelivery,
  endDelivery,
  MAX_AT_ONCE,
  readDue,
  readRemoteId,
  releaseDelivery,
  type Delivery,
  type DeliveryClaim,
} from '../queries/deliveries.ts'
import { longestOf, tell, type SendParts } from '../receivers/send.ts'
import type { Outcome } from '../receivers/outcome.ts'
import { approvalLink, type LinkParts } from '../queries/approval-links.ts'
import type { LoadedAlerts } from './alerts-file.ts'
import type { CountDelivery } from './delivery-metrics.ts'

const EVERY_MS = 1000
const LONGEST_IDLE_MS = 5000
const GIVE_UP_AFTER = '6h'
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 5 * 60_000
/** How much longer than its deadline a message is claimed: what is to be written after it. */
const CLAIM_SPARE_MS = 15_000

/** What sending needs. */
export interface SenderParts extends SendParts, Omit<LinkParts, 'now' | 'postgres'> {
  postgres: Postgres
  alerts: () => Pick<LoadedAlerts, 'file' | 'tls'>
  count: CountDelivery
  log: Logger
  /** Draws from 0 up to 1, for the jitter of back-offs. */
  random: () => number
}

/** The messages that a process sends. */
export interface Sender extends SenderParts {
  /** Messages under way by their delivery. */
  underWay: Map<string, { receiver: string; done: Promise<void> }>
  stopping: AbortController
}

/** Makes a sender that has nothing under way. */
export const alertsSender = (parts: SenderParts): Sender => ({
  ...parts,
  underWay: new Map(),
  stopping: new AbortController(),
})

/**
 * Begins to send what is due.
 *
 * @returns how many messages were begun
 */
export async function beginDue(sender: Sender): Promise<number> {
  const { postgres, now, underWay, stopping } = sender
  if (stopping.signal.aborted) return 0
  let begun = 0
  for (const delivery of await readDue(postgres, now())) {
    const { delivery_id: id, receiver } = delivery
    const here = [...underWay.values()].filter((one) => one.receiver === receiver).length
    if (underWay.has(id) || here >= MAX_AT_ONCE) continue
    underWay.set(id, { receiver, done: quietly(sender, delivery) })
    begun++
  }
  return begun
}

/** Resolves once nothing is under way. */
export async function settled({ underWay }: Pick<Sender, 'underWay'>): Promise<void> {
  await Promise.all([...underWay.values()].map(({ done }) => done))
}

async function quietly(sender: Sender, delivery: Delivery): Promise<void> {
  const { log, underWay } = sender
  try {
    await sendOne(sender, delivery)
  } catch (error) {
    const { delivery_id, receiver } = delivery
    log.error({ delivery_id, receiver, error: messageOf(error) }, 'alert not recorded')
  } finally {
    underWay.delete(delivery.delivery_id)
  }
}

async function sendOne(sender: Sender, delivery: Delivery): Promise<void> {
  const { postgres, now, alerts, stopping } = sender
  const { delivery_id, receiver: name, message } = delivery
  const { file, tls } = alerts()
  const receiver = file.receivers.find((one) => one.name === name)
  const until = now() + (receiver ? longestOf(receiver) : 0) + CLAIM_SPARE_MS
  const claim = await claimDelivery(postgres, delivery_id, { now: now(), until })
  if (!claim) return
  if (!receiver) {
    const why = `the file of alerts has no receiver ${name} any more`
    return end(sender, delivery, claim, { kind: 'refused', why })
  }
  const remoteId = await readRemoteId(postgres, name, message.subject)
  const { attempt } = claim
  const { told, token } = await approvalLink(sender, delivery_id, message)
  const outcome = await tell(sender, receiver, {
    delivery_id,
    message: told,
    token,
    attempt,
    remoteId,
    tls: tls.get(name),
    signal: stopping.signal,
  })
  if (outcome.kind !== 'failed') return end(sender, delivery, claim, outcome)
  // What was broken off by the end of the process is no failure of the receiver.
  const release = { until: now(), answer: '', pauseUntil: 0 }
  if (stopping.signal.aborted) return releaseDelivery(postgres, claim, name, release)
  return tryAgain(sender, { delivery, claim, receiver, outcome })
}

async function end(
  { postgres, now, count, log }: Sender,
  delivery: Delivery,
  claim: DeliveryClaim,
  outcome: Exclude<Outcome, { kind: 'failed' }>,
): Promise<void> {
  const { receiver, message } = delivery
  const isDelivered = outcome.kind === 'delivered'
  const state = isDelivered ? 'delivered' : 'failed'
  const answer = isDelivered ? outcome.answer : outcome.why
  const { remoteId = '' } = isDelivered ? outcome : {}
  const ending = { state, answer, remoteId, at: new Date(now()) } as const
  if (!(await endDelivery(postgres, delivery, claim, ending))) return
  count(receiver, state)
  const facts = { receiver, incident_id: message.subject, event: message.event }
  if (isDelivered) log.info(facts, 'alert delivered')
  else log.error({ ...facts, error: answer }, 'alert not delivered')
}

/** Puts the next try off, or gives the message up where it would come too late. */
async function tryAgain(
  sender: Sender,
  failed: {
    delivery: Delivery
    claim: DeliveryClaim
    receiver: Receiver
    outcome: Extract<Outcome, { kind: 'failed' }>
  },
): Promise<void> {
  const { postgres, now, random, count, log } = sender
  const { delivery, claim, receiver, outcome } = failed
  const { attempt, firstAttemptAt } = claim
  const { why, askedMs } = outcome
  // Half of a pause is drawn, so that messages that failed together do not come together again.
  const pause = backoffMs(attempt - 1, FIRST_RETRY_MS, LAST_RETRY_MS) * (0.5 + random() / 2)
  const until = now() + Math.max(askedMs, pause)
  const giveUpAfter = receiver.give_up_after ?? GIVE_UP_AFTER
  if (until > firstAttemptAt + durationMs(giveUpAfter)) {
    const tries = `${attempt} ${attempt === 1 ? 'attempt' : 'attempts'}`
    const gaveUp = { kind: 'refused', why: `given up after ${tries} in ${giveUpAfter}: ${why}` }
    return end(sender, delivery, claim, gaveUp as Extract<Outcome, { kind: 'refused' }>)
  }
  count(receiver.name, 'retried')
  log.warn({ receiver: receiver.name, attempt, error: why }, 'alert not delivered, trying again')
  const pauseUntil = askedMs > 0 ? now() + askedMs : 0
  await releaseDelivery(postgres, claim, receiver.name, { until, answer: why, pauseUntil })
}

/** The sender as a part of the process, with what wakes it. */
export function sending(sender: Sender): { modules: Module[]; wake: () => void } {
  const { module, wake } = pollLoop({
    name: 'alert messages',
    everyMs: EVERY_MS,
    longestIdleMs: LONGEST_IDLE_MS,
    step: async () => ({ isIdle: (await beginDue(sender)) === 0 && sender.underWay.size === 0 }),
    onError: (error) =>
      sender.log.warn({ error: messageOf(error) }, 'alert messages not read, trying again'),
  })
  const ending: Module = {
    name: 'alert messages under way',
    stop: async () => {
      sender.stopping.abort(new Error('the process ends'))
      await settled(sender)
    },
  }
  return { modules: [ending, module], wake }
}
