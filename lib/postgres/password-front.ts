/**
 * The endpoint of the embedded PostgreSQL for separately started services: PGlite itself asks
 * nobody for a password, so this does, in PostgreSQL's own words, and lets in only who knows it.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { closeWithError } from './protocol-messages.ts'

/** Where the front listens, and what serves whom it lets in. */
export interface PostgresFrontOptions {
  host: string
  /** 0 takes a free port. */
  port: number
  password: string
  /**
   * Serves a connection whose password was right until it ends; never rejects. It gets the startup
   * message and the bytes that came behind the password.
   */
  serve: (socket: Socket, first: readonly [Buffer, Buffer]) => Promise<void>
  /** Connections that are served at once. */
  maxConnections: number
  /** How long a caller has to say the password. */
  loginMs?: number
}

/** A port that asks for a password before it serves. */
export interface PostgresFront {
  start: () => Promise<void>
  stop: () => Promise<void>
  port: () => number
}

const LOGIN_MS = 10_000
/**
 * Callers who have not said the password yet; more are turned away, so that they cannot keep
 * services out.
 */
const MAX_WAITING = 16
const MAX_STARTUP_BYTES = 10_000
const VERSION_3 = 196_608
const SSL_REQUEST = 80_877_103
const GSS_REQUEST = 80_877_104
/** `R`, 8 bytes, 3: the password in clear text, on this machine's own loopback. */
const ASK_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])

/** Makes a front; it listens once it is started. */
export function postgresFront(options: PostgresFrontOptions): PostgresFront {
  let server: Server | undefined
  let waiting = 0
  const open = new Set<Socket>()
  const served = new Set<Promise<void>>()
  const wanted = createHash('sha256').update(options.password).digest()
  const isRight = (password: string) =>
    timingSafeEqual(createHash('sha256').update(password).digest(), wanted)

  function accept(socket: Socket) {
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => open.delete(socket))
    if (waiting >= MAX_WAITING || open.size > options.maxConnections + MAX_WAITING)
      return closeWithError(socket, '53300', 'too many connections wait for a password')
    waiting++
    let entered = false
    const timer = setTimeout(() => socket.destroy(), options.loginMs ?? LOGIN_MS)
    const leave = () => {
      if (entered) return
      entered = true
      clearTimeout(timer)
      waiting--
    }
    socket.on('close', leave)
    login(socket, isRight, (startup, rest) => {
      leave()
      if (served.size >= options.maxConnections)
        return closeWithError(socket, '53300', `${options.maxConnections} connections are open`)
      const ends = options.serve(socket, [startup, rest]).finally(() => served.delete(ends))
      served.add(ends)
    })
  }

  return {
    start: async () => {
      server = createServer(accept)
      await new Promise<void>((resolve, reject) => {
        server!.once('error', reject)
        server!.listen(options.port, options.host, () => resolve())
      })
    },
    stop: async () => {
      for (const socket of open) socket.destroy()
      await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
      await Promise.all(served)
    },
    port: () => {
      const address = server?.address()
      if (!address || typeof address === 'string') throw new Error('the PostgreSQL port is closed')
      return address.port
    },
  }
}

/**
 * Reads until the password is right, then calls `enter` with the startup message and what has come
 * behind.
 */
function login(
  socket: Socket,
  isRight: (password: string) => boolean,
  enter: (startup: Buffer, rest: Buffer) => void,
): void {
  let bytes = Buffer.alloc(0)
  let startup: Buffer | undefined
  const read = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    for (;;) {
      const header = startup ? 1 : 0
      if (bytes.length < header + 4) return
      const length = bytes.readInt32BE(header) + header
      if (length < header + 8 - (startup ? 4 : 0) || length > MAX_STARTUP_BYTES)
        return turnAway('08P01', 'a startup message of another size was expected')
      if (bytes.length < length) return
      const message = bytes.subarray(0, length)
      bytes = bytes.subarray(length)
      if (startup) return answerPassword(message)
      if (!answerStartup(message)) return
    }
  }
  /** Whether more may come. */
  const answerStartup = (message: Buffer): boolean => {
    const code = message.readInt32BE(4)
    if (code === SSL_REQUEST || code === GSS_REQUEST) return socket.write('N') || true
    if (code !== VERSION_3) return turnAway('0A000', 'protocol 3.0 is spoken here')
    startup = Buffer.from(message)
    socket.write(ASK_PASSWORD)
    return true
  }
  const answerPassword = (message: Buffer) => {
    const password = message.subarray(5, -1).toString()
    if (message[0] !== 0x70 || !isRight(password))
      return turnAway(
        '28P01',
        'password authentication failed: the password of this service is needed',
      )
    socket.off('data', read)
    socket.pause()
    return enter(startup!, bytes)
  }
  const turnAway = (code: string, message: string): false => {
    socket.off('data', read)
    closeWithError(socket, code, message)
    return false
  }
  socket.on('data', read)
}
