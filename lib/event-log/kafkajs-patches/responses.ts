/**
 * kafkajs 2.2.4 keeps the chunks of a response until all have come and joins them then: a fetch of
 * 64 MiB takes 128, and is copied once more. Here room is made for a response as soon as its size
 * is known, and the socket reads into it. What had come of a response when its connection was lost
 * goes with the socket; kafkajs takes the first bytes of the next one for the rest of it.
 */
import { createRequire } from 'node:module'
import net from 'node:net'
import tls from 'node:tls'
import type { ISocketFactory } from 'kafkajs'

interface Connection {
  socket: net.Socket
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
}

const SIZE_BYTES = 4
/** Nothing that we ask for comes near; what says more is no broker. */
const MAX_BYTES = 2 ** 30
const KEEP_ALIVE_MS = 60_000

const connection = createRequire(import.meta.url)('kafkajs/src/network/connection') as {
  prototype: { processData: (this: Connection, chunk: Buffer) => void }
}
const { processData } = connection.prototype
/** Those that are read here; other clients of the process may have kafkajs' own. */
const sockets = new WeakSet<net.Socket>()

/** Reads a chunk: one that is a whole response, with nothing before it, is not copied. */
connection.prototype.processData = function (chunk) {
  if (sockets.has(this.socket)) {
    this.chunks = []
    this.bytesBuffered = 0
    this.bytesNeeded = SIZE_BYTES
  }
  processData.call(this, chunk)
}

/** A socket whose `data` are responses, each of them whole; over TLS where kafkajs was told so. */
export const responseSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const responses = responseReader(
    (response) => socket.emit('data', response),
    (error) => socket.destroy(error),
  )
  const options = {
    host,
    port,
    onread: {
      buffer: responses.room,
      callback: (read: number) => {
        responses.came(read)
        return true
      },
    },
  }
  // Declared by kafkajs as always there; it is null without TLS.
  const socket = (ssl as tls.ConnectionOptions | null)
    ? tls.connect(
        { ...options, ...(net.isIP(host) === 0 && { servername: host }), ...ssl },
        onConnect,
      )
    : net.connect(options, onConnect)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  sockets.add(socket)
  return socket
}

/** Takes the bytes of a connection, and makes the responses of them. */
export interface ResponseReader {
  /** Where the next bytes belong; never empty. */
  room: () => Buffer
  /** So many bytes are there now. */
  came: (bytes: number) => void
}

/**
 * Makes a reader for one connection: room is made for a response as soon as its size is known.
 *
 * @param deliver takes each response without its size, in the order in which they come
 * @param refuse called when what comes is no response
 */
export function responseReader(
  deliver: (response: Buffer) => void,
  refuse: (error: Error) => void,
): ResponseReader {
  /** Room for the size, then for all of the response, which is longer. */
  let bytes = Buffer.allocUnsafe(SIZE_BYTES)
  let filled = 0
  return {
    room: () => bytes.subarray(filled),
    came: (read) => {
      filled += read
      if (filled < bytes.length) return
      const whole = bytes
      if (whole.length > SIZE_BYTES) {
        bytes = Buffer.allocUnsafe(SIZE_BYTES)
        filled = 0
        deliver(whole)
        return
      }
      const size = whole.readInt32BE()
      if (size <= 0 || size > MAX_BYTES) {
        filled = 0
        refuse(new Error(`a response of ${size} bytes: this is no Kafka broker`))
        return
      }
      bytes = Buffer.allocUnsafe(SIZE_BYTES + size)
      whole.copy(bytes)
    },
  }
}
