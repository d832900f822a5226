/** Starts, finds, asks after and cancels the job of a run in the system that runs it. */
import {
  filled,
  filledHeaders,
  type LaunchValues,
  type Template,
} from '../../../lib/models/launch-templates.ts'
import { secretValue } from '../../../lib/models/secret-references.ts'
import { awsHeaders, type AwsRequest } from '../../../lib/http/outgoing/aws-signature.ts'
import { TokenRefused } from '../../../lib/http/oidc/client-credentials.ts'
import { AddressRefused } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { SystemLaunch } from '../../../schemas/launch-systems.ts'
import type { Run } from '../queries/run-record.ts'
import { valuesOf, valuesWith, type LaunchOptions } from './job.ts'
import { firstBytes, isPermanent, sentenceIn } from '../../../lib/http/outgoing/refusals.ts'
import { retryAfterMs } from '../../../lib/http/outgoing/retry-after.ts'
import { systemOf } from './systems/by-kind.ts'
import type { Job, JobStatus, SystemAnswer, SystemRequest } from './systems/system.ts'
import { timeoutOf, type WebhookOutcome } from './webhook.ts'
import { fetchWithToken } from './with-token.ts'

/** What became of a try to start a job. */
export type StartOutcome =
  { kind: 'started'; job: Job } | Exclude<WebhookOutcome, { kind: 'answered' }>

/** Answers are read up to here: lists of runs are long. */
const MAX_ANSWER_BYTES = 4 << 20

/**
 * Starts the job of a run, or finds the one that an earlier try has started.
 *
 * @param attempt counted from 1: from the second on, a job may be there already
 * @param stopping ends the request, which has failed then
 */
export async function startJob(
  options: LaunchOptions,
  run: Run,
  how: SystemLaunch,
  { attempt, stopping }: { attempt: number; stopping: AbortSignal },
): Promise<StartOutcome> {
  const system = systemOf(how)
  const values = await valuesOf(options, run)
  try {
    const ask = asker(options, how, values, stopping)
    const settings = settingsOf(how, values)
    const find = async (): Promise<Job | undefined> => {
      if (!system.find) return undefined
      const answer = await ask(system.find(settings, values))
      if (answer.status !== 404) assertAnswered(answer, system.faultOf?.(answer) === 'passing')
      return system.found(answer, settings, values)
    }
    const earlier = system.looksFirst || attempt > 1 ? await find() : undefined
    if (earlier) return { kind: 'started', job: earlier }
    const answer = await ask(system.start(settings, values))
    const started = system.started(answer, settings)
    if (started === undefined) {
      assertAnswered(answer, system.faultOf?.(answer) === 'passing')
      const why = system.refusal?.(answer) || sentenceIn(answer.text) || 'no job in the answer'
      return { kind: 'refused', why: `${how.kind} started no job: ${why}` }
    }
    if (started !== 'exists') return { kind: 'started', job: started }
    const job = await find()
    if (job) return { kind: 'started', job }
    if (answer.status >= 300) assertAnswered(answer)
    // Taken, and not to be seen yet: the next try finds it.
    return { kind: 'failed', why: `${how.kind} does not show the job yet`, askedMs: 0 }
  } catch (error) {
    return outcomeOf(error, how)
  }
}

/** What a system says of a run's job, or why it cannot be asked now. */
export async function askAfter(
  options: LaunchOptions,
  run: Run,
  how: SystemLaunch,
  job: Job,
): Promise<JobStatus | { problem: string; isGone: boolean }> {
  const system = systemOf(how)
  // Only a job that is started gets a token by which it reports.
  const values = valuesWith(run, '')
  try {
    const ask = asker(options, how, values, options.following)
    const settings = settingsOf(how, values)
    const answer = await ask(system.status(settings, job))
    const isGone = answer.status === 404 || system.faultOf?.(answer) === 'gone'
    if (isGone) return { problem: `${how.kind} has no such job`, isGone }
    assertAnswered(answer)
    return (
      system.statusOf(answer, settings) ?? {
        problem: `${how.kind} tells no state of the job`,
        isGone: false,
      }
    )
  } catch (error) {
    return { problem: messageOf(error), isGone: false }
  }
}

