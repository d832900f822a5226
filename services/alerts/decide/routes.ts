/** Who is told of what. */
import { durationMs } from '../../../lib/runtime/durations.ts'
import { fits } from '../../../lib/sources/globs.ts'
import type { AlertKind, AlertsFile, Match, Route } from '../../../schemas/alerts-file.ts'
import type { Owners, Severity } from './incidents.ts'

/** What routes look at. */
export interface Routed extends Pick<Owners, 'owner' | 'team' | 'environment'> {
  model_id: string
  severity: Severity
  kind: AlertKind
}

/** Somebody who is told. */
export interface Target {
  receiver: string
  /** Least distance of two messages about one incident, milliseconds. */
  updateEveryMs: number
  /** Who reads it, and may answer approvals by a link; undefined where nobody is named. */
  approver?: string | undefined
}

const UPDATE_EVERY = '30m'

/** Whether every key of `match` has a value that fits. */
export function matches(match: Match, of: Routed): boolean {
  const { model, team, owner, environment, severity, kind } = match
  const any = (patterns: readonly string[] | undefined, value: string) =>
    patterns === undefined || patterns.some((pattern) => fits(value, pattern))
  return (
    any(model, of.model_id) &&
    any(team, of.team) &&
    any(owner, of.owner) &&
    any(environment, of.environment) &&
    (severity === undefined || severity.includes(of.severity)) &&
    (kind === undefined || kind.includes(of.kind))
  )
}

/**
 * Who is told: the receivers of the first route that fits, of those after it for as long as a route
 * says `continue`, and of the default where none fits. A receiver is told once, as the first route
 * that names it says.
 */
export function targetsOf(file: AlertsFile, of: Routed): Target[] {
  const taken: Pick<Route, 'receivers' | 'update_every' | 'approver'>[] = []
  for (const route of file.routes ?? []) {
    if (!matches(route.match, of)) continue
    taken.push(route)
    if (route.continue !== true) break
  }
  if (taken.length === 0 && file.default) taken.push(file.default)
  const targets = new Map<string, Target>()
  for (const { receivers, update_every: every, approver } of taken)
    for (const receiver of receivers)
      if (!targets.has(receiver)) {
        const updateEveryMs = durationMs(every ?? UPDATE_EVERY)
        targets.set(receiver, {
          receiver,
          updateEveryMs,
          ...(approver !== undefined && { approver }),
        })
      }
  return [...targets.values()]
}
