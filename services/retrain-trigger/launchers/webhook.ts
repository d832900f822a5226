/** Launches a run by posting its job to a webhook, signed as Standard Webhooks asks. */
import { filled, filledHeaders, type Template } from '../../../lib/models/launch-templates.ts'
import { TokenRefused } from '../../../lib/http/oidc/client-credentials.ts'
import { AddressRefused } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { WebhookLaunch } from '../../../schemas/launch.ts'
import { signatureHeaders } from '../../../lib/http/outgoing/signatures.ts'
import type { Run } from '../queries/run-record.ts'
import { jobText, valuesOf, type LaunchOptions } from './job.ts'
import { isPermanent, sentenceOf } from '../../../lib/http/outgoing/refusals.ts'
import { fetchWithToken } from './with-token.ts'
import { retryAfterMs } from '../../../lib/http/outgoing/retry-after.ts'

const TIMEOUT_MS = 15_000

/**
 * What became of a try: `refused` is for good, `failed` may pass; a failure of the endpoint itself
 * names how long it asks to be left alone.
 */
export type WebhookOutcome =
  | { kind: 'answered' }
  | { kind: 'refused'; why: string }
  | { kind: 'failed'; why: string; askedMs: number }

/** How long a webhook may take, in milliseconds. */
export const timeoutOf = (
  { timeoutMs = TIMEOUT_MS }: Pick<LaunchOptions, 'timeoutMs'>,
  { timeout }: Pick<WebhookLaunch, 'timeout'>,
): number => (timeout === undefined ? timeoutMs : durationMs(timeout))

/**
 * Posts the job of a run once; the run's id is its `webhook-id`. Redirects are not followed.
 *
 * @param stopping ends the request, which has failed then
 */
export async function postJob(
  options: LaunchOptions,
  run: Run,
  how: WebhookLaunch,
  stopping: AbortSignal,
): Promise<WebhookOutcome> {
  const { secret, ledger } = options
  const values = await valuesOf(options, run)
  const body =
    how.body === undefined ? jobText(values) : JSON.stringify(filled(how.body as Template, values))
  const signed = signatureHeaders(secret, run.run_id, Math.floor(ledger.now() / 1000), body)
  let own: Record<string, string>
  try {
    own = filledHeaders(how.headers ?? {}, values, options.environment)
  } catch (error) {
    return { kind: 'refused', why: messageOf(error) }
  }
  try {
    const request = {
      method: 'POST',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutOf(options, how)), stopping]),
      headers: { ...own, 'content-type': 'application/json', ...signed },
      body,
    }
    const response = await fetchWithToken(options, how.url, request, how.oauth)
    return await outcomeOf(response, ledger.now())
  } catch (error) {
    if (error instanceof AddressRefused || error instanceof TokenRefused)
      return { kind: 'refused', why: error.message }
    return failed(messageOf(error))
  }
}

async function outcomeOf(response: Response, now: number): Promise<WebhookOutcome> {
  const { ok, status, headers } = response
  if (ok) {
    // Nothing of the answer but its head is read, however long it is.
    await response.body?.cancel()
    return { kind: 'answered' }
  }
  const said = await sentenceOf(response).catch(() => '')
  const why = `the webhook answered ${status}${said === '' ? '' : `: ${said}`}`
  if (!isPermanent(status)) return failed(why, retryAfterMs(headers.get('retry-after'), now))
  const isRedirect = status >= 300 && status < 400
  return {
    kind: 'refused',
    why: isRedirect
      ? `the webhook answered with a redirect (${status}), and redirects are not followed: give the address itself`
      : why,
  }
}

const failed = (why: string, askedMs = 0): WebhookOutcome => ({ kind: 'failed', why, askedMs })
