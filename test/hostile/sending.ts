/** One request over loopback, with bytes and headers as an enemy chooses them. */
import { Agent, request, type IncomingMessage } from 'node:http'

/** What is written on the wire; `content-length` is added. */
export interface Wire {
  method: string
  /** Path with its query, as it stands in the request line. */
  path: string
  /** A list is a header said more than once. */
  headers: Record<string, string | string[]>
  body: Buffer
}

export interface Answer {
  /** 0 when the connection ended without an answer. */
  status: number
  headers: IncomingMessage['headers']
  /** The beginning of the answer. */
  text: string
  ms: number
}

/** What only a service that hangs exceeds. */
const ANSWER_TIMEOUT_MS = 120_000
const KEPT_BYTES = 1 << 20
const agent = new Agent({ keepAlive: true, maxSockets: 400 })

/**
 * Sends a request and resolves with its answer, or with status 0 when the connection was ended
 * before one came; of a stream of events with its beginning. The enemy's address is always loopback.
 *
 * @throws when nothing came within `ANSWER_TIMEOUT_MS`
 */
export function send(base: string, { method, path, headers, body }: Wire): Promise<Answer> {
  const { hostname, port } = new URL(base)
  if (hostname !== '127.0.0.1') throw new Error(`only loopback is attacked, not ${hostname}`)
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    const done = (answer: Omit<Answer, 'ms'>) =>
      resolve({ ...answer, ms: performance.now() - begun })
    const sent = request(
      { hostname, port, method, path, agent, headers: { ...headers, ...lengthOf(method, body) } },
      (response) => {
        // A stream of events ends when its time is over, which may be long: it is answered by now.
        if (response.headers['content-type']?.startsWith('text/event-stream')) {
          done({ status: response.statusCode ?? 0, headers: response.headers, text: '' })
          sent.destroy()
          return
        }
        const chunks: Buffer[] = []
        let size = 0
        const end = () => {
          done({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          })
          // What is not yet written of a refused body is not wanted any more.
          if (!sent.writableFinished) sent.destroy()
        }
        response.on('data', (chunk: Buffer) => {
          if (size < KEPT_BYTES) chunks.push(chunk.subarray(0, KEPT_BYTES - size))
          size += chunk.length
        })
        response.once('end', end).once('error', end)
      },
    )
    sent.setTimeout(ANSWER_TIMEOUT_MS, () => {
      reject(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s: ${method} ${path}`))
      sent.destroy()
    })
    sent.once('error', () => done({ status: 0, headers: {}, text: '' }))
    sent.end(body)
  })
}

const lengthOf = (method: string, body: Buffer): Record<string, string> =>
  method === 'GET' && body.length === 0 ? {} : { 'content-length': String(body.length) }
