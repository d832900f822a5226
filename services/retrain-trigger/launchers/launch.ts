/**
 * Starts the job of a run. A webhook may be sent again after a crash, always with the run's id as `webhook-id`, by which the
 * receiver knows it; a command is marked launched before it starts, so it starts at most once. Launches run beside one another:
 * an endpoint that hangs or fails holds up its own runs alone.
 */
import { spawn } from 'node:child_process'
import { backoffMs } from '../../../lib/runtime/clock.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import { textProblem } from '../../../lib/events/text-rules.ts'
import type { RetrainPolicy } from '../../../schemas/model.ts'
import { launchEndpoints } from './endpoints.ts'
import { retryAfterMs } from './retry-after.ts'
import { newRunToken } from '../queries/run-token.ts'
import type { Run } from '../queries/run-record.ts'
import type { RunLedger } from '../queries/runs.ts'
import { signatureHeaders } from '../data/signatures.ts'

export interface LaunchOptions {
  ledger: RunLedger
  log: Logger
  now: () => number
  secret: string
  /** Base address of the status callback. */
  publicUrl: () => string
  /** Whether model files may start commands. */
  allowsCommands: boolean
  /** How long an endpoint may take; 15 s unless given. */
  timeoutMs?: number
}

const TIMEOUT_MS = 15_000
const MAX_ATTEMPTS = 8
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 5 * 60_000
const STDERR_KEPT = 1000

/** What became of a try: `failed` names the endpoint's fault and how long it asks to be left alone. */
type Outcome =
  { kind: 'answered' } | { kind: 'gone' } | { kind: 'failed'; why: string; askedMs: number }

export interface Launcher {
  /** Begins the launch of a run, unless its endpoint is busy or paused; what goes wrong is that run's. */
  begin: (run: Run, launch: RetrainPolicy['launch']) => void
  /** Ends what is under way, and resolves once nothing is. */
  stop: () => Promise<void>
}

export function launcher(options: LaunchOptions): Launcher {
  const { ledger, log, now } = options
  const endpoints = launchEndpoints()
  const underWay = new Map<string, Promise<void>>()
  const stopping = new AbortController()

  async function webhook(run: Run, url: string): Promise<'answered' | number> {
    const outcome = await postJob(options, run, url, stopping.signal)
    if (stopping.signal.aborted && outcome.kind === 'failed') return 0
    if (outcome.kind === 'answered') await ledger.launched(run.run_id)
    else if (outcome.kind === 'gone') await fail(ledger, run, 'the webhook is gone (410)')
    else if (run.attempts + 1 >= MAX_ATTEMPTS)
      await fail(ledger, run, `not launched after ${MAX_ATTEMPTS} attempts: ${outcome.why}`)
    else {
      log.warn(
        { run_id: run.run_id, attempt: run.attempts + 1, error: outcome.why },
        'run not launched, trying again',
      )
      const pause = backoffMs(run.attempts, FIRST_RETRY_MS, LAST_RETRY_MS)
      await ledger.postpone(run.run_id, now() + Math.max(outcome.askedMs, pause))
    }
    return outcome.kind === 'failed' ? outcome.askedMs : 'answered'
  }

  async function launch(run: Run, { kind, ...how }: RetrainPolicy['launch'], endpoint: string) {
    let outcome: 'answered' | number = 0
    try {
      if ('url' in how) outcome = await webhook(run, how.url)
      else {
        outcome = 'answered'
        if (options.allowsCommands) await startCommand(options, run, how.command)
        else await fail(ledger, run, 'commands are not allowed: set PLUMBLINE_ALLOW_COMMANDS=on')
      }
    } catch (error) {
      log.error({ run_id: run.run_id, kind, error: messageOf(error) }, 'launch not recorded')
    } finally {
      if (outcome === 'answered') endpoints.give(endpoint, 'answered', now())
      else endpoints.give(endpoint, 'failed', now(), outcome)
      underWay.delete(run.run_id)
    }
  }

  return {
    begin: (run, how) => {
      const endpoint = how.kind === 'webhook' ? originOf(how.url) : 'command'
      if (stopping.signal.aborted || underWay.has(run.run_id)) return
      if (endpoints.take(endpoint, now())) underWay.set(run.run_id, launch(run, how, endpoint))
    },
    stop: async () => {
      stopping.abort()
      await Promise.all(underWay.values())
    },
  }
}

