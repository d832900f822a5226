/**
 * ClickHouse's HTTP interface on the embedded engine, for analysts and for separately started
 * services.
 *
 * Callers who are not Plumbline are readers (`readers.ts`): a positive list, a session of its own
 * each, and bounds. Settings in the URL, which Grafana and the official clients send with every
 * query, are ignored for them. Plumbline's own services authenticate in a header and may write.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import type { Authenticate } from '../http/api-keys.ts'
import { answer, exceptionOf, fail, WRONG_PASSWORD } from './answer.ts'
import type { EmbeddedEngine, RawResult, RawSession } from '../clickhouse/embedded.ts'
import { createReaders, MAX_READER_BYTES, type ReaderQuestion, type Readers } from './readers.ts'
import { systemClock } from '../runtime/clock.ts'
import { reachOf, type DeclaredModels } from '../http/model-access.ts'
import { refusalOf } from '../http/origin.ts'
import type { Module } from '../runtime/modules.ts'
import type { Spool } from '../clickhouse/spool.ts'
import { bound, runWithData } from './write-statement.ts'

/** The engine behind the interface, where it listens and who may use it. */
export interface ClickHouseServerOptions {
  engine: EmbeddedEngine
  host: string
  port: number
  /** The one user who may write. */
  username: string
  password: string
  spool: Spool
  /**
   * Tells who asks: with a key file a reader needs a key whose scope is `read`; without one anybody
   * on this machine may ask.
   */
  authenticate: Authenticate
  /**
   * Declared models, by which a reader of some models, a team or an environment is limited to
   * theirs.
   */
  declared: DeclaredModels
  /** Names besides loopback that a request's `Host` may have. */
  allowedHosts: readonly string[]
  /**
   * Resolves once all that was written before survives power loss; absent where surviving a killed
   * process is enough.
   */
  synced?: (() => Promise<void>) | undefined
}

/** The interface as a module, and its address once it listens. */
export interface ClickHouseServer {
  module: Module
  url: () => string
}

const MAX_BODY_BYTES = 256 << 20
/** Half-sent requests hold no more than a socket, and not for long. */
const MAX_CONNECTIONS = 256
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
/** A reader's statement may stand in the URL, where a byte takes three. */
const MAX_HEADER_BYTES = 4 * MAX_READER_BYTES
const WRITER_SETTINGS = [
  'SET async_insert = 0',
  'SET cast_string_to_variant_use_inference = 0',
  'SET max_partitions_per_insert_block = 0',
  "SET date_time_input_format = 'best_effort'",
  'SET prefer_column_name_to_alias = 1',
]
/** Settings of a writer's URL that are about this interface or already in force. */
const OUTPUT_SETTINGS = new Set([
  'date_time_output_format',
  'output_format_json_quote_64bit_integers',
  'output_format_json_quote_denormals',
])

/** A statement that changes nothing. */
const ASKS = /^\s*(select|show|describe|exists|explain|with)\b(?![\s\S]*\binsert\b)/i

/** Makes the interface; it listens once its module is started. */
export function clickHouseServer(options: ClickHouseServerOptions): ClickHouseServer {
  let server: Server | undefined
  let readers: Readers | undefined
  let writers: Lane[] = []

  async function handle(request: IncomingMessage, response: ServerResponse) {
    const refusal = refusalOf(addressOf(request), options.host, options.allowedHosts)
    if (refusal)
      return fail(response, { ...refusal, code: 195, message: `${refusal.detail}. (HOST)` })
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (
      url.pathname === '/ping' ||
      (url.pathname === '/' && request.method === 'GET' && !url.searchParams.has('query'))
    ) {
      response.writeHead(200, { 'content-type': 'text/plain; charset=UTF-8' }).end('Ok.\n')
      return
    }
    if (url.pathname !== '/')
      return fail(response, { status: 404, code: 0, message: `There is no handle ${url.pathname}` })
    const access = await accessOf(request, url, options)
    if (access === 'refused') return fail(response, WRONG_PASSWORD)
    requireDatabase(request, url)
    const body = await readBody(request, access === 'writer' ? MAX_BODY_BYTES : MAX_READER_BYTES)
    const query = url.searchParams.get('query') ?? ''
    const format =
      url.searchParams.get('default_format') ??
      request.headers['x-clickhouse-format']?.toString() ??
      'TabSeparated'
    const send = (result: RawResult & { format: string }) => answer(request, response, url, result)
    if (access === 'writer') await send(await write(url, query, body, format))
    else {
      const question = readersQuestion(url, query, body)
      await readers!.ask({ ...question, format, limits: access.limits }, send)
    }
  }

  async function write(url: URL, query: string, body: Buffer, format: string) {
    // Like ClickHouse: the query is the URL's, followed by the body, which may carry an INSERT's
    // data.
    const inUrl = query.trim() !== ''
    const { sql, params } = bound(inUrl ? query : body.toString(), url)
    const data = inUrl ? body : Buffer.alloc(0)
    const result = await leastBusy(writers).use(async (session) => {
      for (const setting of outputSettings(url)) await session.run(setting, {}, 'Null')
      return runWithData(session, { sql, params, data }, format, options.spool)
    })
    if (!ASKS.test(sql)) await options.synced?.()
    return { ...result, format: /\bformat\s+([A-Za-z]\w*)\s*;?\s*$/i.exec(sql)?.[1] ?? format }
  }

  return {
    url: () => {
      const address = server?.address()
      if (!address || typeof address === 'string')
        throw new Error('the ClickHouse interface is not listening')
      return `http://${options.host}:${address.port}`
    },
    module: {
      name: 'clickhouse http interface',
      start: async () => {
        readers = createReaders(options.engine, systemClock)
        writers = Array.from({ length: 2 }, () =>
          laneOf(options.engine.rawSession('plumbline_owner', WRITER_SETTINGS)),
        )
        server = createServer(SERVER_OPTIONS, (request, response) => {
          handle(request, response).catch((error: unknown) => fail(response, exceptionOf(error)))
        })
        server.maxConnections = MAX_CONNECTIONS
        await new Promise<void>((resolve, reject) => {
          server!.once('error', reject)
          server!.listen(options.port, options.host, () => resolve())
        })
      },
      stop: async () => {
        server?.closeAllConnections()
        await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
      },
    },
  }
}

