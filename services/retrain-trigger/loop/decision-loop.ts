/**
 * The deciding loop: asks policies that have something new to answer for, and launches the runs
 * that are due.
 */
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { Module } from '../../../lib/runtime/modules.ts'
import { pollLoop, type PollLoop, type Progress } from '../../../lib/runtime/poll-loop.ts'
import type { DueModels } from '../decide/due-models.ts'
import { dueModels } from '../decide/due-models.ts'
import { launchOfRun, modelsToLookAt, policyOf } from '../decide/policies.ts'
import { heldBack } from '../../../lib/models/guards/quiet-times.ts'
import { failRun } from '../launchers/job.ts'
import { beginLaunch, stopLaunches, type Launcher } from '../launchers/launch.ts'
import { expireApprovals } from '../queries/approvals/approvals.ts'
import { deferRun } from '../queries/claims.ts'
import { readDueRuns, readUnclaimedInFlight } from '../queries/runs.ts'
import { evaluatePolicies, type PolicyEngine } from './policies.ts'
import type { PolicyFailed } from './policy-failures.ts'

/**
 * How often it is asked which models have windows that their policies have not answered for: one
 * statement for all.
 */
const SCAN_MS = 1000
/**
 * How often labels and predictions are counted for policies that wait for them, or for none to
 * come.
 */
const NEWS_MS = 5000
/** How often rounds look unasked: launches are tried again when their time comes. */
const ROUND_MS = 1000
/** While nothing is found: verdicts and requests wake a round at once. */
const LONGEST_IDLE_MS = 5000
const MAX_REST_MS = 5000

interface DecidingParts {
  engine: PolicyEngine
  jobs: Launcher
  failed: PolicyFailed
  log: Logger
}

/** What rounds know of one another. */
interface Round extends DecidingParts {
  due: DueModels
}

/** The deciding loop, and the looks that find work for it. */
export interface Deciding extends Round {
  rounds: PollLoop
}

/** Makes the loop of a process that has looked for nothing yet. */
export function deciding(parts: DecidingParts): Deciding {
  const round: Round = { ...parts, due: dueModels() }
  const rounds: PollLoop = pollLoop({
    name: 'retrain-trigger',
    everyMs: ROUND_MS,
    longestIdleMs: LONGEST_IDLE_MS,
    longestRestMs: MAX_REST_MS,
    step: async () => {
      const progress = await runRound(round)
      // After the rest, and not at once: a window's verdicts come one by one, and are answered for
      // together.
      if (!round.due.isIdle()) rounds.wake()
      return progress
    },
    onError: (error) =>
      parts.log.error(
        { error: messageOf(error) },
        'policies not asked or runs not launched, trying again',
      ),
  })
  return { ...round, rounds }
}

/** Ends the loop's pause, or omits the one that follows this round: something may be due. */
export const wake = ({ rounds }: Deciding): void => rounds.wake()

/** Has a model's policies asked in the next round, and ends the pause. */
export function askSoon(loop: Deciding, modelId: string): void {
  loop.due.want(modelId)
  wake(loop)
}

/**
 * The loop as parts of the process: rounds, and the looks for windows and labels that policies ask
 * about.
 */
export function decidingModules(loop: Deciding): Module[] {
  const rounds: Module = {
    ...loop.rounds.module,
    run: async (signal) => {
      await loop.rounds.module.run!(signal)
      await stopLaunches(loop.jobs)
    },
  }
  return [rounds, windowScan(loop), newsScan(loop)]
}

/** Looks for evaluated windows: one without a verdict sends no message. */
function windowScan(loop: Deciding): Module {
  const { engine, due, log } = loop
  return pollLoop({
    name: 'retrain windows',
    everyMs: SCAN_MS,
    longestIdleMs: LONGEST_IDLE_MS,
    step: async () => {
      // Model files that come later may have policies.
      if (engine.policies.size === 0) return { isIdle: true }
      due.found(await engine.queries.revisions([...engine.policies.keys()]))
      const isIdle = due.isIdle()
      if (!isIdle) wake(loop)
      return { isIdle }
    },
    onError: (error) => log.error({ error: messageOf(error) }, 'windows not read, trying again'),
  }).module
}

/**
 * Has the policies asked that count labels or predictions, or wait for silence: nothing sends a
 * message of these.
 */
function newsScan(loop: Deciding): Module {
  const { engine, log } = loop
  return pollLoop({
    name: 'retrain news',
    everyMs: NEWS_MS,
    step: async () => {
      for (const modelId of modelsToLookAt(engine.policies)) askSoon(loop, modelId)
    },
    onError: (error) =>
      log.error({ error: messageOf(error) }, 'labels and predictions not counted, trying again'),
  }).module
}

/** Asks the policies of the models that are due, then launches the runs that are. */
async function runRound(round: Round): Promise<Progress> {
  await failLostCommands(round.engine)
  await expireApprovals(round.engine.ledger)
  const asked = await evaluateDue(round)
  const launches = await launchDue(round)
  return { isIdle: asked + launches === 0 }
}

/** @returns how many models' policies were asked */
async function evaluateDue({ engine, due, failed }: Round): Promise<number> {
  const models = due.take()
  for (const modelId of models) {
    try {
      const { failures, more } = await evaluatePolicies(engine, modelId)
      for (const { policy, error } of failures) failed(modelId, policy, error)
      if (more) due.want(modelId)
      else if (failures.length === 0) due.answered(modelId)
    } catch (error) {
      failed(modelId, '', error)
    }
  }
  return models.length
}

/**
 * Begins the launches that are due, and puts those off that quiet hours or a freeze hold back.
 *
 * @returns how many runs are due, those that wait for their endpoint included
 */
export async function launchDue({
  engine,
  jobs,
  failed,
}: Pick<DecidingParts, 'jobs' | 'failed'> & {
  engine: Pick<PolicyEngine, 'policies' | 'ledger'>
}): Promise<number> {
  const { policies, ledger } = engine
  const runs = await readDueRuns(ledger.postgres, new Date(ledger.now()))
  for (const run of runs) {
    const policy = policyOf(policies, run.model_id, run.policy)
    // What is taken back waits for no quiet hours.
    const isUrgent = run.step?.action === 'roll_back'
    const held = isUrgent || !policy ? undefined : heldBack(policy, ledger.now())
    const how = launchOfRun(policies, run)
    const gone = policy && run.step ? `the steps of the policy` : 'the policy'
    if (held) await deferRun(ledger, run.run_id, held)
    else if (how) beginLaunch(jobs, run, how)
    else
      await failRun(ledger, run, `the model file no longer has ${gone} ${run.policy}`).catch(
        (error: unknown) => failed(run.model_id, run.policy, error),
      )
  }
  return runs.length
}

/**
 * Fails runs of commands whose process gives no sign of life: a command ends with the process that
 * started it. Those of another process that lives are claimed by it.
 */
export async function failLostCommands({
  policies,
  ledger,
}: Pick<PolicyEngine, 'policies' | 'ledger'>): Promise<void> {
  for (const run of await readUnclaimedInFlight(ledger.postgres, new Date(ledger.now()))) {
    if (launchOfRun(policies, run)?.kind === 'command')
      await failRun(ledger, run, 'the process that ran the command has ended')
  }
}
