/** The deciding loop: asks policies that have something new to answer for, and launches the runs that are due. */
import { sleep } from '../../../lib/runtime/clock.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { DueModels } from '../decide/due-models.ts'
import { dueModels } from '../decide/due-models.ts'
import { labelCounters, policyOf } from '../decide/policies.ts'
import { failRun } from '../launchers/job.ts'
import { beginLaunch, stopLaunches, type Launcher } from '../launchers/launch.ts'
import { readDueRuns, readRunsInFlight } from '../queries/runs.ts'
import { evaluatePolicies, type PolicyEngine } from './policies.ts'
import type { PolicyFailed } from './policy-failures.ts'

/** How often it is asked which models have windows that their policies have not answered for: one statement for all. */
const SCAN_MS = 1000
/** How often labels are counted for policies that wait for them. */
const LABELS_MS = 5000
/** Between two rounds, as a multiple of how long the last one took. */
const REST = 3
const MAX_REST_MS = 5000

interface DecidingParts {
  engine: PolicyEngine
  jobs: Launcher
  failed: PolicyFailed
  log: Logger
}

/** What the loop knows between two rounds. */
export interface Deciding extends DecidingParts {
  due: DueModels
  /** Ends the pause that follows this round. */
  woken: AbortController
  /** When windows and labels are looked for next, epoch milliseconds. */
  nextScan: number
  nextLabels: number
}

/** Makes the state of a loop that has looked for nothing yet. */
export const deciding = (parts: DecidingParts): Deciding => ({
  ...parts,
  due: dueModels(),
  woken: new AbortController(),
  nextScan: 0,
  nextLabels: 0,
})

/** Ends the loop's pause, where it has one: something may be due. */
export const wake = ({ woken }: Deciding): void => woken.abort()

/** Has a model's policies asked in the next round, and ends the pause. */
export function askSoon(loop: Deciding, modelId: string): void {
  loop.due.want(modelId)
  wake(loop)
}

/** Runs rounds until the signal, and ends launches that are under way. */
export async function runDecisions(loop: Deciding, signal: AbortSignal): Promise<void> {
  let restMs = 0
  while (!signal.aborted) {
    try {
      await lookWhenDue(loop)
      const begun = performance.now()
      await evaluateDue(loop)
      restMs = Math.min(MAX_REST_MS, (performance.now() - begun) * REST)
      await launchDue(loop)
    } catch (error) {
      loop.log.error(
        { error: messageOf(error) },
        'policies not asked or runs not launched, trying again',
      )
    }
    await pause(loop, restMs, signal)
  }
  await stopLaunches(loop.jobs)
}

/** Rests, then waits for a wake-up or the next scan unless a model is wanted. */
async function pause(loop: Deciding, restMs: number, signal: AbortSignal): Promise<void> {
  loop.woken = new AbortController()
  const { woken, nextScan, engine } = loop
  // A window's verdicts come one by one: what comes meanwhile is answered for together.
  await sleep(restMs, signal)
  if (!loop.due.isIdle()) return
  const untilScan = Math.max(1, nextScan - engine.ledger.now())
  await sleep(untilScan, AbortSignal.any([signal, woken.signal]))
}

/** Looks for news where its time has come: a window without a verdict sends no message, and new labels send none. */
async function lookWhenDue(loop: Deciding): Promise<void> {
  const { engine, due } = loop
  const at = engine.ledger.now()
  if (at < loop.nextScan) return
  const withLabels = at >= loop.nextLabels
  loop.nextScan = at + SCAN_MS
  if (withLabels) loop.nextLabels = at + LABELS_MS
  due.found(await engine.queries.revisions([...engine.policies.keys()]))
  if (withLabels) for (const modelId of labelCounters(engine.policies)) due.want(modelId)
}

async function evaluateDue({ engine, due, failed }: Deciding): Promise<void> {
  for (const modelId of due.take()) {
    try {
      const { failures, more } = await evaluatePolicies(engine, modelId)
      for (const { policy, error } of failures) failed(modelId, policy, error)
      if (more) due.want(modelId)
      else if (failures.length === 0) due.answered(modelId)
    } catch (error) {
      failed(modelId, '', error)
    }
  }
}

async function launchDue({ engine, jobs, failed }: Deciding): Promise<void> {
  const { policies, ledger } = engine
  for (const run of await readDueRuns(ledger.postgres, new Date(ledger.now()))) {
    const policy = policyOf(policies, run.model_id, run.policy)
    if (policy) beginLaunch(jobs, run, policy.launch)
    else
      await failRun(ledger, run, `the model file no longer has the policy ${run.policy}`).catch(
        (error: unknown) => failed(run.model_id, run.policy, error),
      )
  }
}

/** Fails runs of commands that an earlier process had started: a command ends with the process that started it. */
export async function failLostCommands({ policies, ledger }: PolicyEngine): Promise<void> {
  for (const run of await readRunsInFlight(ledger.postgres)) {
    const policy = policyOf(policies, run.model_id, run.policy)
    if (policy?.launch.kind === 'command')
      await failRun(ledger, run, 'the process that ran the command has ended')
  }
}