const originOf = (url: string) => (URL.canParse(url) ? new URL(url).origin : url)

const fail = (ledger: RunLedger, run: Run, message: string) =>
  ledger.report(run.run_id, 'failed', 'launcher', { message })

/** What a job is told, with a new token by which it reports on this run. */
async function jobOf({ ledger, publicUrl }: LaunchOptions, run: Run): Promise<string> {
  const { token, hash } = newRunToken()
  await ledger.addToken(run.run_id, hash)
  return JSON.stringify({
    type: 'plumbline.retrain',
    timestamp: run.created_at,
    data: {
      run_id: run.run_id,
      model_id: run.model_id,
      policy: run.policy,
      reason: run.reason,
      window_end: run.window_end,
      status_url: `${publicUrl()}/v1/runs/${run.run_id}/status?token=${token}`,
    },
  })
}

async function postJob(
  options: LaunchOptions,
  run: Run,
  url: string,
  stopping: AbortSignal,
): Promise<Outcome> {
  const { secret, now, timeoutMs = TIMEOUT_MS } = options
  const body = await jobOf(options, run)
  const failed = (why: string, askedMs = 0): Outcome => ({ kind: 'failed', why, askedMs })
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), stopping]),
      headers: {
        'content-type': 'application/json',
        ...signatureHeaders(secret, run.run_id, Math.floor(now() / 1000), body),
      },
      body,
    })
    // Nothing of the answer but its head is read, however long it is.
    await response.body?.cancel()
    if (response.ok) return { kind: 'answered' }
    if (response.status === 410) return { kind: 'gone' }
    if (response.status >= 300 && response.status < 400)
      return failed(
        `the webhook answered with a redirect (${response.status}), and redirects are not followed: give the address itself`,
      )
    return failed(
      `the webhook answered ${response.status}`,
      retryAfterMs(response.headers.get('retry-after'), now()),
    )
  } catch (error) {
    return failed(messageOf(error))
  }
}

async function startCommand(
  options: LaunchOptions,
  run: Run,
  [file = '', ...args]: readonly string[],
): Promise<void> {
  const { ledger, log } = options
  const job = await jobOf(options, run)
  await ledger.launched(run.run_id)
  const watch = commandEnd(file, args, job).then(async (failure) => {
    const current = await ledger.get(run.run_id)
    // A command that reported its own end has the last word.
    if (current?.state !== 'launched' && current?.state !== 'running') return
    if (failure === undefined) await ledger.report(run.run_id, 'succeeded', 'launcher', {})
    else await fail(ledger, run, failure)
  })
  void watch.catch((error: unknown) =>
    log.error({ run_id: run.run_id, error: messageOf(error) }, 'end of the command not recorded'),
  )
}

/** Runs a command without a shell and with none of our environment; resolves with why it failed, or undefined. */
function commandEnd(
  file: string,
  args: readonly string[],
  job: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      shell: false,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', PLUMBLINE_RUN: job },
    })
    let stderr = ''
    child.stderr.on(
      'data',
      (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT)),
    )
    child.once('error', (error) => resolve(`the command did not start: ${error.message}`))
    child.once('exit', (code, signal) =>
      resolve(
        code === 0 ? undefined : `the command ended with ${signal ?? code}: ${printed(stderr)}`,
      ),
    )
  })
}

/** What a command wrote, without what a store refuses. */
const printed = (text: string) =>
  Array.from(text.toWellFormed(), (c) => (textProblem('', c) === undefined ? c : ' '))
    .join('')
    .trim()
