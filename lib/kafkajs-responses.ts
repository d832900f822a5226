/**
 * kafkajs 2.2.4 keeps the chunks of a response until all have come and joins them then: a fetch of 64 MiB takes 128. Here room
 * is made for a response as soon as its size is known, and chunks are copied into it as they come. What had come of a response
 * when its connection was lost is forgotten; kafkajs would take the first bytes of the next connection for the rest of it.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

interface Connection {
  socket: Socket
  /** Set while the client authenticates, which has framing of its own. */
  authHandlers: object | null
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
}

/** What has come of a response: first its size, then, with room for all of it, the rest. */
interface Partial {
  socket: Socket
  bytes: Buffer
  filled: number
  isSized: boolean
}

const SIZE_BYTES = 4
/** Nothing that we ask for comes near; what says more is no broker. */
const MOST_BYTES = 2 ** 30

const begun = (socket: Socket): Partial => ({
  socket,
  bytes: Buffer.allocUnsafe(SIZE_BYTES),
  filled: 0,
  isSized: false,
})

const connection = createRequire(import.meta.url)('kafkajs/src/network/connection') as {
  prototype: { processData: (this: Connection, chunk: Buffer) => void }
}
const { processData } = connection.prototype
const partials = new WeakMap<Connection, Partial>()

/** Replaces one method; kafkajs' own sees each response whole. */
export function fixKafkajsResponses(): void {
  connection.prototype.processData = gather
}

function gather(this: Connection, chunk: Buffer): void {
  if (this.authHandlers) return processData.call(this, chunk)
  let partial = partials.get(this)
  if (partial?.socket !== this.socket) partial = begun(this.socket)
  for (let at = 0; at < chunk.length;) {
    const taken = chunk.copy(partial.bytes, partial.filled, at)
    at += taken
    partial.filled += taken
    if (partial.filled < partial.bytes.length) break
    if (partial.isSized) {
      // As if nothing had come before.
      this.chunks = []
      this.bytesBuffered = 0
      this.bytesNeeded = SIZE_BYTES
      processData.call(this, partial.bytes)
      partial = begun(this.socket)
      continue
    }
    const size = partial.bytes.readInt32BE()
    if (size <= 0 || size > MOST_BYTES) {
      this.socket.destroy(new Error(`a response of ${size} bytes: this is no Kafka broker`))
      break
    }
    const room = Buffer.allocUnsafe(SIZE_BYTES + size)
    partial.bytes.copy(room)
    partial.bytes = room
    partial.isSized = true
  }
  partials.set(this, partial)
}
