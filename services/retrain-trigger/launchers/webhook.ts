/** Launches a run by posting its job to a webhook, signed as Standard Webhooks asks. */
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Run } from '../queries/run-record.ts'
import { signatureHeaders } from '../data/signatures.ts'
import { jobOf, type LaunchOptions } from './job.ts'
import { retryAfterMs } from './retry-after.ts'

const TIMEOUT_MS = 15_000

/** What became of a try: `failed` names the endpoint's fault and how long it asks to be left alone. */
export type WebhookOutcome =
  { kind: 'answered' } | { kind: 'gone' } | { kind: 'failed'; why: string; askedMs: number }

/**
 * Posts the job of a run once; the run's id is its `webhook-id`. Redirects are not followed.
 *
 * @param stopping ends the request, which has failed then
 */
export async function postJob(
  options: LaunchOptions,
  run: Run,
  url: string,
  stopping: AbortSignal,
): Promise<WebhookOutcome> {
  const { secret, timeoutMs = TIMEOUT_MS } = options
  const { now } = options.ledger
  const body = await jobOf(options, run)
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
    return outcomeOf(response, now())
  } catch (error) {
    return failed(messageOf(error))
  }
}

function outcomeOf({ ok, status, headers }: Response, now: number): WebhookOutcome {
  if (ok) return { kind: 'answered' }
  if (status === 410) return { kind: 'gone' }
  if (status >= 300 && status < 400)
    return failed(
      `the webhook answered with a redirect (${status}), and redirects are not followed: give the address itself`,
    )
  return failed(`the webhook answered ${status}`, retryAfterMs(headers.get('retry-after'), now))
}

const failed = (why: string, askedMs = 0): WebhookOutcome => ({ kind: 'failed', why, askedMs })
