/**
 * ClickHouse's HTTP interface on the embedded engine, for analysts and for separately started services.
 *
 * Callers who are not Plumbline get sessions with `readonly=1` and limits set before it: SETTINGS clauses and SET are
 * refused by the engine itself, `INTO OUTFILE` by us, and settings in the URL, which Grafana and the
 * official clients send with every query, are ignored. Plumbline's own services authenticate and may write.
 */
import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { gzipSync, gunzipSync } from 'node:zlib'
import { escape } from './clickhouse.ts'
import type { EmbeddedEngine, RawSession } from './clickhouse-embedded.ts'
import { messageOf } from './errors.ts'
import type { Module } from './modules.ts'
import type { Spool } from './spool.ts'

export interface ClickHouseServerOptions {
  engine: EmbeddedEngine
  host: string
  port: number
  /** The one user who may write. */
  username: string
  password: string
  spool: Spool
}

export interface ClickHouseServer {
  module: Module
  url: () => string
}

const READERS = 3
const MAX_BODY_BYTES = 256 << 20
/** What a reader may use, set before `readonly`, after which no setting can change. */
const READER_LIMITS = [
  'SET max_execution_time = 30',
  'SET max_memory_usage = 1000000000',
  'SET max_result_bytes = 500000000',
  'SET max_threads = 2',
  'SET output_format_json_quote_64bit_integers = 1',
  'SET readonly = 1',
]
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

