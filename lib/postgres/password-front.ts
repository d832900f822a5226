/**
 * The endpoint of the embedded PostgreSQL for separately started services: PGlite itself asks
 * nobody for a password, so this does, in PostgreSQL's own words, and passes on only who knows it.
 * What stands behind listens on a path of ours alone.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Where the front listens, and what stands behind it. */
export interface PostgresFrontOptions {
  host: string
  /** 0 takes a free port. */
  port: number
  password: string
  /** Where PGlite listens: a socket in a folder that only its owner can enter. */
  upstream: string
  maxConnections: number
  /** How long a caller has to say the password. */
  loginMs?: number
}

/** A port that asks for a password before it passes bytes on. */
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
  const wanted = createHash('sha256').update(options.password).digest()
  const isRight = (password: string) =>
    timingSafeEqual(createHash('sha256').update(password).digest(), wanted)

  function accept(socket: Socket) {
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => open.delete(socket))
    if (waiting >= MAX_WAITING || open.size > options.maxConnections + MAX_WAITING)
      return refuse(socket, '53300', 'too many connections wait for a password')
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
      passOn(socket, options.upstream, [startup, rest])
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
    refuse(socket, code, message)
    return false
  }
  socket.on('data', read)
}

function passOn(socket: Socket, upstream: string, first: readonly Buffer[]): void {
  const inner = connect(upstream)
  const end = () => {
    inner.destroy()
    socket.destroy()
  }
  inner.on('error', end).on('close', end)
  socket.on('close', end)
  inner.once('connect', () => {
    for (const bytes of first) if (bytes.length > 0) inner.write(bytes)
    socket.pipe(inner)
    inner.pipe(socket)
  })
}

/** PostgreSQL's ErrorResponse, and the end. */
function refuse(socket: Socket, code: string, message: string): void {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  socket.end(Buffer.concat([head, fields]), () => socket.destroy())
}
