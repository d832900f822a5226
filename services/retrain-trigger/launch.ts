/**
 * Starts the job of a run. A webhook may be sent again after a crash, always with the run's id as `webhook-id`, by which the
 * receiver knows it; a command is marked launched before it starts, so it starts at most once.
 */
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { backoffMs } from '../../lib/clock.ts'
import { messageOf } from '../../lib/errors.ts'
import type { Logger } from '../../lib/log.ts'
import type { RetrainPolicy } from '../../schemas/model.ts'
import type { Run, RunLedger } from './runs.ts'

export interface LaunchOptions {
  ledger: RunLedger
  log: Logger
  now: () => number
  secret: string
  /** Base address of the status callback. */
  publicUrl: () => string
}

const TIMEOUT_MS = 15_000
const MAX_ATTEMPTS = 8
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 5 * 60_000
const STDERR_KEPT = 1000

export function launcher({ ledger, log, now, secret, publicUrl }: LaunchOptions) {
  const jobOf = (run: Run) => ({
    type: 'plumbline.retrain',
    timestamp: run.created_at,
    data: {
      run_id: run.run_id,
      model_id: run.model_id,
      policy: run.policy,
      reason: run.reason,
      window_end: run.window_end,
      status_url: `${publicUrl()}/v1/runs/${run.run_id}/status`,
    },
  })

  async function webhook(run: Run, url: string) {
    const body = JSON.stringify(jobOf(run))
    let retryAfterMs = 0
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          'content-type': 'application/json',
          ...signatureHeaders(secret, run.run_id, Math.floor(now() / 1000), body),
        },
        body,
      })
      await response.body?.cancel()
      if (response.ok) return void (await ledger.launched(run.run_id))
      if (response.status === 410)
        return void (await ledger.report(run.run_id, 'failed', 'launcher', {
          message: 'the webhook is gone (410)',
        }))
      retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1000
      throw new Error(`the webhook answered ${response.status}`)
    } catch (error) {
      if (run.attempts + 1 >= MAX_ATTEMPTS)
        return void (await ledger.report(run.run_id, 'failed', 'launcher', {
          message: `not launched after ${MAX_ATTEMPTS} attempts: ${messageOf(error)}`,
        }))
      log.warn(
        { run_id: run.run_id, attempt: run.attempts + 1, error: messageOf(error) },
        'run not launched, trying again',
      )
      await ledger.postpone(
        run.run_id,
        now() + Math.max(retryAfterMs, backoffMs(run.attempts, FIRST_RETRY_MS, LAST_RETRY_MS)),
      )
    }
  }

  async function command(run: Run, [file = '', ...args]: readonly string[]) {
    await ledger.launched(run.run_id)
    const ended = new Promise<string | undefined>((resolve) => {
      const child = spawn(file, args, {
        shell: false,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: '/usr/local/bin:/usr/bin:/bin', PLUMBLINE_RUN: JSON.stringify(jobOf(run)) },
      })
      let stderr = ''
      child.stderr.on(
        'data',
        (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT)),
      )
      child.once('error', (error) => resolve(`the command did not start: ${error.message}`))
      child.once('exit', (code, signal) =>
        resolve(
          code === 0 ? undefined : `the command ended with ${signal ?? code}: ${stderr.trim()}`,
        ),
      )
    })
    const watch = ended.then(async (failure) => {
      const current = await ledger.get(run.run_id)
      // A command that reported its own end has the last word.
      if (current?.state !== 'launched' && current?.state !== 'running') return
      await ledger.report(
        run.run_id,
        failure === undefined ? 'succeeded' : 'failed',
        'launcher',
        failure === undefined ? {} : { message: failure },
      )
    })
    void watch.catch((error: unknown) =>
      log.error({ run_id: run.run_id, error: messageOf(error) }, 'end of the command not recorded'),
    )
  }

  return {
    launch: async (run: Run, launch: RetrainPolicy['launch']) => {
      if (launch.kind === 'webhook') await webhook(run, launch.url)
      else await command(run, launch.command)
    },
  }
}

/** Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, keyed with the bytes behind `whsec_`. */
export function signatureHeaders(
  secret: string,
  id: string,
  timestamp: number,
  body: string,
): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  }
}
