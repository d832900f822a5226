/**
 * Starts the job of a run. A webhook may be sent again after a crash, always with the run's id as `webhook-id`, by which the
 * receiver knows it; a command is marked launched before it starts, so it starts at most once. Launches run beside one another:
 * an endpoint that hangs or fails holds up its own runs alone.
 */
import { backoffMs } from '../../../lib/runtime/clock.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { RetrainPolicy } from '../../../schemas/model.ts'
import type { Run } from '../queries/run-record.ts'
import { markLaunched, postponeRun } from '../queries/run-transitions.ts'
import { startCommand } from './command.ts'
import { launchEndpoints, type Endpoints } from './endpoints.ts'
import { failRun, type LaunchOptions } from './job.ts'
import { postJob, type WebhookOutcome } from './webhook.ts'

const MAX_ATTEMPTS = 8
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 5 * 60_000

/** The launches of a process. */
export interface Launcher extends LaunchOptions {
  endpoints: Endpoints
  /** Launches under way, by run. */
  underWay: Map<string, Promise<void>>
  stopping: AbortController
}

/** Makes a launcher that has nothing under way. */
export const launcher = (options: LaunchOptions): Launcher => ({
  ...options,
  endpoints: launchEndpoints(),
  underWay: new Map(),
  stopping: new AbortController(),
})

/** Begins the launch of a run, unless its endpoint is busy or paused; what goes wrong is that run's. */
export function beginLaunch(launches: Launcher, run: Run, how: RetrainPolicy['launch']): void {
  const { stopping, underWay, endpoints, ledger } = launches
  const endpoint = how.kind === 'webhook' ? originOf(how.url) : 'command'
  if (stopping.signal.aborted || underWay.has(run.run_id)) return
  if (endpoints.take(endpoint, ledger.now()))
    underWay.set(run.run_id, launch(launches, run, how, endpoint))
}

/** Ends what is under way, and resolves once nothing is. */
export async function stopLaunches({ stopping, underWay }: Launcher): Promise<void> {
  stopping.abort()
  await Promise.all(underWay.values())
}

const originOf = (url: string) => (URL.canParse(url) ? new URL(url).origin : url)

/** Whether an endpoint answered; a number is how long one that failed asks to be left alone, in milliseconds. */
type Answer = 'answered' | number

async function launch(
  launches: Launcher,
  run: Run,
  { kind, ...how }: RetrainPolicy['launch'],
  endpoint: string,
): Promise<void> {
  const { ledger, log, endpoints, underWay } = launches
  let answer: Answer = 0
  try {
    if ('url' in how) answer = await launchByWebhook(launches, run, how.url)
    else {
      answer = 'answered'
      if (launches.allowsCommands) await startCommand(launches, run, how.command)
      else await failRun(ledger, run, 'commands are not allowed: set PLUMBLINE_ALLOW_COMMANDS=on')
    }
  } catch (error) {
    log.error({ run_id: run.run_id, kind, error: messageOf(error) }, 'launch not recorded')
  } finally {
    if (answer === 'answered') endpoints.give(endpoint, 'answered', ledger.now())
    else endpoints.give(endpoint, 'failed', ledger.now(), answer)
    underWay.delete(run.run_id)
  }
}

async function launchByWebhook(launches: Launcher, run: Run, url: string): Promise<Answer> {
  const { stopping, ledger } = launches
  const outcome = await postJob(launches, run, url, stopping.signal)
  if (stopping.signal.aborted && outcome.kind === 'failed') return 0
  if (outcome.kind === 'answered') await markLaunched(ledger, run.run_id)
  else if (outcome.kind === 'gone') await failRun(ledger, run, 'the webhook is gone (410)')
  else await tryAgain(launches, run, outcome)
  return outcome.kind === 'failed' ? outcome.askedMs : 'answered'
}

/** Puts the next attempt off, or fails the run after its last. */
async function tryAgain(
  { ledger, log }: LaunchOptions,
  run: Run,
  { why, askedMs }: Extract<WebhookOutcome, { kind: 'failed' }>,
): Promise<void> {
  const attempt = run.attempts + 1
  if (attempt >= MAX_ATTEMPTS) {
    await failRun(ledger, run, `not launched after ${MAX_ATTEMPTS} attempts: ${why}`)
    return
  }
  log.warn({ run_id: run.run_id, attempt, error: why }, 'run not launched, trying again')
  const pause = backoffMs(run.attempts, FIRST_RETRY_MS, LAST_RETRY_MS)
  await postponeRun(ledger.postgres, run.run_id, ledger.now() + Math.max(askedMs, pause))
}
