/** Whom an approval that nobody gives is taken to, and when. */
import { durationMs } from '../../../lib/runtime/durations.ts'
import { didYouMean } from '../../../lib/runtime/nearest-name.ts'
import type { AlertsFile } from '../../../schemas/alerts-file.ts'
import type { Escalation, RetrainPolicy } from '../../../schemas/model-retrain.ts'
import type { Incident } from './incidents.ts'
import type { Due, Told } from './plan.ts'

/** A run that waits for people, with the steps of its policy. */
export interface Unanswered {
  run_id: string
  model_id: string
  /** Since when it waits, epoch milliseconds. */
  since: number
  escalate: readonly Escalation[]
  /** The steps that were taken, by their place. */
  taken: readonly number[]
}

/** A step that is due; `place` is its own among those of its policy. */
export interface DueStep extends Escalation {
  place: number
}

/** The steps that are due and were not taken, the earliest first. */
export const stepsDue = ({ since, escalate, taken }: Unanswered, now: number): DueStep[] =>
  escalate
    .map((step, place) => ({ ...step, place }))
    .filter(({ after, place }) => !taken.includes(place) && since + durationMs(after) <= now)

/**
 * What a step tells: whoever knows of the approval already is reminded, all others hear of it now. A
 * receiver that one person reads, as a route says, gets that person's link.
 *
 * @returns besides, the receivers that the file does not have
 */
export function escalationOf(
  { receivers, routes = [] }: AlertsFile,
  { to }: Escalation,
  told: readonly Told[],
): { due: Due[]; missing: string[] } {
  const known = new Set(receivers.map(({ name }) => name))
  const named = [...new Set(to)]
  return {
    missing: named.filter((name) => !known.has(name)),
    due: named
      .filter((name) => known.has(name))
      .map((receiver) => ({
        receiver,
        event: told.some((one) => one.receiver === receiver && one.isTold) ? 'update' : 'open',
        approver: routes.find((one) => one.receivers.includes(receiver) && one.approver)?.approver,
      })),
  }
}

/** An approval as a step tells of it. */
export const escalated = (incident: Incident, { after }: Escalation): Incident => ({
  ...incident,
  headline: `nobody has answered for ${after}: ${incident.headline}`,
})

/** Receivers that policies name for their steps and that the file does not have, as sentences. */
export const unknownEscalations = (
  models: readonly { modelId: string; retrain: readonly RetrainPolicy[] }[],
  names: readonly string[],
): string[] =>
  models.flatMap(({ modelId, retrain }) =>
    retrain.flatMap(({ name, escalate = [] }) =>
      escalate.flatMap(({ to }, i) =>
        to
          .filter((receiver) => !names.includes(receiver))
          .map(
            (receiver) =>
              `${modelId}: retrain.${name}.escalate.${i}.to names ${receiver}, which is no receiver${didYouMean(receiver, names) || ' of PLUMBLINE_ALERTS_FILE'}`,
          ),
      ),
    ),
  )
