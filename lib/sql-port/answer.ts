/**
 * What ClickHouse's HTTP interface answers: rows with their headers, or an exception with its code.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { compressedBlocks } from './compressed-blocks.ts'
import type { RawResult } from '../clickhouse/embedded.ts'
import { messageOf } from '../runtime/errors.ts'

const gzipped = promisify(gzip)

/** A caller that has not taken its answer after so long gets no more of it. */
const TAKEN_WITHIN_MS = 60_000

/**
 * Answers with the rows, compressed as the caller asked; resolves once they are sent, or the caller
 * has gone.
 */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  result: RawResult & { format: string },
): Promise<void> {
  const inGzip =
    url.searchParams.get('enable_http_compression') === '1' &&
    /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  const inBlocks = url.searchParams.get('compress') === '1'
  const whole = inBlocks ? await compressedBlocks(result.bytes) : result.bytes
  const bytes = inGzip ? await gzipped(whole, { level: 1 }) : whole
  response.writeHead(200, {
    'content-type': contentType(result.format),
    'x-content-type-options': 'nosniff',
    'x-clickhouse-format': result.format,
    'x-clickhouse-timezone': 'UTC',
    'x-clickhouse-query-id': queryId(url),
    'x-clickhouse-summary': JSON.stringify({
      result_rows: String(result.rows),
      result_bytes: String(result.bytes.length),
      elapsed_ns: String(Math.round(result.elapsedSeconds * 1e9)),
    }),
    ...(inGzip && { 'content-encoding': 'gzip' }),
    'content-length': bytes.length,
  })
  response.end(bytes)
  await finished(response, { signal: AbortSignal.timeout(TAKEN_WITHIN_MS) }).catch(() =>
    response.destroy(),
  )
}

/** The caller's own, where a header can hold it. */
function queryId(url: URL): string {
  const given = url.searchParams.get('query_id') ?? ''
  return /^[\w.:-]{1,200}$/.test(given) ? given : crypto.randomUUID()
}

/** A failure as ClickHouse reports it: its own code and sentence, and the status of HTTP. */
export interface Exception {
  status: number
  code: number
  message: string
}

/** Whoever asks as the writer, or with a key that may not read. */
export const WRONG_PASSWORD: Exception = {
  status: 403,
  code: 516,
  message:
    'default: Authentication failed: password is incorrect, or there is no user with such name; a password in the URL is not read. (AUTHENTICATION_FAILED)',
}
const CLIENT_ERRORS = [
  6, 27, 36, 38, 41, 42, 43, 44, 46, 47, 53, 62, 69, 70, 72, 115, 117, 130, 167, 168, 181, 306, 386,
  456, 632, 718,
]
/** ClickHouse's codes, by the HTTP status they are answered with; others are 500. */
const STATUSES = new Map<number, number>([
  ...CLIENT_ERRORS.map((code) => [code, 400] as const),
  [60, 404],
  [81, 404],
  [164, 403],
  [497, 403],
  [201, 429],
  [202, 429],
  [307, 413],
  [159, 408],
])

/** The exception of any error; one without ClickHouse's code has the code 1000. */
export function exceptionOf(error: unknown): Exception {
  const message = messageOf(error)
  const code = Number(/Code: (\d+)/.exec(message)?.[1] ?? 1000)
  return { status: STATUSES.get(code) ?? 500, code, message }
}

/** Answers with an exception; nothing happens where an answer has begun. */
export function fail(response: ServerResponse, { status, code, message }: Exception): void {
  if (response.headersSent) return void response.destroy()
  const body = `${message.startsWith('Code:') ? message : `Code: ${code}. DB::Exception: ${message}`} (version chDB)\n`
  response
    .writeHead(status, {
      'content-type': 'text/plain; charset=UTF-8',
      'x-content-type-options': 'nosniff',
      'x-clickhouse-exception-code': String(code),
      ...(status === 429 && { 'retry-after': '1' }),
      // What was not read of a request that is too large is not waited for.
      ...(status === 413 && { connection: 'close' }),
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
