/**
 * ClickHouse's HTTP interface on the embedded engine: what clients expect of it, and what it must
 * refuse.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { createClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverEngine } from '../../../lib/clickhouse/port.ts'
import { createSpool } from '../../../lib/clickhouse/spool.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { makeDataset, remakeDataset } from '../../../services/feedback/queries/datasets/make.ts'
import { encodeBlock, strings } from '../../../lib/clickhouse/native/block.ts'
import {
  clickHouseAccess,
  clickHouseProblems,
  type ClickHouseSettings,
} from '../../../lib/platform/clickhouse-access.ts'
import { certificateAuthority } from '../../servers/certificates.ts'
import { temporaryDirectory } from '../../harness.ts'
import { startTarget, type Running } from '../../servers/processes.ts'

let stores: Running
let secret: string
const directory = temporaryDirectory()
beforeAll(async () => {
  stores = await startTarget('stores', {
    PLUMBLINE_DATA_DIR: directory,
    PLUMBLINE_POSTGRES_PORT: '0',
  })
  secret = readFileSync(join(directory, 'clickhouse.secret'), 'utf8')
})
afterAll(() => stores.stop())

const curl = (...args: string[]) => execFileSync('curl', ['-s', ...args], { encoding: 'utf8' })
const asReader = async (sql: string, search = '') => {
  const response = await fetch(`${stores.clickhouseUrl}/?${search}`, { method: 'POST', body: sql })
  return {
    status: response.status,
    code: response.headers.get('x-clickhouse-exception-code'),
    text: await response.text(),
  }
}

test('the official client: parameters, formats, errors with code and type', async () => {
  const client = createClient({ url: stores.clickhouseUrl })
  const rows = await client.query({
    query: 'SELECT {text:String} AS t, {n:UInt64} AS n, {list:Array(String)} AS l',
    query_params: { text: "it's\n\\", n: 7, list: ["a'b", 'c'] },
    format: 'JSONEachRow',
  })
  expect(await rows.json()).toEqual([{ t: "it's\n\\", n: '7', l: ["a'b", 'c'] }])
  expect((await client.ping()).success).toBe(true)
  await expect(client.query({ query: 'SELECT * FROM nowhere' })).rejects.toMatchObject({
    code: '60',
    type: 'UNKNOWN_TABLE',
  })
  await client.close()
})

test('curl: any FORMAT, GET and POST, compressed answers', () => {
  expect(curl(`${stores.clickhouseUrl}/ping`)).toBe('Ok.\n')
  expect(curl(`${stores.clickhouseUrl}/?query=SELECT+1+AS+a+FORMAT+JSONEachRow`)).toBe('{"a":1}\n')
  expect(curl(stores.clickhouseUrl, '-d', 'SELECT 1, 2 FORMAT CSV')).toBe('1,2\n')
  expect(
    JSON.parse(curl(`${stores.clickhouseUrl}/?default_format=JSON`, '-d', 'SELECT 1 AS a')),
  ).toMatchObject({ rows: 1 })
  expect(
    curl(
      '--compressed',
      `${stores.clickhouseUrl}/?enable_http_compression=1`,
      '-d',
      'SELECT count() FROM numbers(10)',
    ),
  ).toBe('10\n')
  expect(curl('-i', stores.clickhouseUrl, '-d', 'SELEC 1')).toMatch(
    /HTTP\/1.1 400[\s\S]*X-ClickHouse-Exception-Code: 62[\s\S]*Syntax error/i,
  )
})

test.each([
  ["INSERT INTO predictions (prediction_id) VALUES ('x')", '164'],
  ['DROP TABLE predictions', '164'],
  ['CREATE TABLE x (a Int8) ENGINE = Memory', '164'],
  ['ALTER TABLE predictions DELETE WHERE 1', '164'],
  ['SET readonly = 0', '164'],
  ['SELECT 1 SETTINGS readonly = 0', '164'],
  ['SELECT 1; DROP TABLE predictions', '164'],
  ["SELECT * FROM file('/etc/passwd', LineAsString, 'l String')", '164'],
  ["SELECT * FROM url('http://127.0.0.1:1/', LineAsString, 'l String')", '164'],
  ["SELECT * FROM remote('127.0.0.1', system.one)", null],
  ["SELECT * FROM executable('x', TSV, 'a String')", null],
  ["SELECT 1 INTO OUTFILE '/tmp/plumbline-leak'", '164'],
  ["SELECT 1 /* */ into\noutfile '/tmp/plumbline-leak'", '164'],
  ['CREATE USER x IDENTIFIED WITH no_password', '164'],
  ['KILL QUERY WHERE 1', '164'],
])('a reader may not: %s', async (sql, code) => {
  const answer = await asReader(sql)
  expect(answer.status).toBeGreaterThanOrEqual(400)
  if (code) expect(answer.code).toBe(code)
  expect(existsSync('/tmp/plumbline-leak')).toBe(false)
})

test('words in strings and comments are no keywords; settings of clients are ignored', async () => {
  expect((await asReader("SELECT 'into outfile' -- into outfile\n")).text).toBe('into outfile\n')
  expect((await asReader('SELECT 1', 'max_execution_time=5&readonly=0&max_threads=64')).text).toBe(
    '1\n',
  )
})

