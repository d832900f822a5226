/** What is told to whom now, given what they were told before. */
import type { Incident } from './incidents.ts'
import type { AlertEvent } from './messages.ts'
import type { Target } from './routes.ts'

/** The last that a receiver was told of one incident. */
export interface Told {
  receiver: string
  event: AlertEvent
  state: 'waiting' | 'delivered' | 'failed'
  /** Hash of the incident's list at that time. */
  hash: string
  severity: string
  /** When it was to be told, epoch milliseconds. */
  at: number
  /** Whether it knows, or is about to be told, of the incident since that ended last. */
  isTold: boolean
}

/** A message that is due. */
export interface Due {
  receiver: string
  /** Who reads it, and may answer approvals by a link. */
  approver?: string | undefined
  event: 'open' | 'update' | 'resolve'
}

/**
 * What is due of an incident that goes on. A receiver is told once when it begins, then of changes
 * of its list, no sooner than its route says, and at once when it becomes an alarm. One that refused
 * the beginning is told again with the next change. While a message waits, nothing is added: what
 * follows on it is made of what is wrong then.
 */
export function dueOf(
  incident: Pick<Incident, 'hash' | 'severity'>,
  targets: readonly Target[],
  told: readonly Told[],
  now: number,
): Due[] {
  const last = new Map(told.map((one) => [one.receiver, one]))
  return targets.flatMap(({ receiver, updateEveryMs, approver }): Due[] => {
    const to = { receiver, ...(approver !== undefined && { approver }) }
    const before = last.get(receiver)
    if (!before) return [{ ...to, event: 'open' }]
    if (before.state === 'waiting') return []
    const isSoon = now - before.at < updateEveryMs
    if (before.event === 'resolve') return isSoon ? [] : [{ ...to, event: 'open' }]
    if (before.hash === incident.hash) return []
    const isGraver = incident.severity === 'alarm' && before.severity === 'warning'
    if (isSoon && !isGraver) return []
    return [{ ...to, event: before.isTold ? 'update' : 'open' }]
  })
}

/** What is due of an incident that has ended: its end, to whoever knows of it. */
export const endsOf = (told: readonly Told[]): Due[] =>
  told.flatMap(({ receiver, event, isTold }) =>
    isTold && event !== 'resolve' ? [{ receiver, event: 'resolve' as const }] : [],
  )
