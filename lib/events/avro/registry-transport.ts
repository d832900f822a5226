/**
 * How requests of `@kafkajs/confluent-schema-registry` reach the registry: bounded in bytes and in time.
 *
 * The package's own HTTP layer is not used, since nothing bounds it: it reads an answer of any length, has no time limit,
 * never settles when an answer breaks off, ends the process by an unhandled rejection when the body of an error is the JSON
 * `null`, and takes a redirect for an answer. Its retries go with it: whoever asks tries again.
 */
import type { SchemaRegistry as Client } from '@kafkajs/confluent-schema-registry'

/** The registry gave no answer that says anything of a schema: what waits for it is tried again. */
export class RegistryAway extends Error {
  /** As errors of the network have it: the fault is not the data's. */
  readonly code = 'EREGISTRY'
}

/** Bytes of an answer that holds a schema. */
export const MAX_SCHEMA_BYTES = 1 << 20
const TIMEOUT_MS = 5000

/** An answer of the registry. It is thrown where the package must not take it for a success. */
export class RegistryAnswer extends Error {
  readonly status: number
  /** The body; undefined when it is longer than {@link MAX_SCHEMA_BYTES}. */
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
    // A body that is no JSON is told as it is.
  }
  return `${status} ${reason}`
}

type Middleware = NonNullable<ConstructorParameters<typeof Client>[0]['middlewares']>[number]
type Transport = NonNullable<ReturnType<Middleware>['response']>
type Request = Parameters<Transport>[2]

/**
 * The outermost middleware of the package's client: it answers every request itself, so that nothing below it is called.
 *
 * @returns a middleware whose answers are {@link RegistryAnswer}s, thrown unless they are a success of bounded length
 * @throws RegistryAway when no answer comes, or not the whole of it
 */
export function boundedTransport(url: string): Middleware {
  return () => ({
    response: (async (_next, _renew, request) => {
      const answer = await exchange(url, request)
      if (!answer.isOk || answer.text === undefined) throw answer
      return answer
    }) as (...args: Parameters<Transport>) => Promise<RegistryAnswer> as unknown as Transport,
  })
}

async function exchange(url: string, request: Request): Promise<RegistryAnswer> {
  const body = request.body() as string | undefined
  let response: Response
  try {
    response = await fetch(request.url(), {
      method: request.method().toUpperCase(),
      headers: headersOf(request),
      // Redirects are followed; to another origin the credentials do not go along.
      redirect: 'follow',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body }),
    })
  } catch (cause) {
    throw new RegistryAway(`the schema registry at ${url} cannot be reached`, { cause })
  }
  try {
    return new RegistryAnswer(response.status, await textOf(response))
  } catch (cause) {
    throw new RegistryAway(`the schema registry at ${url} broke off its answer`, { cause })
  }
}

function headersOf(request: Request): Record<string, string> {
  const headers = request.headers() as Record<string, string>
  const auth = request.auth()
  if (!auth) return headers
  const token = Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
  return { ...headers, authorization: `Basic ${token}` }
}

/** The body as text; undefined when it is longer than a schema may be. */
async function textOf({ body }: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += (chunk as Uint8Array).length
    // Leaving the loop ends the connection.
    if (bytes > MAX_SCHEMA_BYTES) return undefined
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks).toString()
}