const SERVER_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: 1000,
  // As ClickHouse has it: with Node's 5 s a client that was slow finds its connection closed.
  keepAliveTimeout: 30_000,
}

/** A navigation from another site is refused too: nobody follows a link into this port. */
const addressOf = ({ method = 'GET', headers }: IncomingMessage) => ({
  method,
  host: headers.host,
  origin: headers.origin,
  fetchSite: headers['sec-fetch-site']?.toString(),
  fetchMode: undefined,
})

/** @throws Error as ClickHouse words it for another database than the one there is */
function requireDatabase(request: IncomingMessage, url: URL): void {
  const database =
    url.searchParams.get('database') ?? request.headers['x-clickhouse-database']?.toString() ?? ''
  if (database !== '' && database !== 'default')
    throw new Error(
      'Code: 81. DB::Exception: statements run in the database default, and name others before a point. (UNKNOWN_DATABASE)',
    )
}

/** A reader's statement is the URL's and the body's, one after the other. */
function readersQuestion(url: URL, query: string, body: Buffer) {
  const params = new Map<string, string>()
  for (const [key, value] of url.searchParams)
    if (/^param_\w+$/.test(key)) params.set(key.slice('param_'.length), value)
  return { sql: [query, body.toString()].filter((part) => part.trim() !== '').join('\n'), params }
}

/** A session takes one query at a time; the others wait in line. */
interface Lane {
  waiting: number
  use: <T>(body: (session: RawSession) => Promise<T>) => Promise<T>
}

function laneOf(session: RawSession): Lane {
  let tail: Promise<unknown> = Promise.resolve()
  const lane: Lane = {
    waiting: 0,
    use: (body) => {
      lane.waiting++
      const turn = tail.then(() => body(session)).finally(() => lane.waiting--)
      tail = turn.catch(() => {})
      return turn
    },
  }
  return lane
}

const leastBusy = (lanes: readonly Lane[]) =>
  lanes.reduce((a, b) => (b.waiting < a.waiting ? b : a))

/** Who asks, by headers alone: what stands in a URL stands in logs and histories. */
async function accessOf(
  request: IncomingMessage,
  url: URL,
  { username, password, authenticate, declared }: ClickHouseServerOptions,
): Promise<'writer' | 'refused' | Pick<ReaderQuestion, 'limits'>> {
  const { authorization = '' } = request.headers
  if (url.searchParams.get('password')) return 'refused'
  const basic = /^Basic (.+)$/.exec(authorization)?.[1]
  const [basicUser = '', ...rest] = basic ? Buffer.from(basic, 'base64').toString().split(':') : []
  const user =
    basicUser ||
    request.headers['x-clickhouse-user']?.toString() ||
    url.searchParams.get('user') ||
    'default'
  const key = rest.join(':') || request.headers['x-clickhouse-key']?.toString() || ''
  if (user === username) return isSame(key, password) ? 'writer' : 'refused'
  // What ClickHouse's clients call a password is a reader's key.
  const bearer = authorization.startsWith('Bearer ') ? authorization : `Bearer ${key}`
  const caller = await authenticate(key === '' && bearer === 'Bearer ' ? undefined : bearer)
  if (!caller?.scopes.has('read')) return 'refused'
  const models = reachOf(caller, 'read', declared).ids
  if (models === undefined) return {}
  return models.length === 0 ? 'refused' : { limits: { reader: caller.id, models } }
}

function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}

/**
 * Writers' services choose how values are printed; each is a name from a fixed list and a plain
 * value.
 */
function outputSettings(url: URL): string[] {
  return [...url.searchParams].flatMap(([key, value]) =>
    OUTPUT_SETTINGS.has(key) && /^\w+$/.test(value)
      ? [`SET ${key} = ${/^\d+$/.test(value) ? value : `'${value}'`}`]
      : [],
  )
}

async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most)
      throw new Error('Code: 307. DB::Exception: the request is too large. (TOO_MANY_BYTES)')
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  return request.headers['content-encoding'] === 'gzip'
    ? gunzipSync(body, { maxOutputLength: most })
    : body
}
