/** Asks a judge once, by a request to its endpoint or by its command. */
import { AddressRefused, type GuardedFetch } from '../../../../lib/http/outgoing/guarded-fetch.ts'
import { firstBytes, isPermanent, sentenceIn } from '../../../../lib/http/outgoing/refusals.ts'
import { retryAfterMs } from '../../../../lib/http/outgoing/retry-after.ts'
import {
  secretValue,
  withoutSecrets,
  type SecretOf,
} from '../../../../lib/models/secret-references.ts'
import { durationMs } from '../../../../lib/runtime/durations.ts'
import { messageOf } from '../../../../lib/runtime/errors.ts'
import type { JudgeEndpoint, ModelJudge } from '../../../../schemas/language-models/judges.ts'
import { readCompletion, type Completion } from '../../data/judges/judgement.ts'
import { NotSent, runCommand } from './run-command.ts'

/** Why a request gave no answer. */
export type FailReason =
  | 'timeout'
  | 'unreachable'
  | 'rate_limited'
  | 'server_error'
  | 'request_refused'
  | 'address_refused'
  | 'no_secret'
  | 'command_failed'

/** What became of one request. */
export type AskOutcome =
  | { kind: 'answered'; completion: Completion }
  /** The process is ending. */
  | { kind: 'stopped' }
  | {
      kind: 'failed'
      reason: FailReason
      /** A sentence, without secrets. */
      detail: string
      /** Another try would be refused, too. */
      isPermanent: boolean
      /** Nobody knows whether it was paid for. */
      mayCost: boolean
      /** How long the endpoint asks to be left alone, milliseconds. */
      askedMs: number
    }

/** What asking needs of the process. */
export interface AskParts {
  fetch: GuardedFetch
  environment: SecretOf
  /** Ends requests that are under way. */
  stopping: AbortSignal
  now: () => number
}

/** Most bytes of an answer; of a longer one nothing is taken. */
const MAX_ANSWER_BYTES = 1 << 20

/** Asks a judge once; never rejects. */
export async function askJudge(
  parts: AskParts,
  judge: ModelJudge,
  body: string,
): Promise<AskOutcome> {
  const timeout = AbortSignal.timeout(durationMs(judge.timeout))
  const signal = AbortSignal.any([timeout, parts.stopping])
  const { endpoint, command } = judge
  try {
    if (!endpoint) return answered(await runCommand(command ?? [], body, MAX_ANSWER_BYTES, signal))
    return await askEndpoint(parts, endpoint, body, signal)
  } catch (error) {
    if (parts.stopping.aborted) return { kind: 'stopped' }
    if (error instanceof AddressRefused)
      return failed('address_refused', error.message, { isPermanent: true })
    if (timeout.aborted)
      return failed('timeout', `no answer within ${judge.timeout}`, { mayCost: true })
    const mayCost = !(error instanceof NotSent)
    return failed(endpoint ? 'unreachable' : 'command_failed', messageOf(error), { mayCost })
  }
}

const answered = (text: string): AskOutcome => ({
  kind: 'answered',
  completion: text.length > MAX_ANSWER_BYTES ? TOO_LARGE : readCompletion(text),
})
const TOO_LARGE: Completion = { kind: 'invalid', reason: 'too_large', usage: undefined }

type Failed = Extract<AskOutcome, { kind: 'failed' }>

const failed = (reason: FailReason, detail: string, more: Partial<Failed> = {}): Failed => ({
  kind: 'failed',
  reason,
  detail,
  isPermanent: false,
  mayCost: false,
  askedMs: 0,
  ...more,
})

async function askEndpoint(
  { fetch, environment, now }: AskParts,
  { url, key }: JudgeEndpoint,
  body: string,
  signal: AbortSignal,
): Promise<AskOutcome> {
  let secret = ''
  try {
    if (key !== undefined) secret = secretValue(key, environment)
    if (/[^\x21-\x7e]/.test(secret)) throw new Error(`${key} holds what no header may`)
  } catch (error) {
    return failed('no_secret', messageOf(error), { isPermanent: true })
  }
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(secret !== '' && { authorization: `Bearer ${secret}` }),
      },
      body,
      signal,
    })
    const text = await firstBytes(response, MAX_ANSWER_BYTES + 1)
    if (response.ok) return answered(text)
    return refused(response, withoutSecrets(sentenceIn(text), [secret]), now())
  } catch (error) {
    if (error instanceof AddressRefused) throw error
    const said = withoutSecrets(messageOf(error), [secret])
    // A request that breaks off later may have been answered and paid for.
    throw UNSENT.test((error as NodeJS.ErrnoException).code ?? '')
      ? new NotSent(said)
      : new Error(said, { cause: signal.reason })
  }
}

/** Codes of connections that were not made. */
const UNSENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$|CERT|^ERR_TLS|SELF_SIGNED|^UNABLE_TO/

/** Statuses of which the endpoint says that it has not answered: nothing is paid for. */
function refused({ status, headers }: Response, said: string, now: number): AskOutcome {
  const detail = `the endpoint answered ${status}${said === '' ? '' : `: ${said}`}`
  const askedMs = retryAfterMs(headers.get('retry-after'), now)
  if (status === 429) return failed('rate_limited', detail, { askedMs })
  if (status >= 500 || !isPermanent(status)) return failed('server_error', detail, { askedMs })
  const isRedirect = status >= 300 && status < 400
  return failed(
    'request_refused',
    isRedirect ? `${detail}; redirects are not followed: give the address itself` : detail,
    { isPermanent: true },
  )
}
