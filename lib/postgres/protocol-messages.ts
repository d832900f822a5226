/** The few messages of PostgreSQL's protocol 3.0 that we write or read ourselves. */
import type { Socket } from 'node:net'

const READY_FOR_QUERY = 0x5a
/**
 * Bind, Close, Describe, Execute, Flush, Parse, Query, Sync and Terminate: all that the statements
 * of clients need. PGlite answers a type that it does not know without end.
 */
const FROM_CLIENTS = new Set(Buffer.from('BCDEHPQSX'))
const WITH_STATEMENT = new Set(Buffer.from('PQ'))

/**
 * What keeps a client's message from the embedded engine.
 *
 * `COPY … FROM STDIN` ends PGlite with its process. Both words are keywords, which nothing can
 * write in another way, so that a statement without either is none; values of parameters are not
 * looked at.
 *
 * @returns SQLSTATE and a sentence, or undefined where the message may pass
 */
export function refusedMessage(message: Buffer): readonly [string, string] | undefined {
  const type = message[0]!
  if (!FROM_CLIENTS.has(type))
    return ['08P01', `a message of type ${JSON.stringify(String.fromCharCode(type))} is not taken`]
  if (!WITH_STATEMENT.has(type)) return undefined
  const text = message.toString('latin1')
  if (/copy/i.test(text) && /stdin/i.test(text))
    return ['0A000', 'COPY FROM STDIN is not taken by the embedded PostgreSQL']
  return undefined
}

/** Sends an ErrorResponse and ends the connection. @param code SQLSTATE */
export function closeWithError(socket: Socket, code: string, message: string): void {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  socket.end(Buffer.concat([head, fields]), () => socket.destroy())
}

/**
 * The state that the last ReadyForQuery among whole answers tells: `I` idle, `T` within a
 * transaction, `E` within one that failed.
 *
 * @returns undefined where the server still waits for the rest of a statement
 */
export function readyState(answers: Buffer): string | undefined {
  let state: string | undefined
  for (let at = 0; at + 5 <= answers.length; at += 1 + answers.readInt32BE(at + 1))
    state = answers[at] === READY_FOR_QUERY ? String.fromCharCode(answers[at + 5]!) : undefined
  return state
}