test('writers authenticate; a wrong password is refused, not taken for a reader', async () => {
  expect(statSync(join(directory, 'clickhouse.secret')).mode & 0o777).toBe(0o600)
  const wrong = await fetch(`${stores.clickhouseUrl}/`, {
    method: 'POST',
    body: 'SELECT 1',
    headers: { 'x-clickhouse-user': 'plumbline', 'x-clickhouse-key': 'guess' },
  })
  expect(wrong.status).toBe(403)
  const engine = serverEngine({
    url: stores.clickhouseUrl,
    username: 'plumbline',
    password: secret,
  })
  const db = engine.connect('test')
  await db.command(
    'CREATE TABLE scratch (a String) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 10',
  )
  await db.insertRows('scratch', [{ a: 'x' }], 'token')
  await db.insertRows('scratch', [{ a: 'x' }], 'token')
  expect(await db.query('SELECT count() AS n FROM scratch')).toEqual([{ n: '1' }])
  const column = strings()
  column.set(1, 'y')
  const { columns, parts } = encodeBlock({ columns: { a: column as never }, rows: 2 })!
  const path = join(directory, 'block')
  writeFileSync(path, Buffer.concat(parts))
  const insert = { table: 'scratch', columns, path, token: 'block' }
  await db.insertFile(insert)
  await db.insertFile(insert)
  expect(await db.query('SELECT a FROM scratch ORDER BY a')).toEqual([
    { a: '' },
    { a: 'x' },
    { a: 'y' },
  ])
  await engine.close()
})

test('rows are written to a file as they come, and a data set is made of what a server has', async () => {
  const engine = serverEngine({
    url: stores.clickhouseUrl,
    username: 'plumbline',
    password: secret,
  })
  const db = engine.connect('test')
  const path = join(directory, 'selected')
  const sql = 'SELECT number AS n, {text:String} AS t FROM numbers(2) SETTINGS max_threads = 1'
  await db.selectToFile(sql, { text: "it's\n\\" }, path)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { n: '0', t: "it's\n\\" },
    { n: '1', t: "it's\n\\" },
  ])
  await expect(db.selectToFile('SELECT nothing', {}, join(directory, 'none'))).rejects.toThrow(
    'nothing',
  )
  const question = {
    model_id: 'none',
    from: '2026-01-01T00:00:00Z',
    to: '2026-02-01T00:00:00Z',
    as_of: '2026-02-01T00:00:00Z',
    label: 'label',
    rows: 'all' as const,
    format: 'jsonl' as const,
  }
  const spool = createSpool(join(directory, 'dataset-spool'), 'process')
  const maker = { db, spool, bounds: { rows: 10, bytes: 1000 } }
  const model = parseModel('{ model_id: none, task: binary }')
  const manifest = await makeDataset(maker, question, model, () => false)
  expect(manifest.file).toMatchObject({ rows: 0, bytes: 0 })
  const file = await remakeDataset(maker, manifest, model)
  await file.close()
  await engine.close()
})

test('a server is reached over TLS by the authority that the setting names', async () => {
  const authority = certificateAuthority(directory, 'authority')
  const { cert, key } = authority.sign('clickhouse')
  const upstream = Number(new URL(stores.clickhouseUrl).port)
  const front = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (client) => {
    const server = connect(upstream, '127.0.0.1')
    for (const socket of [client, server]) socket.on('error', () => {})
    client.pipe(server).pipe(client)
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const config = {
    PLUMBLINE_CLICKHOUSE_URL: `https://127.0.0.1:${(front.address() as AddressInfo).port}`,
    PLUMBLINE_CLICKHOUSE_USER: 'plumbline',
    PLUMBLINE_CLICKHOUSE_PASSWORD: secret,
  }
  const asked = async (more: ClickHouseSettings) => {
    expect(clickHouseProblems({ ...config, ...more })).toEqual([])
    const engine = serverEngine(clickHouseAccess({ ...config, ...more }))
    try {
      return await engine.connect('tls').query('SELECT 1 AS one')
    } finally {
      await engine.close()
    }
  }
  expect(await asked({ PLUMBLINE_CLICKHOUSE_CA_FILE: authority.ca })).toEqual([{ one: 1 }])
  await expect(asked({})).rejects.toThrow(/certificate/)
  const other = { PLUMBLINE_CLICKHOUSE_CA_FILE: authority.ca, PLUMBLINE_CLICKHOUSE_DATABASE: 'x' }
  await expect(asked(other)).rejects.toThrow('the database default')
  front.close()
})

test.each<[ClickHouseSettings, string]>([
  [{ PLUMBLINE_CLICKHOUSE_CLUSTER: 'c' }, 'PLUMBLINE_CLICKHOUSE_URL is not set'],
  [
    { PLUMBLINE_CLICKHOUSE_URL: 'http://x', PLUMBLINE_CLICKHOUSE_CA_FILE: 'ca' },
    'is no https address',
  ],
  [
    { PLUMBLINE_CLICKHOUSE_URL: 'https://x', PLUMBLINE_CLICKHOUSE_CA_FILE: '/no/such' },
    'PLUMBLINE_CLICKHOUSE_CA_FILE cannot be read',
  ],
])('settings of a server that cannot be meant: %j', (config, said) => {
  expect(clickHouseProblems(config)).toEqual([expect.stringContaining(said)])
})

test('a slow analyst does not stall another', async () => {
  let slowIsDone = false
  const slow = asReader('SELECT max(sipHash64(number)) FROM numbers(500000000)').then((answer) => {
    slowIsDone = true
    return answer
  })
  expect((await asReader('SELECT 1')).text).toBe('1\n')
  expect(slowIsDone).toBe(false)
  await slow
})
