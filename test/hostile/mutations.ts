/**
 * How an enemy changes what is in order: values, texts, headers, bytes and statements. Pure: every
 * choice is a draw.
 */
import type { Json } from './valid-request.ts'

/** Draws from [0, 1). */
export type Draw = () => number

export const below = (draw: Draw, n: number) => Math.floor(draw() * n)
export const oneOf = <T>(draw: Draw, list: readonly T[]): T => list[below(draw, list.length)]!

/** Spelled as no value of JavaScript is written: it stands in the JSON as it is here. */
const RAW = '\u0001raw:'
const RAW_IN_TEXT = new RegExp(`"\\\\u0001raw:((?:[^"\\\\]|\\\\.)*)"`, 'g')

const NUMBERS = [
  ...['1e400', '-1e400', '1e-400', '9'.repeat(400), `0.${'0'.repeat(400)}1`, '-0', '1E5', '01'],
  ...['NaN', 'Infinity', '-Infinity', '0x1F', '+1', '.5', '1.', '18446744073709551616'],
  ...['9007199254740993', '-9223372036854775809', '2147483648', '1e308', '5e-324', '3.5e38'],
]
const TEXTS = [
  ...['', ' ', '\u0000', 'a\u0000b', '\ud800', '\udfff\ud800', '\u202e', '\ufeff', '\u007f'],
  ...['\u{1f469}\u200d\u{1f52c}', '__proto__', 'constructor', 'toString', '@score', '@prediction'],
  ...['a/b', '../../etc/passwd', "'; DROP TABLE predictions; --", '${7*7}', '%00', '%', '\\'],
  ...['true', '1.0', 'null', 'NaN', '-', '*', ':', ',', '/', '\t', '\r\n', '<script>'],
]
const TIMES = [
  ...['0000-01-01T00:00:00Z', '1889-01-01T00:00:00Z', '1970-01-01T00:00:00Z'],
  ...['9999-12-31T23:59:59.999Z', '+275760-09-13T00:00:00Z', '-271821-04-20T00:00:00Z'],
  ...['2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T23:59:60Z', '2026-01-01'],
  ...['2026-01-01T00:00:00+99:99', '2299-12-31T23:59:59Z', '1900-01-01T00:00:00-12:00'],
]

/** A text of an enemy's, mostly short. */
export function hostileText(draw: Draw): string {
  const kind = draw()
  if (kind < 0.55) return oneOf(draw, TEXTS)
  if (kind < 0.75) return oneOf(draw, TIMES)
  if (kind < 0.85) return oneOf(draw, ['x', 'é', '\u{1f600}', '\u0000']).repeat(below(draw, 20_000))
  return Array.from({ length: below(draw, 12) }, () =>
    String.fromCharCode(below(draw, 65_536)),
  ).join('')
}

/** A value of any type, mostly not the one that is wanted; a few are deep or wide. */
function hostileValue(draw: Draw): Json {
  const kind = below(draw, 12)
  if (kind < 3) return `${RAW}${oneOf(draw, NUMBERS)}`
  if (kind < 6) return hostileText(draw)
  if (kind === 6) return oneOf<Json>(draw, [null, true, false, 0, -1, [], {}, [[]], [null], [{}]])
  if (kind === 7) return nested(draw, below(draw, 70))
  if (kind === 8) return `${RAW}${'['.repeat(below(draw, 6000))}`
  if (kind === 9)
    return Array.from({ length: below(draw, 3000) }, () => oneOf(draw, [0, null, 'a']))
  if (kind === 10) return wide(draw, below(draw, 2000))
  return { [hostileText(draw).slice(0, 300)]: hostileText(draw) }
}

function nested(draw: Draw, levels: number): Json {
  let value: Json = 1
  for (let i = 0; i < levels; i++) value = draw() < 0.5 ? [value] : { a: value }
  return value
}

const wide = (draw: Draw, members: number): Json =>
  Object.fromEntries(
    Array.from({ length: members }, (_, i) => [`${i}`, oneOf(draw, [1, 'a', null])]),
  )

/**
 * A value with one place in it changed, left out, doubled or grown; the value itself is left as it
 * is.
 */
export function mutated(value: Json, draw: Draw): Json {
  if (typeof value !== 'object' || value === null || draw() < 0.06) return hostileValue(draw)
  if (Array.isArray(value)) return mutatedList(value, draw)
  const names = Object.keys(value)
  if (names.length === 0 || draw() < 0.08)
    return { ...value, [hostileText(draw).slice(0, 300)]: hostileValue(draw) }
  const name = oneOf(draw, names)
  const { [name]: member, ...others } = value
  const kind = draw()
  if (kind < 0.12) return others
  if (kind < 0.2) return { ...others, [hostileText(draw).slice(0, 300)]: member! }
  return { ...value, [name]: mutated(member!, draw) }
}

function mutatedList(list: readonly Json[], draw: Draw): Json {
  if (list.length === 0) return [hostileValue(draw)]
  const at = below(draw, list.length)
  const kind = draw()
  if (kind < 0.1) return list.toSpliced(at, 1)
  if (kind < 0.2) return Array.from({ length: 1 + below(draw, 200) }, () => list[at]!)
  if (kind < 0.3) return list.toSpliced(at, 0, hostileValue(draw))
  return list.with(at, mutated(list[at]!, draw))
}

/**
 * A value's JSON, in which what is spelled raw stands as it is; at times with a name said twice.
 */
