/**
 * Requests to addresses that model files name. A name is looked up once, each of its addresses is
 * judged, and the connection goes to one that was: what the name stands for a moment later leads
 * nowhere else. Redirects are not followed.
 */
import { lookup, type LookupAddress } from 'node:dns'
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import { addressProblem, type AllowedAddresses } from './address-rules.ts'

/** A request; its body is text. */
export interface OutgoingRequest {
  method: string
  headers: Readonly<Record<string, string>>
  body?: string
  signal: AbortSignal
  /** TLS of `https:` addresses; the system's own certificate authorities unless given. */
  tls?: OutgoingTls | undefined
}

/** Whom a request trusts, and what it shows of itself; each as PEM. */
export interface OutgoingTls {
  ca?: string
  cert?: string
  key?: string
}

/** Sends a request, and resolves with the answer once its head is there. */
export type GuardedFetch = (url: string, request: OutgoingRequest) => Promise<Response>

/** A request that was not sent: it would have gone where none may go. */
export class AddressRefused extends Error {}

/** Looks every address of a name up. */
export type LookUp = (
  name: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

const systemLookUp: LookUp = (name, done) =>
  lookup(name, { all: true, verbatim: true }, (error, addresses) => done(error, addresses ?? []))

/** Headers that say where a request ends, or to whom it goes: they are ours to write. */
const OURS = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade'])
/** Statuses whose answers have no body. */
const WITHOUT_BODY = new Set([204, 205, 304])

/** Makes what sends requests to public addresses and to those that are allowed besides. */
export const guardedFetch =
  (allowed: AllowedAddresses, lookUp: LookUp = systemLookUp): GuardedFetch =>
  async (url, { method, headers, body, signal, tls }) => {
    const { protocol, hostname } = new URL(url)
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new AddressRefused(`${protocol} is neither http: nor https:`)
    const literal = hostname.replace(/^\[|\]$/g, '')
    // An address that is no name is never looked up.
    if (isIP(literal) !== 0) refuse(hostname, [literal], allowed)
    signal.throwIfAborted()
    const own = Object.entries(headers).filter(([name]) => !OURS.has(name.toLowerCase()))
    const bytes = Buffer.from(body ?? '')
    const isEmpty = body === undefined && (method === 'GET' || method === 'DELETE')
    const sent = (protocol === 'https:' ? secure : plain)(url, {
      method,
      // A socket that another request has left open may lead elsewhere.
      agent: false,
      lookup: judgedLookUp(allowed, lookUp),
      signal,
      ...(protocol === 'https:' && tls),
      headers: {
        ...Object.fromEntries(own),
        ...(!isEmpty && { 'content-length': bytes.length }),
      },
    })
    return new Promise<Response>((resolve, reject) => {
      sent.once('error', (error) => reject(signal.aborted ? reasonOf(signal) : error))
      sent.once('response', (answer) => {
        const { statusCode = 0, statusMessage = '', headersDistinct } = answer
        try {
          const hasBody = !WITHOUT_BODY.has(statusCode)
          if (!hasBody) answer.resume()
          const stream = Readable.toWeb(answer) as ReadableStream<Uint8Array>
          const pairs = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
            values.map((value): [string, string] => [name, value]),
          )
          const init = { status: statusCode, statusText: printed(statusMessage), headers: pairs }
          resolve(new Response(hasBody ? stream : null, init))
        } catch (error) {
          answer.destroy()
          reject(error)
        }
      })
      sent.end(bytes)
    })
  }

/** Looks a host up, and resolves with one of its addresses that may be reached. */
export type GuardedAddress = (host: string) => Promise<string>

/**
 * Makes what finds an address of a host, for connections that are no requests; each rejects with
 * {@link AddressRefused} where none may be reached.
 */
export const guardedAddress =
  (allowed: AllowedAddresses, lookUp: LookUp = systemLookUp): GuardedAddress =>
  async (host) => {
    if (isIP(host) !== 0) return [...refuse(host, [host], allowed)][0]!
    const found = await new Promise<readonly LookupAddress[]>((resolve, reject) =>
      lookUp(host, (error, addresses) => (error ? reject(error) : resolve(addresses))),
    )
    const usable = refuse(
      host,
      found.map(({ address }) => address),
      allowed,
    )
    return [...usable][0]!
  }

const reasonOf = ({ reason }: AbortSignal): Error =>
  reason instanceof Error ? reason : new Error(String(reason))

/** What a status line may say, without what `Response` refuses. */
const printed = (text: string) => text.replaceAll(/[^\x20-\x7e]/g, ' ')

/** Answers with the addresses of a name that may be reached, to connections that are then made. */
const judgedLookUp =
  (allowed: AllowedAddresses, lookUp: LookUp): LookupFunction =>
  (name, { all }, done) =>
    lookUp(name, (error, addresses) => {
      if (error) return done(error, '')
      let open: readonly LookupAddress[]
      try {
        const usable = refuse(
          name,
          addresses.map(({ address }) => address),
          allowed,
        )
        open = addresses.filter(({ address }) => usable.has(address))
      } catch (problem) {
        return done(problem as Error, '')
      }
      const [first] = open
      return all ? done(null, [...open]) : done(null, first!.address, first!.family)
    })

/**
 * @returns the addresses that may be reached
 * @throws {AddressRefused} where none may
 */
function refuse(
  name: string,
  addresses: readonly string[],
  allowed: AllowedAddresses,
): ReadonlySet<string> {
  const judged = addresses.map((address) => [address, addressProblem(address, allowed)] as const)
  const usable = judged.filter(([, problem]) => problem === undefined).map(([address]) => address)
  if (usable.length > 0) return new Set(usable)
  const why = judged.map(([, problem]) => problem).join(', ') || 'it has no address'
  throw new AddressRefused(
    `nothing is sent to ${name}: ${why} (PLUMBLINE_LAUNCH_ADDRESSES says what may be reached besides public addresses)`,
  )
}