/** Asks a system to cancel a job; undefined once it is settled, else why it is not. */
export async function cancelJob(
  options: LaunchOptions,
  run: Run,
  how: SystemLaunch,
  job: Job,
): Promise<string | undefined> {
  const values = valuesWith(run, '')
  try {
    const ask = asker(options, how, values, options.following)
    const system = systemOf(how)
    const answer = await ask(system.cancel(settingsOf(how, values), job))
    // A job that has ended or is gone cannot be cancelled, and need not be.
    if ([404, 409, 410].includes(answer.status) || system.faultOf?.(answer) === 'gone')
      return undefined
    assertAnswered(answer)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** The settings with the values of the run in their texts; addresses and headers as they are. */
function settingsOf(how: SystemLaunch, values: LaunchValues): SystemLaunch {
  const { url, headers, oauth: _client, ...rest } = how
  return {
    ...(filled(rest as Template, values) as object),
    url,
    ...(headers && { headers }),
  } as SystemLaunch
}

/** An answer with its text. */
type Answered = SystemAnswer & { text: string; retryAfterMs: number }

/** A request was answered, and not served. */
class NotServed extends Error {
  readonly isPermanent: boolean
  readonly askedMs: number

  constructor({ status, text, retryAfterMs: askedMs }: Answered, mayPass: boolean) {
    const said = sentenceIn(text)
    super(`answered ${status}${said === '' ? '' : `: ${said}`}`)
    this.isPermanent = !mayPass && isPermanent(status)
    this.askedMs = askedMs
  }
}

/** @throws {NotServed} where the status is no success; it may pass, or the status says whether */
function assertAnswered(answer: Answered, mayPass = false): void {
  if (answer.status < 200 || answer.status >= 300) throw new NotServed(answer, mayPass)
}

/** A secret that is not set: no request is made without it. */
class NoSecret extends Error {}

function outcomeOf(error: unknown, { kind }: SystemLaunch): StartOutcome {
  const why = `${kind} ${messageOf(error)}`
  const isRefused = [NoSecret, AddressRefused, TokenRefused].some((kind) => error instanceof kind)
  if (isRefused) return { kind: 'refused', why: messageOf(error) }
  if (!(error instanceof NotServed)) return { kind: 'failed', why: messageOf(error), askedMs: 0 }
  return error.isPermanent
    ? { kind: 'refused', why }
    : { kind: 'failed', why, askedMs: error.askedMs }
}

function asker(
  options: LaunchOptions,
  how: SystemLaunch,
  values: LaunchValues,
  stopping: AbortSignal,
): (request: SystemRequest) => Promise<Answered> {
  let headers: Record<string, string>
  try {
    headers = filledHeaders(how.headers ?? {}, values, options.environment)
  } catch (error) {
    throw new NoSecret(messageOf(error))
  }
  const sign = signerOf(options, how)
  const base = how.url.replace(/\/+$/, '')
  return async ({ method, path, body, headers: own }) => {
    const content = body === undefined ? undefined : JSON.stringify(body)
    const url = `${base}${path}`
    const all = {
      accept: 'application/json',
      ...headers,
      ...(content !== undefined && { 'content-type': 'application/json' }),
      ...own,
    }
    const request = {
      method,
      signal: AbortSignal.any([AbortSignal.timeout(timeoutOf(options, how)), stopping]),
      headers: await sign({ method, url, headers: all, body: content }),
      ...(content !== undefined && { body: content }),
    }
    const response = await fetchWithToken(options, url, request, how.oauth)
    const text = await firstBytes(response, MAX_ANSWER_BYTES)
    return {
      status: response.status,
      text,
      body: jsonOf(text),
      location: response.headers.get('location') ?? '',
      retryAfterMs: retryAfterMs(response.headers.get('retry-after'), options.ledger.now()),
    }
  }
}

/**
 * What makes the headers of a request those that the system takes.
 *
 * @throws {NoSecret} where a secret is not set
 */
function signerOf(
  { environment, ledger }: LaunchOptions,
  how: SystemLaunch,
): (request: AwsRequest) => Promise<Record<string, string>> {
  if (how.kind !== 'sagemaker') return async ({ headers }) => ({ ...headers })
  const { access_key_id: id, secret_access_key: key, session_token: token } = how.credentials
  try {
    const scope = {
      accessKeyId: secretValue(id, environment),
      secretAccessKey: secretValue(key, environment),
      sessionToken: token === undefined ? undefined : secretValue(token, environment),
      service: 'sagemaker',
      region: how.region,
    }
    return (request) => awsHeaders(request, scope, ledger.now())
  } catch (error) {
    throw new NoSecret(messageOf(error))
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** How often a job is asked after, in milliseconds. */
export const pollMs = ({ poll = '30s' }: SystemLaunch): number => durationMs(poll)

/** How long a job may take, in milliseconds. */
export const endsWithinMs = ({ ends_within: within = '24h' }: SystemLaunch): number =>
  durationMs(within)