export function jsonText(value: Json, draw: Draw): string {
  const text = JSON.stringify(value).replaceAll(RAW_IN_TEXT, (_, raw: string) =>
    raw.replaceAll('\\', ''),
  )
  return draw() < 0.03 ? text.replace(/^\{("[^"\\]*":)/, `{$1null,$1`) : text
}

/** Bytes cut off, turned over, repeated, or with others put in. */
export function mutatedBytes(bytes: Buffer, draw: Draw): Buffer {
  const at = below(draw, bytes.length + 1)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  const kind = below(draw, 5)
  if (kind === 0) return before
  if (kind === 1) return after
  if (kind === 2) return Buffer.concat([before, Buffer.from([below(draw, 256)]), after])
  if (kind === 3) return Buffer.concat([before, oneOf(draw, ODD_BYTES), after.subarray(1)])
  return Buffer.concat([bytes, after])
}

const ODD_BYTES = [
  ...[[0], [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf], [0xf4, 0x90, 0x80, 0x80]],
  ...[
    [0x1f, 0x8b],
    [0x28, 0xb5, 0x2f, 0xfd],
    [0x0d, 0x0a],
  ],
].map((bytes) => Buffer.from(bytes))

const CONTENT_TYPES = [
  ...['application/json', 'application/x-ndjson', 'text/plain', 'application/x-protobuf', ''],
  ...['application/cloudevents+json', 'application/cloudevents-batch+json', 'multipart/form-data'],
  ...['application/json; charset=utf-16', 'application/json;charset="', 'json', '/', ';', '*/*'],
  ...['application/x-www-form-urlencoded', 'APPLICATION/JSON', 'application/json, text/plain'],
  `application/json; a=${'b'.repeat(4000)}`,
]
const ENCODINGS = ['gzip', 'zstd', 'identity', 'br', 'gzip, gzip', 'deflate', '', 'GZIP', 'x-gzip']
const NAMES = [
  ...['content-type', 'content-encoding', 'authorization', 'cookie', 'host', 'origin', 'accept'],
  ...['sec-fetch-site', 'x-forwarded-proto', 'x-forwarded-for', 'webhook-signature', 'webhook-id'],
  ...['webhook-timestamp', 'traceparent', 'if-none-match', 'range', 'x-http-method-override'],
  ...['ce-id', 'ce-type', 'ce-time', 'ce-specversion', 'ce-inferenceservicename', 'ce-data'],
]

export type Headers = Record<string, string | string[]>

/** Headers with one of them changed, left out, added or said twice. */
export function mutatedHeaders(headers: Headers, draw: Draw): Headers {
  const kind = draw()
  if (kind < 0.3) return { ...headers, 'content-type': oneOf(draw, CONTENT_TYPES) }
  if (kind < 0.5) return { ...headers, 'content-encoding': oneOf(draw, ENCODINGS) }
  const name = oneOf(draw, draw() < 0.5 ? [...Object.keys(headers), 'accept'] : NAMES)
  if (kind < 0.65) {
    const { [name]: _gone, ...others } = headers
    return others
  }
  const text = () => headerText(hostileText(draw))
  return { ...headers, [name]: kind < 0.8 && name !== 'host' ? [text(), text()] : text() }
}

/** What a header can hold at all: one byte a character, no controls. */
const headerText = (text: string) =>
  Buffer.from(text)
    .toString('latin1')
    // eslint-disable-next-line no-control-regex -- these are what a header cannot hold
    .replaceAll(/[\u0000-\u001f\u007f]/g, '')
    .slice(0, 6000)

/** A text in a path or query: encoded, and at times not as it should be. */
export const mutatedPart = (text: string, draw: Draw): string =>
  draw() < 0.15
    ? oneOf(draw, ['%', '%zz', '%ff', '%c0%80', '%2f..%2f', '%00', '//', ';', '&', '=', '[]', ''])
    : encodeURIComponent((draw() < 0.2 ? text : hostileText(draw)).slice(0, 2000).toWellFormed())

const SQL_PARTS = [
  ...["file('/etc/passwd')", "url('http://127.0.0.1:1/')", "remote('127.0.0.1', system.one)"],
  ...[
    "INTO OUTFILE '/tmp/plumbline-leak'",
    'SETTINGS readonly = 0',
    'FORMAT Native',
    ';',
    '--',
    '/*',
  ],
  ...[
    '*/',
    '#',
    "'",
    '"',
    '`',
    '$$',
    '$a$',
    '\u0000',
    '\u200b',
    '\u00a0',
    '\ufeff',
    '\\',
    '(',
    ')',
  ],
  ...[
    'system.query_log',
    'EXECUTE AS default',
    'sleep(3)',
    'UNION ALL',
    'WITH',
    'INSERT INTO predictions',
  ],
  ...[
    'DROP TABLE predictions',
    '{x:String}',
    'EXPLAIN',
    'dictGet(a, b, c)',
    'x -> x',
    '::String',
    '1e400',
  ],
]

/** A statement with a word of it left out, doubled, in other case, or with a stranger's put in. */
export function mutatedSql(sql: string, other: string, draw: Draw): string {
  const words = sql.slice(0, 4000).split(/(\s+|[(),.;])/)
  const at = below(draw, words.length)
  const kind = below(draw, 6)
  if (kind === 0) return words.toSpliced(at, 1).join('')
  if (kind === 1) return words.toSpliced(at, 0, ` ${oneOf(draw, SQL_PARTS)} `).join('')
  if (kind === 2) return words.with(at, oneOf(draw, SQL_PARTS)).join('')
  if (kind === 3) return words.with(at, words[at]!.toUpperCase()).join('').replaceAll(' ', '/**/')
  if (kind === 4) return `${words.slice(0, at).join('')} ${other.slice(0, 2000)}`
  return `SELECT * FROM (${sql.slice(0, 4000)}) WHERE ${oneOf(draw, SQL_PARTS)}`
}
