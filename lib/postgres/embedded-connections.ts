/**
 * Connections of other processes to the embedded PostgreSQL, which has one session for all of
 * them: a connection holds it from the first message of a statement until PostgreSQL is ready for
 * the next one outside a transaction, as poolers of connections do by transaction.
 */
import type { Socket } from 'node:net'
import type { EmbeddedPostgres, ProtocolExchange } from './port.ts'
import { closeWithError, readyState, refusedMessage } from './protocol-messages.ts'

/** What one connection may take. */
export interface ConnectionLimits {
  /** Milliseconds that the session is held for a message that does not come. */
  idleMs: number
  /** Bytes of one message; a longer one ends the connection. */
  maxMessageBytes: number
}

const LIMITS: ConnectionLimits = { idleMs: 60_000, maxMessageBytes: 64 << 20 }
const TERMINATE = 0x58
/** `S` and `Q`: a statement or a transaction that was begun and not ended is given up. */
const GIVE_UP = [
  Buffer.from([0x53, 0, 0, 0, 4]),
  Buffer.from([0x51, 0, 0, 0, 13, ...Buffer.from('ROLLBACK\0')]),
]

/**
 * Serves one connection until it ends, is idle for too long in the midst of a statement or a
 * transaction, or sends what is no message. What it leaves open is rolled back.
 *
 * Names of prepared statements and settings of the session (`SET`) are shared by all connections.
 *
 * @param startup the startup message that the caller has read
 * @param rest bytes that came behind it
 * @throws Error where PGlite itself fails; the caller of the other side is told, and other
 *   connections go on
 */
export async function serveConnection(
  { session }: Pick<EmbeddedPostgres, 'session'>,
  socket: Socket,
  [startup, rest]: readonly [Buffer, Buffer],
  limits: ConnectionLimits = LIMITS,
): Promise<void> {
  const messages = messagesOf(socket, rest, limits.maxMessageBytes)
  try {
    let message: Buffer | undefined = startup
    while (message && message[0] !== TERMINATE) {
      const first: Buffer = message
      await session((exchange) => holdSession(exchange, { first, messages, socket, limits }))
      if (socket.destroyed) return
      message = await next(messages)
    }
  } catch (error) {
    closeWithError(socket, 'XX000', 'the embedded PostgreSQL failed, and this connection ends')
    throw error
  } finally {
    socket.destroySoon()
  }
}

/** Exchanges messages until PostgreSQL is idle or the connection leaves. */
async function holdSession(
  exchange: ProtocolExchange,
  turn: {
    first: Buffer
    messages: AsyncGenerator<Buffer>
    socket: Socket
    limits: ConnectionLimits
  },
): Promise<void> {
  const { messages, socket, limits } = turn
  let state: string | undefined
  try {
    for (
      let message: Buffer | undefined = turn.first;
      message && message[0] !== TERMINATE;
      message = await nextWithin(messages, socket, limits.idleMs)
    ) {
      const answer = await exchange(message)
      if (socket.writable) socket.write(answer)
      state = readyState(answer)
      if (state === 'I') return
    }
    socket.destroy()
  } finally {
    if (state !== 'I') for (const message of GIVE_UP) await exchange(message)
  }
}

/** Undefined where the connection ended. */
async function next(messages: AsyncGenerator<Buffer>): Promise<Buffer | undefined> {
  const { value, done } = await messages.next()
  return done ? undefined : value
}

async function nextWithin(
  messages: AsyncGenerator<Buffer>,
  socket: Socket,
  idleMs: number,
): Promise<Buffer | undefined> {
  const timer = setTimeout(() => {
    closeWithError(socket, '25P03', 'the connection was idle within a transaction for too long')
  }, idleMs)
  try {
    return await next(messages)
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Whole messages of a client after its startup, in order; ends with the connection, however that
 * ends, and at a message that the engine must not get.
 */
async function* messagesOf(
  socket: Socket,
  rest: Buffer,
  maxBytes: number,
): AsyncGenerator<Buffer, undefined> {
  const header = 5
  let parts = [rest]
  let bytes = rest.length
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  for (let needed = header; ;) {
    while (bytes < needed) {
      // A connection that breaks has ended.
      const { value, done } = await chunks.next().catch(() => ({ value: undefined, done: true }))
      if (done || !value) return
      parts.push(value)
      bytes += value.length
    }
    const buffered = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    parts = [buffered]
    const length = buffered.readInt32BE(1) + 1
    if (length < header || length > maxBytes) {
      closeWithError(socket, '08P01', `a message has 4 to ${maxBytes - 1} bytes`)
      return
    }
    needed = length
    if (bytes < needed) continue
    parts = [buffered.subarray(length)]
    bytes -= length
    needed = header
    const message = buffered.subarray(0, length)
    const refused = refusedMessage(message)
    if (refused) {
      closeWithError(socket, ...refused)
      return
    }
    yield message
  }
}
