/**
 * How requests of `@kafkajs/confluent-schema-registry` reach the registry: bounded in bytes, in
 * time and in attempts.
 *
 * The package's own HTTP layer is not used, since nothing bounds it: it reads an answer of any
 * length, has no time limit, never settles when an answer breaks off, ends the process by an
 * unhandled rejection when the body of an error is the JSON
 * `null`, and takes a redirect for an answer. Its retries go with it, and are made here.
 */
import {
  BrokenOff,
  registryExchange,
  type Exchange,
  type RegistryReply,
  type RegistryTls,
} from './registry-requests.ts'
import { backoffMs, sleep } from '../../runtime/clock.ts'
import type { SchemaRegistry as Client } from '@kafkajs/confluent-schema-registry'

/** The registry gave no answer that says anything of a schema: what waits for it is tried again. */
export class RegistryAway extends Error {
  /** As errors of the network have it: the fault is not the data's. */
  readonly code = 'EREGISTRY'
  /** Whether the same question may be answered in a moment. */
  readonly mayPass: boolean
  constructor(message: string, options?: ErrorOptions, mayPass = true) {
    super(message, options)
    this.mayPass = mayPass
  }
}

/** All attempts of one question together. */
const TIMEOUT_MS = 5000
/** How often a question is sent that meets a fault which may pass by itself. */
export const MAX_ATTEMPTS = 4
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 1000

/** An answer of the registry. It is thrown where the package must not take it for a success. */
export class RegistryAnswer extends Error {
  readonly status: number
  /** The body; undefined when it is longer than `MAX_SCHEMA_BYTES`. */
  readonly text: string | undefined
  constructor(status: number, text: string | undefined) {
    super(reasonOf(status, text))
    this.status = status
    this.text = text
  }

  get isOk(): boolean {
    return this.status >= 200 && this.status < 300
  }

  /** The body's value, as the package reads an answer. */
  data(): unknown {
    return JSON.parse(this.text ?? '')
  }
}

/** The status, and what the registry says to it. */
function reasonOf(status: number, text: string | undefined): string {
  let reason = text ?? ''
  try {
    reason = (JSON.parse(reason) as { message?: string } | null)?.message ?? reason
  } catch {
    // A body that is no JSON is reported as it is.
  }
  return `${status} ${reason}`
}

type Middleware = NonNullable<ConstructorParameters<typeof Client>[0]['middlewares']>[number]
type Transport = NonNullable<ReturnType<Middleware>['response']>
type Request = Parameters<Transport>[2]

/**
 * The outermost middleware of the package's client: it answers every request itself, so that
 * nothing below it is called.
 *
 * A question is sent up to {@link MAX_ATTEMPTS} times, with growing pauses, while the registry
 * cannot be reached, breaks off, or answers 429 or 5xx. A certificate that is not trusted is final
 * at once.
 *
 * @returns a middleware whose answers are {@link RegistryAnswer}s, thrown unless they are a success
 *   of bounded length
 * @throws RegistryAway when no answer comes, or not the whole of it
 */
export function boundedTransport(url: string, tls: RegistryTls = {}): Middleware {
  const exchange = registryExchange(url, tls)
  return () => ({
    response: (async (_next, _renew, request) => {
      const { status, text } = await replyTo(url, exchange, request)
      const answer = new RegistryAnswer(status, text)
      if (!answer.isOk || answer.text === undefined) throw answer
      return answer
    }) as (...args: Parameters<Transport>) => Promise<RegistryAnswer> as unknown as Transport,
  })
}

/** The last of up to {@link MAX_ATTEMPTS} replies. */
async function replyTo(url: string, exchange: Exchange, request: Request): Promise<RegistryReply> {
  const question = {
    url: request.url(),
    method: request.method().toUpperCase(),
    headers: headersOf(request),
    body: request.body() as string | undefined,
  }
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  for (let attempt = 1; ; attempt++) {
    const outcome = await exchange(question, signal).catch((cause: unknown) => awayBy(url, cause))
    if (attempt === MAX_ATTEMPTS || !isTransient(outcome)) return settled(outcome)
    await sleep(backoffMs(attempt - 1, FIRST_PAUSE_MS, LONGEST_PAUSE_MS), signal)
    // The time is up: what the last attempt met is reported, not that it was up.
    if (signal.aborted) return settled(outcome)
  }
}

function settled(outcome: RegistryReply | RegistryAway): RegistryReply {
  if (outcome instanceof RegistryAway) throw outcome
  return outcome
}

/** Whether the same question may be answered in a moment. */
function isTransient(outcome: RegistryReply | RegistryAway): boolean {
  if (outcome instanceof RegistryAway) return outcome.mayPass
  return outcome.status === 429 || outcome.status >= 500
}

const NOT_TRUSTED =
  /^(CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_|HOSTNAME_|PATH_LENGTH_|ERR_TLS_CERT)/
const NO_TLS = /^(ERR_SSL_|EPROTO)/

/** What it means that no whole answer came, as one sentence. */
function awayBy(url: string, cause: unknown): RegistryAway {
  if (cause instanceof BrokenOff)
    return new RegistryAway(`the schema registry at ${url} broke off its answer`, {
      cause: cause.cause,
    })
  const { code, message } = cause as Error & { code?: unknown }
  if (NOT_TRUSTED.test(String(code)))
    return new RegistryAway(
      `the certificate of the schema registry at ${url} is not trusted (${message}): PLUMBLINE_SCHEMA_REGISTRY_CA_FILE names the authorities that are`,
      { cause },
      false,
    )
  if (NO_TLS.test(String(code)))
    return new RegistryAway(
      `TLS with the schema registry at ${url} fails (${message}): PLUMBLINE_SCHEMA_REGISTRY_CERT_FILE and PLUMBLINE_SCHEMA_REGISTRY_KEY_FILE are what it knows us by`,
      { cause },
      false,
    )
  if (code === 'ECONNRESET' && url.startsWith('https:'))
    return new RegistryAway(
      `the schema registry at ${url} ended the TLS connection without an answer: it may want another certificate than that of PLUMBLINE_SCHEMA_REGISTRY_CERT_FILE`,
      { cause },
    )
  return new RegistryAway(`the schema registry at ${url} cannot be reached`, { cause })
}

function headersOf(request: Request): Record<string, string> {
  const headers = request.headers() as Record<string, string>
  const auth = request.auth()
  if (!auth) return headers
  const token = Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
  return { ...headers, authorization: `Basic ${token}` }
}
