/** Looks at a candidate that is getting its traffic: what is known of its step, and what follows. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import { evaluateCanary } from '../../../lib/stats/canary/compare-arms.ts'
import { largest, smallest } from '../../../lib/stats/samples/extremes.ts'
import type { Rollout, StepVerdict } from '../../../schemas/http/runs/rollout.ts'
import { nextMove, verdictOf, type RolloutFacts, type StepTerms } from '../decide/rollout.ts'
import type { Ledger } from '../queries/ledger.ts'
import { reportRun } from '../queries/reports.ts'
import { readStepLaunch } from '../queries/rollout/begin.ts'
import { applyMove } from '../queries/rollout/moves.ts'
import { countServed, readStepArms } from '../queries/rollout/step-arms.ts'
import type { RunToLookAt } from '../queries/run-outcomes.ts'
import type { Run } from '../queries/run-record.ts'
import { readStreamTime } from '../queries/watched-windows.ts'

/** Which version serves is told by the events of so long, in stream time. */
const SERVING_MS = 86_400_000

/** What a look needs. */
export interface RolloutParts {
  ledger: Ledger
  db: ClickHouse
  models: Pick<Models, 'get'>
}

/** Looks once at a rollout, and makes the move that follows, unless another has made one meanwhile. */
export async function lookAtRollout(
  parts: RolloutParts,
  { run, terms: { promote: terms } }: Pick<RunToLookAt, 'run' | 'terms'>,
): Promise<void> {
  const { rollout } = run
  if (!rollout || !terms) return
  await endAnswered(parts, run, terms)
  const facts = await factsOf(parts, run, { rollout, terms })
  await applyMove(parts.ledger, run.run_id, rollout, nextMove(facts))
}

/** What is known of a rollout now. */
export async function factsOf(
  { ledger, db, models }: RolloutParts,
  { model_id: modelId, new_version: version }: Run,
  { rollout, terms }: { rollout: Rollout; terms: StepTerms },
): Promise<RolloutFacts> {
  const now = ledger.now()
  const streamAt = (await readStreamTime(db, modelId)) ?? now
  const from = rollout.served_stream_at
    ? Date.parse(rollout.served_stream_at)
    : streamAt - SERVING_MS
  const served = await countServed(db, modelId, from)
  const launch = await readStepLaunch(ledger.postgres, rollout.step_run)
  const { current_version: current, served_at: servedAt } = rollout
  const isWatched = servedAt !== null && current !== '' && rollout.share < 100
  const question = { current, candidate: version, from, newest: streamAt }
  const verdict = isWatched
    ? await readVerdict({ db, models }, { modelId, ...question, rollout, terms, now })
    : undefined
  return { rollout, terms, version, launch, served, verdict, now, streamAt }
}

async function readVerdict(
  { db, models }: Pick<RolloutParts, 'db' | 'models'>,
  about: {
    modelId: string
    current: string
    candidate: string
    from: number
    newest: number
    rollout: Rollout
    terms: StepTerms
    now: number
  },
): Promise<StepVerdict> {
  const { modelId, rollout, terms, now } = about
  const model = models.get(modelId)
  const { current, candidate } = await readStepArms(db, model, about)
  const worth = model.businessValue && Object.values(model.businessValue)
  const compared = terms.steps.filter((share) => share < 100).length
  const answer = evaluateCanary(current, candidate, {
    alpha: terms.alpha / Math.max(1, compared),
    share: rollout.share / 100,
    worthRange: worth && { low: smallest(worth), high: largest(worth) },
  })
  const counts = {
    n_current: current.units,
    n_candidate: candidate.units,
    labelled_current: current.labelled,
    labelled_candidate: candidate.labelled,
  }
  return verdictOf(answer, counts, now)
}

/** A webhook that has answered has made its step, where its policy says so. */
async function endAnswered(
  { ledger }: RolloutParts,
  { rollout }: Run,
  { served_when: when }: StepTerms,
): Promise<void> {
  if (when !== 'answered' || !rollout?.step_run) return
  const launch = await readStepLaunch(ledger.postgres, rollout.step_run)
  if (launch?.state !== 'launching') return
  const message = 'its webhook has answered'
  await reportRun(ledger, rollout.step_run, 'launcher', { state: 'succeeded', message })
}
