/**
 * Starts the job of a run. A process claims a run in the store before it launches it, so of several
 * one does. A webhook may be sent again after a crash, always with the run's id as `webhook-id`, by
 * which the receiver knows it; a command is marked launched before it starts, so it starts at most
 * once. Launches run beside one another, each with a deadline of its own: an endpoint that hangs or
 * fails holds up its own runs alone.
 */
import { clientTokens } from '../../../lib/http/oidc/client-credentials.ts'
import { backoffMs } from '../../../lib/runtime/clock.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Launch, WebhookLaunch } from '../../../schemas/launch.ts'
import { claimRun, deferRun, keepClaim, releaseRun, type Claim } from '../queries/claims.ts'
import { keepDataset } from '../queries/dataset.ts'
import type { Run } from '../queries/run-record.ts'
import { markLaunched, recordJob } from '../queries/run-transitions.ts'
import type { SystemLaunch } from '../../../schemas/launch-systems.ts'
import { startCommand } from './command.ts'
import { launchEndpoints, type Endpoints } from './endpoints.ts'
import { failRun, type LaunchOptions } from './job.ts'
import { pollMs, startJob } from './remote-job.ts'
import { postJob, timeoutOf, type WebhookOutcome } from './webhook.ts'

const GIVE_UP_AFTER = '6h'
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 5 * 60_000
/** How much longer than its deadline a launch is claimed: what is to be written after it. */
const CLAIM_SPARE_MS = 15_000
/** How long reading the manifest of a data set may take. */
const DATASET_MS = 5 * 60_000
/** Requests of one launch: a system may be asked before and after it is told to start a job. */
const requestsOf = ({ kind }: Launch) => (kind === 'webhook' ? 1 : 3)

/** The launches of a process. */
export interface Launcher extends LaunchOptions {
  endpoints: Endpoints
  /** Launches under way, by run. */
  underWay: Map<string, Promise<void>>
  stopping: AbortController
}

/** Makes a launcher that has nothing under way. */
export function launcher(options: Omit<LaunchOptions, 'following' | 'tokens'>): Launcher {
  const stopping = new AbortController()
  const { fetch, environment, ledger } = options
  return {
    ...options,
    tokens: clientTokens({ fetch, environment, now: ledger.now }),
    following: stopping.signal,
    endpoints: launchEndpoints(),
    underWay: new Map(),
    stopping,
  }
}

/**
 * Begins the launch of a run, unless its endpoint is busy or paused; what goes wrong is that run's.
 */
export function beginLaunch(launches: Launcher, run: Run, how: Launch): void {
  const { stopping, underWay, endpoints, ledger } = launches
  const endpoint = how.kind === 'command' ? 'command' : originOf(how.url)
  if (stopping.signal.aborted || underWay.has(run.run_id)) return
  const now = ledger.now()
  const pausedUntil = endpoints.pausedUntil(endpoint)
  // Put off in the store, it takes no place among the due runs of others.
  if (pausedUntil > now)
    underWay.set(
      run.run_id,
      quietly(launches, run, () => deferRun(ledger, run.run_id, { until: pausedUntil, why: '' })),
    )
  else if (endpoints.take(endpoint, now))
    underWay.set(
      run.run_id,
      quietly(launches, run, () => launch(launches, run, how, endpoint)),
    )
}

/** Ends what is under way, and resolves once nothing is. */
export async function stopLaunches({ stopping, underWay }: Launcher): Promise<void> {
  stopping.abort()
  await Promise.all(underWay.values())
}

/** What of an address names the server; the whole of one that is none. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url)

async function quietly(
  { log, underWay }: Launcher,
  run: Run,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    log.error({ run_id: run.run_id, error: messageOf(error) }, 'launch not recorded')
  } finally {
    underWay.delete(run.run_id)
  }
}

/**
 * Whether an endpoint answered; a number is how long one that failed asks to be left alone, in
 * milliseconds.
 */
type Answer = 'answered' | 'unasked' | number

async function launch(launches: Launcher, run: Run, how: Launch, endpoint: string): Promise<void> {
  const { ledger, endpoints } = launches
  let answer: Answer = 'unasked'
  try {
    answer = await launchClaimed(launches, run, how)
  } finally {
    if (typeof answer === 'string') endpoints.give(endpoint, answer, ledger.now())
    else endpoints.give(endpoint, 'failed', ledger.now(), answer)
  }
}

