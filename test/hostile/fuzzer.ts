/** Endless hostile requests and statements, the same for the same seed. Pure. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { uniforms } from '../../lib/stats/distributions/random.ts'
import { corpus } from '../security/sql-port/corpus.ts'
import {
  hostileText,
  jsonText,
  below,
  mutated,
  mutatedBytes,
  mutatedHeaders,
  mutatedPart,
  mutatedSql,
  oneOf,
  type Draw,
  type Headers,
} from './mutations.ts'
import type { Wire } from './sending.ts'
import type { Json, ValidRequest } from './valid-request.ts'
import { LIVE, VALID, type Live } from './valid-requests.ts'

/** Names of what is changed, in the order of the table. */
export const FUZZED_GROUPS: readonly string[] = [...new Set(VALID.map(({ group }) => group))]

const SALT = 0x9e3779b1

/** The draws of the n-th input of a seed. */
export const drawsOf = (seed: number, n: number): Draw =>
  uniforms(Math.imul(seed ^ Math.imul(n + 1, SALT), SALT))

/** The n-th hostile request of a seed in a group; a few are in order. */
export function fuzzedRequest(group: string, seed: number, n: number, live: Live = LIVE): Wire {
  const draw = drawsOf(seed, n)
  const valid = oneOf(
    draw,
    VALID.filter((one) => one.group === group),
  )
  let headers: Headers = { ...valid.headers }
  // Two and two have one id: halves of an exchange.
  if ('ce-id' in headers) headers['ce-id'] = `fuzz-${seed}-${n >> 1}`
  let body = bodyOf(valid, draw, live)
  if (draw() < 0.1) body = mutatedBytes(body, draw)
  if (draw() < 0.15) [headers, body] = compressed(headers, body, draw)
  if (draw() < 0.2) headers = mutatedHeaders(headers, draw)
  const method =
    draw() < 0.03 ? oneOf(draw, ['GET', 'PUT', 'DELETE', 'PATCH', 'POST']) : valid.method
  return { method, path: pathOf(valid, draw, live), headers, body }
}

function bodyOf({ body, lines }: ValidRequest, draw: Draw, live: Live): Buffer {
  if (lines)
    return Buffer.from(lines.map((line) => jsonText(changed(line, draw, live), draw)).join('\n'))
  return body === undefined
    ? Buffer.from(draw() < 0.05 ? hostileText(draw).slice(0, 100) : '')
    : Buffer.from(jsonText(changed(body, draw, live), draw))
}

function changed(value: Json, draw: Draw, live: Live): Json {
  let result = unlike(value, draw, live)
  for (let left = below(draw, 4); left > 0; left--) result = mutated(result, draw)
  return result
}

/** Ids of its own, so that not every accepted event is a duplicate of the first. */
function unlike(value: Json, draw: Draw, live: Live): Json {
  if (Array.isArray(value)) return value.map((one) => unlike(one, draw, live))
  if (typeof value !== 'object' || value === null) return value
  const id = `fuzz-${below(draw, 1e9)}`
  const result = { ...value }
  for (const [name, one] of Object.entries(result))
    if (typeof one === 'string') result[name] = alive(one, live)
  for (const name of ['prediction_id', 'label_id', 'fingerprint'])
    if (name in result && draw() < 0.9) result[name] = id
  return result
}

const NAMES_OF_LIVE = Object.keys(LIVE) as (keyof Live)[]
const alive = (text: string, live: Live) => {
  const name = NAMES_OF_LIVE.find((one) => LIVE[one] === text)
  return name === undefined ? text : live[name]
}

function compressed(headers: Headers, body: Buffer, draw: Draw): [Headers, Buffer] {
  const by = oneOf(draw, ['gzip', 'zstd'])
  const bytes = by === 'gzip' ? gzipSync(body) : zstdCompressSync(body)
  return [{ ...headers, 'content-encoding': by }, draw() < 0.4 ? mutatedBytes(bytes, draw) : bytes]
}

function pathOf({ path, params = {}, query = {} }: ValidRequest, draw: Draw, live: Live): string {
  const isOdd = draw() < 0.3
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    isOdd ? mutatedPart(params[name]!, draw) : encodeURIComponent(alive(params[name]!, live)),
  )
  const names = Object.keys(query).filter(() => draw() < 0.9)
  if (draw() < 0.1) names.push(encodeURIComponent(hostileText(draw).slice(0, 50).toWellFormed()))
  if (draw() < 0.05 && names.length > 0) names.push(oneOf(draw, names))
  const search = names.map((name) => {
    // A stranger's name may be one that every object has.
    const value = Object.hasOwn(query, name) ? query[name]! : ''
    return `${name}=${draw() < 0.4 ? mutatedPart(value, draw) : encodeURIComponent(value)}`
  })
  return search.length > 0 ? `${filled}?${search.join('&')}` : filled
}

const CAPTURE: Json = {
  captureData: {
    endpointInput: {
      observedContentType: 'text/csv',
      mode: 'INPUT',
      data: '1.5,"a, b",00501\n2,c,1e5',
      encoding: 'CSV',
    },
    endpointOutput: {
      observedContentType: 'application/json',
      mode: 'OUTPUT',
      data: '{"predictions":[{"predicted_label":1,"score":0.9},{"predicted_label":0,"score":0.2}]}',
      encoding: 'JSON',
    },
  },
  groundTruthData: null,
  eventMetadata: { eventId: 'e', inferenceId: 'i', inferenceTime: '2026-01-01T00:00:00Z' },
  eventVersion: '0',
}

/** The n-th hostile line of a SageMaker file of a seed. */
export function fuzzedCapture(seed: number, n: number): string {
  const draw = drawsOf(seed, n)
  const text = jsonText(changed(CAPTURE, draw, LIVE), draw)
  // A line ends where its end of line stands, whatever was meant.
  return (draw() < 0.1 ? mutatedBytes(Buffer.from(text), draw).toString() : text).split('\n')[0]!
}

const STATEMENTS = [...corpus('refused'), ...corpus('answered'), ...corpus('recorded')]

/** The n-th hostile statement of a seed, as a request to the port of readers. */
export function fuzzedStatement(seed: number, n: number): Wire {
  const draw = drawsOf(seed, n)
  let { sql, url } = oneOf(draw, STATEMENTS)
  for (let left = 1 + below(draw, 3); left > 0; left--)
    sql = mutatedSql(sql, oneOf(draw, STATEMENTS).sql, draw)
  if (draw() < 0.1) url += `&param_x=${mutatedPart('1', draw)}`
  return sqlWire(sql, url)
}

/** A statement with its parameters of the URL, as it is posted. */
export const sqlWire = (sql: string, url: string): Wire => ({
  method: 'POST',
  path: `/?${url}`,
  headers: {},
  body: Buffer.from(sql),
})
