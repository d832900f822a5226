/**
 * One request to the schema registry over HTTP or TLS: redirects are followed, and an answer is
 * bounded in bytes.
 */
import { request as plainRequest, type IncomingMessage } from 'node:http'
import { Agent, request as tlsRequest } from 'node:https'

/** Bytes of an answer that holds a schema. */
export const MAX_SCHEMA_BYTES = 1 << 20
const MAX_REDIRECTS = 5

/** What TLS to the registry goes by, as PEM. */
export interface RegistryTls {
  /** Authorities that are trusted in place of Node's own. */
  ca?: string
  /** Certificate and private key by which the registry knows who asks; both or neither. */
  cert?: string
  key?: string
}

/** A request as it goes out. */
export interface RegistryRequest {
  url: string
  method: string
  headers: Record<string, string>
  body: string | undefined
}

/** The status and the body of an answer; `text` is undefined beyond {@link MAX_SCHEMA_BYTES}. */
export interface RegistryReply {
  status: number
  text: string | undefined
}

/** The answer came, and its body did not come whole. */
export class BrokenOff extends Error {}

/** Sends one request and reads the whole answer. */
export type Exchange = (request: RegistryRequest, signal: AbortSignal) => Promise<RegistryReply>

/**
 * Makes the sender of requests to one registry. Connections are kept between requests.
 *
 * Credentials and the client certificate go to the origin of `url` alone: a redirect to another one
 * is asked without.
 *
 * @param url of the registry, as it is configured
 * @returns a sender that rejects with {@link BrokenOff} for half an answer, and with the error of
 *   the connection for none
 */
export function registryExchange(url: string, tls: RegistryTls = {}): Exchange {
  const { origin } = new URL(url)
  const agents = {
    own: new Agent({ keepAlive: true, ...tls }),
    other: new Agent({ keepAlive: true, ...(tls.ca !== undefined && { ca: tls.ca }) }),
  }
  return async (request, signal) => {
    let current = request
    for (let redirects = 0; ; redirects++) {
      const target = new URL(current.url)
      const agent = target.origin === origin ? agents.own : agents.other
      const response = await answerOf(current, { target, agent, signal })
      const next = redirects < MAX_REDIRECTS ? redirected(current, response) : undefined
      if (!next) return { status: response.statusCode ?? 0, text: await textOf(response) }
      response.destroy()
      current = next
    }
  }
}

interface Sending {
  target: URL
  agent: Agent
  signal: AbortSignal
}

function answerOf(
  { method, headers, body }: RegistryRequest,
  { target, agent, signal }: Sending,
): Promise<IncomingMessage> {
  const options = {
    method,
    headers: body === undefined ? headers : { ...headers, 'content-length': byteLength(body) },
    signal,
  }
  return new Promise((resolve, reject) => {
    const sent =
      target.protocol === 'https:'
        ? tlsRequest(target, { ...options, agent })
        : plainRequest(target, options)
    sent.once('response', resolve).on('error', reject).end(body)
  })
}

const byteLength = (text: string) => String(Buffer.byteLength(text))

/**
 * The request that a redirect asks for; undefined where the answer is none, or is one that would
 * drop a body.
 */
function redirected(
  request: RegistryRequest,
  { statusCode = 0, headers: { location } }: IncomingMessage,
): RegistryRequest | undefined {
  const isRedirect = [301, 302, 303, 307, 308].includes(statusCode)
  const keepsBody = request.body === undefined || statusCode >= 307
  if (!isRedirect || !keepsBody || location === undefined || !URL.canParse(location, request.url))
    return undefined
  const target = new URL(location, request.url)
  if (!/^https?:$/.test(target.protocol)) return undefined
  const { authorization: _credentials, ...open } = request.headers
  const isSameOrigin = target.origin === new URL(request.url).origin
  return { ...request, url: target.href, headers: isSameOrigin ? request.headers : open }
}

/** The body as text; undefined when it is longer than a schema may be. */
async function textOf(response: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length
      // Leaving the loop ends the connection.
      if (bytes > MAX_SCHEMA_BYTES) return undefined
      chunks.push(chunk as Buffer)
    }
  } catch (cause) {
    throw new BrokenOff('the answer broke off', { cause })
  }
  return Buffer.concat(chunks).toString()
}
