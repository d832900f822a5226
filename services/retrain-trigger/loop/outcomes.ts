/**
 * Looks at runs whose job has succeeded: whether their candidate is accepted, and whether what was
 * promoted has helped. The store says which are due; two processes that look at one run write the
 * same.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { isBaseline, type Model, type Models } from '../../../lib/models/model-files.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { Module } from '../../../lib/runtime/modules.ts'
import { pollLoop } from '../../../lib/runtime/poll-loop.ts'
import type { Trigger } from '../../../schemas/http/runs/run-outcomes.ts'
import { acceptanceOf } from '../decide/acceptance.ts'
import { repairOf, type WatchedMetric } from '../decide/repair.ts'
import { lookAtRollout } from './rollouts.ts'
import { countCandidate } from '../queries/candidate-counts.ts'
import type { Ledger } from '../queries/ledger.ts'
import { applyMove } from '../queries/rollout/moves.ts'
import {
  keepStreamTime,
  lookAgain,
  readRunsToLookAt,
  recordAcceptance,
  recordRepair,
  type RunToLookAt,
} from '../queries/run-outcomes.ts'
import { readServedFrom, readStreamTime, readWatched } from '../queries/watched-windows.ts'

const LOOK_MS = 2000
const LONGEST_IDLE_MS = 10_000
/** How soon a run is looked at again while its evidence is incomplete. */
const AGAIN_MS = 30_000
const DEFAULTS = { evidence: 'any', min_events: 200 } as const
const WATCHED_WINDOWS = 4

/** What looks at runs need. */
export interface OutcomeParts {
  ledger: Ledger
  db: ClickHouse
  models: Pick<Models, 'get'>
  log: Pick<Logger, 'error'>
}

/** The looks as a part of the process. */
export function outcomesModule(parts: OutcomeParts): Module {
  return pollLoop({
    name: 'retrain outcomes',
    everyMs: LOOK_MS,
    longestIdleMs: LONGEST_IDLE_MS,
    step: async () => ({ isIdle: (await lookAtOutcomes(parts)) === 0 }),
    onError: (error) =>
      parts.log.error({ error: messageOf(error) }, 'outcomes not looked at, trying again'),
  }).module
}

/**
 * Looks once at each run that is due; what goes wrong with one is that run's, and it is looked at
 * again. @returns how many were due
 */
export async function lookAtOutcomes(parts: OutcomeParts): Promise<number> {
  const { ledger, log } = parts
  const due = await readRunsToLookAt(ledger.postgres, new Date(ledger.now()))
  for (const one of due) {
    const { run_id: id } = one.run
    try {
      await lookAt(parts, one)
    } catch (error) {
      log.error({ run_id: id, error: messageOf(error) }, 'outcome of a run not known, trying again')
      await lookAgain(ledger.postgres, id, ledger.now() + AGAIN_MS)
    }
  }
  return due.length
}

const lookAt = (parts: OutcomeParts, one: RunToLookAt): Promise<void> => {
  const { state, rollout } = one.run
  if (state === 'validating') return validate(parts, one)
  return rollout && rollout.state !== 'done' ? lookAtRollout(parts, one) : watch(parts, one)
}

async function validate(
  { ledger, db, models }: OutcomeParts,
  { run, terms, reported }: RunToLookAt,
): Promise<void> {
  const now = ledger.now()
  const validation = { ...DEFAULTS, ...terms.validation }
  const version = run.new_version
  const newest = await readStreamTime(db, run.model_id)
  const shadow =
    version === '' || newest === undefined || validation.evidence === 'reported'
      ? undefined
      : await countCandidate(db, models.get(run.model_id), { version, newest })
  const acceptance = acceptanceOf(
    terms.accept ?? [],
    { shadow, reported, version },
    { validation, now, until: Date.parse(run.acceptance!.until) },
  )
  await recordAcceptance(ledger, run.run_id, acceptance, now + AGAIN_MS)
}

async function watch(
  parts: OutcomeParts,
  { run, terms, promotedStreamAt }: RunToLookAt,
): Promise<void> {
  const { ledger, db } = parts
  const { run_id: id, model_id: modelId, new_version: version } = run
  const now = ledger.now()
  const streamAt = promotedStreamAt ?? (await readStreamTime(db, modelId)) ?? now
  await keepStreamTime(ledger.postgres, id, streamAt)
  // A version that is not told, or that nobody has served yet, has no windows of its own.
  const servedFrom =
    version === '' ? streamAt : ((await readServedFrom(db, modelId, version)) ?? Infinity)
  const watched: WatchedMetric[] = []
  for (const trigger of run.triggers)
    watched.push(await watchedMetric(parts, { modelId, version, servedFrom, trigger }))
  const repair = repairOf(watched, {
    now,
    until: Date.parse(run.repair!.until),
    windows: terms.watch?.windows ?? WATCHED_WINDOWS,
  })
  await recordRepair(ledger, run, repair, now + AGAIN_MS)
  if (repair.outcome === 'made_worse' && run.rollout && terms.promote?.on_worse === 'roll_back')
    await applyMove(ledger, id, run.rollout, { kind: 'roll_back', reason: repair.reason })
}

/** The windows that caused a run, and those that begin once its version is served. */
async function watchedMetric(
  { db, models }: OutcomeParts,
  question: { modelId: string; version: string; servedFrom: number; trigger: Trigger },
): Promise<WatchedMetric> {
  const { modelId, version, servedFrom, trigger } = question
  const common = { modelId, trigger, baseline: baselineOf(models.get(modelId)) }
  const before = await readWatched(db, {
    ...common,
    version: trigger.version,
    endFrom: Date.parse(trigger.from),
    endTo: Date.parse(trigger.to),
    startFrom: 0,
  })
  const after = Number.isFinite(servedFrom)
    ? await readWatched(db, {
        ...common,
        version: trigger.version === '' ? '' : version,
        endFrom: servedFrom,
        endTo: Number.MAX_SAFE_INTEGER,
        startFrom: servedFrom,
      })
    : []
  return { trigger, before, after }
}

const baselineOf = ({ references }: Pick<Model, 'references'>): string =>
  Object.entries(references).find(([, reference]) => isBaseline(reference))?.[0] ?? ''