async function launchClaimed(launches: Launcher, decided: Run, how: Launch): Promise<Answer> {
  const { ledger } = launches
  const now = ledger.now()
  const deadlineMs = how.kind === 'command' ? 0 : requestsOf(how) * timeoutOf(launches, how)
  const until = now + deadlineMs + CLAIM_SPARE_MS
  const claim = await claimRun(ledger.postgres, decided.run_id, { now, until })
  if (!claim) return 'unasked'
  const run = await withDataset(launches, decided, claim, until)
  if (!run) return 'unasked'
  if (how.kind === 'webhook') return launchByWebhook(launches, run, how, claim)
  if (how.kind !== 'command') return launchBySystem(launches, run, how, claim)
  if (launches.allowsCommands) await startCommand(launches, run, how.command, claim)
  else await failRun(ledger, run, 'commands are not allowed: set PLUMBLINE_ALLOW_COMMANDS=on')
  return 'answered'
}

/**
 * The run with the manifest of its data set, where its policy names one; undefined where it cannot be
 * read now, and the launch is put off.
 */
async function withDataset(
  launches: Launcher,
  run: Run,
  claim: Claim,
  until: number,
): Promise<Run | undefined> {
  const { ledger } = launches
  const begun = ledger.now()
  try {
    await keepClaim(ledger.postgres, claim, until + DATASET_MS)
    const known = await keepDataset(ledger, launches.readDataset, run)
    await keepClaim(ledger.postgres, claim, until + ledger.now() - begun)
    return known
  } catch (error) {
    const why = `the manifest of its data set was not read: ${messageOf(error)}`
    const giveUpMs = durationMs(GIVE_UP_AFTER)
    await tryAgain(launches, run, claim, { kind: 'failed', why, askedMs: 0, giveUpMs })
    return undefined
  }
}

async function launchByWebhook(
  launches: Launcher,
  run: Run,
  how: WebhookLaunch,
  claim: Claim,
): Promise<Answer> {
  const { stopping, ledger } = launches
  const outcome = await postJob(launches, run, how, stopping.signal)
  if (stopping.signal.aborted && outcome.kind === 'failed') {
    await releaseRun(ledger.postgres, claim, ledger.now())
    return 'unasked'
  }
  if (outcome.kind === 'answered') await markLaunched(ledger, run.run_id)
  else if (outcome.kind === 'refused') await failRun(ledger, run, `not launched: ${outcome.why}`)
  else {
    const giveUpMs = durationMs(how.give_up_after ?? GIVE_UP_AFTER)
    await tryAgain(launches, run, claim, { ...outcome, giveUpMs })
  }
  return outcome.kind === 'failed' ? outcome.askedMs : 'answered'
}

/** Starts the job in its system, and has it followed from there. */
async function launchBySystem(
  launches: Launcher,
  run: Run,
  how: SystemLaunch,
  claim: Claim,
): Promise<Answer> {
  const { stopping, ledger } = launches
  const { attempt } = claim
  const outcome = await startJob(launches, run, how, { attempt, stopping: stopping.signal })
  if (stopping.signal.aborted && outcome.kind === 'failed') {
    await releaseRun(ledger.postgres, claim, ledger.now())
    return 'unasked'
  }
  if (outcome.kind === 'started')
    await recordJob(ledger, run.run_id, { ...outcome.job, dueAt: ledger.now() + pollMs(how) })
  else if (outcome.kind === 'refused') await failRun(ledger, run, `not launched: ${outcome.why}`)
  else {
    const giveUpMs = durationMs(how.give_up_after ?? GIVE_UP_AFTER)
    await tryAgain(launches, run, claim, { ...outcome, giveUpMs })
  }
  return outcome.kind === 'failed' ? outcome.askedMs : 'answered'
}

/** Puts the next attempt off, or fails the run where it would come too late. */
async function tryAgain(
  { ledger, log, random }: LaunchOptions,
  run: Run,
  claim: Claim,
  { why, askedMs, giveUpMs }: Extract<WebhookOutcome, { kind: 'failed' }> & { giveUpMs: number },
): Promise<void> {
  const { attempt, firstAttemptAt } = claim
  // Half of a pause is drawn, so that runs that failed together do not come together again.
  const pause = backoffMs(attempt - 1, FIRST_RETRY_MS, LAST_RETRY_MS) * (0.5 + random() / 2)
  const next = ledger.now() + Math.max(askedMs, pause)
  if (next > firstAttemptAt + giveUpMs) {
    const tries = `${attempt} ${attempt === 1 ? 'attempt' : 'attempts'}`
    await failRun(ledger, run, `not launched after ${tries} in ${hours(giveUpMs)}: ${why}`)
    return
  }
  log.warn({ run_id: run.run_id, attempt, error: why }, 'run not launched, trying again')
  await releaseRun(ledger.postgres, claim, next)
}

const hours = (ms: number) => `${Number((ms / 3_600_000).toPrecision(3))} hours`
