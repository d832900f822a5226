/** What became of a try to tell somebody. */
import { AddressRefused } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { firstBytes, sentenceIn } from '../../../lib/http/outgoing/refusals.ts'
import { retryAfterMs } from '../../../lib/http/outgoing/retry-after.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'

/**
 * What became of a try: `refused` is for good, `failed` may pass; a failure names how long the
 * receiver asks to be left alone, in milliseconds.
 */
export type Outcome =
  | { kind: 'delivered'; answer: string; remoteId?: string }
  | { kind: 'refused'; why: string }
  | { kind: 'failed'; why: string; askedMs: number }

/** An answer as it was read: its status, and the first 16 KiB of it. */
export interface Answer {
  status: number
  text: string
  outcome: Outcome
}

const MAX_BYTES = 16_384
/** Refusals that may pass: the request came too late, too early, or too often. */
const PASSING = new Set([408, 425, 429])

/** Reads an answer; all of 400 and above refuses for good but what may pass, and 500 and above. */
export async function answerOf(response: Response, now: number): Promise<Answer> {
  const { ok, status, headers } = response
  const text = await firstBytes(response, MAX_BYTES).catch(() => '')
  const said = sentenceIn(text)
  const answer = `answered ${status}${said === '' ? '' : `: ${said}`}`
  return { status, text, outcome: outcome() }

  function outcome(): Outcome {
    if (ok) return { kind: 'delivered', answer }
    if (status >= 300 && status < 400)
      return {
        kind: 'refused',
        why: `${answer}: redirects are not followed, so give the address itself`,
      }
    if (status < 500 && !PASSING.has(status)) return { kind: 'refused', why: answer }
    return { kind: 'failed', why: answer, askedMs: retryAfterMs(headers.get('retry-after'), now) }
  }
}

/** What a request that had no answer came to. */
export const outcomeOfError = (error: unknown): Outcome =>
  error instanceof AddressRefused
    ? { kind: 'refused', why: error.message }
    : { kind: 'failed', why: messageOf(error), askedMs: 0 }