export function clickHouseServer(options: ClickHouseServerOptions): ClickHouseServer {
  let server: Server | undefined
  let readers: Lane[] = []
  let writers: Lane[] = []

  async function handle(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (
      url.pathname === '/ping' ||
      (url.pathname === '/' && request.method === 'GET' && !url.searchParams.has('query'))
    ) {
      response.writeHead(200, { 'content-type': 'text/plain; charset=UTF-8' }).end('Ok.\n')
      return
    }
    if (url.pathname !== '/') return fail(response, 404, 0, `There is no handle ${url.pathname}`)
    const access = accessOf(request, url, options)
    if (access === 'refused')
      return fail(
        response,
        403,
        516,
        'default: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)',
      )

    const body = await readBody(request)
    const query = url.searchParams.get('query') ?? ''
    // Like ClickHouse: the query is the URL's, followed by the body, which may carry an INSERT's data.
    const inUrl = query.trim() !== ''
    const { sql, params } = bound(inUrl ? query : body.toString(), url)
    const data = inUrl ? body : Buffer.alloc(0)
    const format =
      url.searchParams.get('default_format') ??
      request.headers['x-clickhouse-format']?.toString() ??
      'TabSeparated'
    const settings = access === 'writer' ? outputSettings(url) : []
    const forbidden = access === 'reader' ? whyNotReadOnly(sql) : undefined
    if (forbidden)
      return fail(
        response,
        403,
        164,
        `Cannot execute query in readonly mode: ${forbidden}. (READONLY)`,
      )

    const lane = leastBusy(access === 'writer' ? writers : readers)
    const result = await lane.use(async (session) => {
      for (const setting of settings) await session.run(setting, {}, 'Null')
      return runWithData(session, sql, data, params, format, options.spool)
    })
    const used = /\bformat\s+([A-Za-z]\w*)\s*;?\s*$/i.exec(sql)?.[1] ?? format
    const gzip =
      url.searchParams.get('enable_http_compression') === '1' &&
      /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
    const bytes = gzip ? gzipSync(result.bytes, { level: 1 }) : result.bytes
    response.writeHead(200, {
      'content-type': contentType(used),
      'x-clickhouse-format': used,
      'x-clickhouse-timezone': 'UTC',
      'x-clickhouse-query-id': url.searchParams.get('query_id') ?? crypto.randomUUID(),
      'x-clickhouse-summary': JSON.stringify({
        read_rows: String(result.rowsRead),
        read_bytes: String(result.bytesRead),
        elapsed_ns: String(Math.round(result.elapsedSeconds * 1e9)),
      }),
      ...(gzip && { 'content-encoding': 'gzip' }),
      'content-length': bytes.length,
    })
    response.end(bytes)
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
        readers = Array.from({ length: READERS }, () =>
          laneOf(options.engine.rawSession(READER_LIMITS)),
        )
        writers = Array.from({ length: 2 }, () =>
          laneOf(options.engine.rawSession(WRITER_SETTINGS)),
        )
        server = createServer({ maxHeaderSize: 1 << 20 }, (request, response) => {
          handle(request, response).catch((error: unknown) => {
            const { status, code, message } = exceptionOf(error)
            fail(response, status, code, message)
          })
        })
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

/**
 * Runs SQL with data behind it. Binary data cannot stand in the SQL, and chDB answers `INSERT … SELECT … FROM input(…)`
 * with success and no rows: in both cases the data becomes a file.
 */
async function runWithData(
  session: RawSession,
  sql: string,
  data: Buffer,
  params: Record<string, string>,
  format: string,
  spool: Spool,
) {
  if (data.length === 0) return session.run(sql, params, format)
  const dataFormat = /\bformat\s+(\w+)\s*$/i.exec(sql.trim())
  const statement = sql.trim().slice(0, dataFormat?.index)
  const input = /\binput\s*\(\s*('(?:[^'\\]|\\.|'')*')\s*\)/i.exec(sql)
  if (input && !dataFormat)
    throw new Error(
      'Code: 62. DB::Exception: Syntax error: INSERT from input() needs a FORMAT at its end. (SYNTAX_ERROR)',
    )
  const isBinary = dataFormat?.[1] === 'Native'
  if (!input && !isBinary) return session.run(`${sql}\n${data.toString()}`, params, format)
  return spool.withFile([data], (path) => {
    const file = `'${path.replaceAll("'", "''")}', ${dataFormat![1]}`
    return session.run(
      input
        ? statement.replace(input[0], () => `file(${file}, ${input[1]})`)
        : `${statement} SELECT * FROM file(${file})`,
      params,
      format,
    )
  })
}

function accessOf(
  request: IncomingMessage,
  url: URL,
  options: ClickHouseServerOptions,
): 'writer' | 'reader' | 'refused' {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  const [basicUser = '', ...basicPassword] = basic
    ? Buffer.from(basic, 'base64').toString().split(':')
    : []
  const user =
    basicUser ||
    request.headers['x-clickhouse-user']?.toString() ||
    url.searchParams.get('user') ||
    'default'
  const password =
    basicPassword.join(':') ||
    request.headers['x-clickhouse-key']?.toString() ||
    url.searchParams.get('password') ||
    ''
  if (user !== options.username) return password === '' ? 'reader' : 'refused'
  const given = Buffer.from(password)
  const wanted = Buffer.from(options.password)
  return given.length === wanted.length && timingSafeEqual(given, wanted) ? 'writer' : 'refused'
}

/** Writers' services choose how values are printed; each is a name from a fixed list and a plain value. */
function outputSettings(url: URL): string[] {
  return [...url.searchParams].flatMap(([key, value]) =>
    OUTPUT_SETTINGS.has(key) && /^\w+$/.test(value)
      ? [`SET ${key} = ${/^\d+$/.test(value) ? value : `'${value}'`}`]
      : [],
  )
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES)
      throw new Error('Code: 307. DB::Exception: the request is too large. (TOO_MANY_BYTES)')
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  return request.headers['content-encoding'] === 'gzip'
    ? gunzipSync(body, { maxOutputLength: MAX_BODY_BYTES })
    : body
}

/**
 * The query and its parameters. Scalars travel in TSV escaping and are bound by the engine; arrays, maps and tuples carry their
 * own quotes, and since the engine's binder takes no text of them they become a CAST of an escaped string literal.
 */
function bound(query: string, url: URL): { sql: string; params: Record<string, string> } {
  const params: Record<string, string> = {}
  let sql = query
  for (const [key, value] of url.searchParams) {
    if (!/^param_\w+$/.test(key)) continue
    const name = key.slice('param_'.length)
    const composite = new RegExp(
      `\\{\\s*${name}\\s*:\\s*((?:Array|Map|Tuple)\\([^{}]*\\))\\s*\\}`,
      'g',
    )
    if (composite.test(sql))
      sql = sql.replace(
        composite,
        (_, type: string) => `CAST('${escape(value)}', '${escape(type)}')`,
      )
    else params[name] = unescapeParam(value)
  }
  return { sql, params }
}

const CHANGES =
  /^\(*\s*(insert|create|drop|alter|rename|exchange|truncate|set|kill|grant|revoke|attach|detach|undrop|optimize|system|delete|update|backup|restore|move|execute|use)\b/i

/** `readonly=1` lets some statements through that change no data (users, kills, files written); these are refused here. */
function whyNotReadOnly(sql: string): string | undefined {
  const bare = withoutLiterals(sql).trim().replace(/;\s*$/, '')
  if (bare.includes(';')) return 'several statements'
  if (/\binto\s+outfile\b/i.test(bare)) return 'INTO OUTFILE'
  if (CHANGES.test(bare)) return 'only questions are allowed'
  return undefined
}

/** Undoes TSV escaping. */
const unescapeParam = (value: string) =>
  value.replace(
    /\\([\\tnr'])/g,
    (_, c: string) => ({ '\\': '\\', t: '\t', n: '\n', r: '\r', "'": "'" })[c]!,
  )

/** SQL with its comments, strings and quoted names taken out, so that words in them are not keywords. */
const withoutLiterals = (sql: string) =>
  sql.replace(
    /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|--[^\n]*|\/\*[\s\S]*?\*\//g,
    ' ',
  )

const NOT_FOUND = new Set([60, 81])
const CLIENT_ERRORS = new Set([6, 27, 36, 42, 43, 44, 46, 47, 53, 62, 70, 115, 117, 386, 456])

function exceptionOf(error: unknown): { status: number; code: number; message: string } {
  const message = messageOf(error)
  const code = Number(/Code: (\d+)/.exec(message)?.[1] ?? 1000)
  const status = NOT_FOUND.has(code)
    ? 404
    : code === 164 || code === 497
      ? 403
      : CLIENT_ERRORS.has(code)
        ? 400
        : 500
  return { status, code, message }
}

function fail(response: ServerResponse, status: number, code: number, message: string): void {
  if (response.headersSent) return void response.destroy()
  const body = `${message.startsWith('Code:') ? message : `Code: ${code}. DB::Exception: ${message}`} (version chDB)\n`
  response
    .writeHead(status, {
      'content-type': 'text/plain; charset=UTF-8',
      'x-clickhouse-exception-code': String(code),
    })
    .end(body)
}

function contentType(format: string): string {
  if (/^JSON(Compact|Strings|ColumnsWithMetadata)?/i.test(format) && !/EachRow/i.test(format))
    return 'application/json; charset=UTF-8'
  if (/EachRow/i.test(format)) return 'application/x-ndjson; charset=UTF-8'
  if (/^CSV/i.test(format)) return 'text/csv; charset=UTF-8; header=absent'
  if (/^(TSV|TabSeparated)/i.test(format)) return 'text/tab-separated-values; charset=UTF-8'
  if (/^(Native|RowBinary|Parquet|Arrow|Avro|ORC|BSON|MsgPack|Protobuf)/i.test(format))
    return 'application/octet-stream'
  return 'text/plain; charset=UTF-8'
}
