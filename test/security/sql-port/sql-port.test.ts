/**
 * The reader's port against a stranger: what it refuses, what it answers, and that one reader is no
 * other's burden.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DASHBOARDS } from '../../../dashboards/grafana-dashboards.ts'
import { VARIABLES } from '../../../dashboards/panels/panel.ts'
import { freePort } from '../../../deploy/local/kafka.ts'
import { temporaryDirectory } from '../../harness.ts'
import { openSockets, type OpenSockets } from '../../hostile/sockets.ts'
import { ROOT, startTarget, until, type Running } from '../../servers/processes.ts'
import { expanded } from '../../planted/grafana-macros.ts'
import { corpus, type Sent } from './corpus.ts'

const KEY = 'a-key-of-thirty-two-bytes-or-more'
const EMIT_KEY = 'another-key-of-thirty-two-bytes-x'
const LEAK = '/tmp/plumbline-leak'
const directory = temporaryDirectory()
const keyed = temporaryDirectory()
const besiegedDirectory = temporaryDirectory()
let stores: Running
let postgresPort: number
let secret: string
/**
 * Stores of their own, whose connections silent callers take from the start: it takes a minute
 * until the last is closed.
 */
let besieged: Running
let half: OpenSockets
let silent: Socket[]
let turnedAway = 0
let besiegedPostgresPort: number
beforeAll(async () => {
  postgresPort = await freePort()
  besiegedPostgresPort = await freePort()
  ;[stores, besieged] = await Promise.all([
    startTarget('stores', {
      PLUMBLINE_DATA_DIR: directory,
      PLUMBLINE_POSTGRES_PORT: String(postgresPort),
    }),
    startTarget('stores', {
      PLUMBLINE_DATA_DIR: besiegedDirectory,
      PLUMBLINE_POSTGRES_PORT: String(besiegedPostgresPort),
    }),
  ])
  secret = readFileSync(join(directory, 'clickhouse.secret'), 'utf8')
  besiege()
})
afterAll(async () => {
  half?.destroy()
  for (const socket of silent ?? []) socket.destroy()
  await Promise.all([stores?.stop(), besieged?.stop()])
})

function besiege() {
  const { port } = new URL(besieged.clickhouseUrl)
  const whole = `POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 9\r\n\r\n`
  const texts = ['GET / HTTP/1.1\r\nHost: 127', whole]
  half = openSockets(besieged.clickhouseUrl, { name: 'half', connections: 300, texts })
  silent = Array.from({ length: 40 }, () => connect(besiegedPostgresPort, '127.0.0.1'))
  for (const socket of silent)
    socket.on('error', () => {}).on('data', (bytes) => (turnedAway += bytes[0] === 0x45 ? 1 : 0))
}

test('connections of the ClickHouse port are bounded in number', async () => {
  await until('all have come', async () => half.opened() === 300)
  await until('what is beyond 256 is closed', async () => half.open() <= 256)
})

interface Answer {
  status: number
  text: string
}

async function send(
  sql: string,
  search = '',
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${stores.clickhouseUrl}/?${search}`, {
    method: 'POST',
    body: sql,
    headers,
  })
  return { status: response.status, text: await response.text() }
}

/** Sends headers that `fetch` would not let us choose. */
const raw = (url: string, headers: Record<string, string>, method = 'GET') =>
  new Promise<number>((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
    sent.on('error', reject).end()
  })

const asWriter = (sql: string) =>
  send(sql, '', { 'x-clickhouse-user': 'plumbline', 'x-clickhouse-key': secret })

/** Everything a statement could have changed. */
const state = async () =>
  (
    await asWriter(
      "SELECT (SELECT groupArray((database, name, engine, total_rows)) FROM (SELECT * FROM system.tables WHERE database NOT IN ('system') ORDER BY database, name)), (SELECT groupArray(name) FROM system.users), (SELECT groupArray(name) FROM system.roles), (SELECT groupArray(name) FROM (SELECT name FROM system.functions WHERE origin != 'System' ORDER BY name)), currentDatabase()",
    )
  ).text

test('every hostile statement is refused, says why, and has done nothing', async () => {
  const entries = corpus('refused')
  expect(entries.length).toBeGreaterThan(300)
  const before = await state()
  const wrong: unknown[] = []
  for (const { sql, url } of entries) {
    const { status, text } = await send(sql, url)
    const why = /Code: \d+\. DB::Exception: \S/.test(text)
    if (status < 400 || status >= 500 || !why || text.includes('root:'))
      wrong.push({ sql: sql.slice(0, 200), url, status, text: text.slice(0, 200) })
  }
  expect(wrong).toEqual([])
  expect(existsSync(LEAK)).toBe(false)
  expect(await state()).toBe(before)
})

test('what Grafana, Metabase, clickhouse-connect, JDBC and the official client send is answered', async () => {
  const entries = [...corpus('answered'), ...corpus('recorded')]
  expect(entries.length).toBeGreaterThan(180)
  const wrong: (Sent & Answer)[] = []
  for (const entry of entries) {
    const answer = await send(entry.sql, entry.url)
    if (answer.status !== 200) wrong.push({ ...entry, ...answer })
  }
  expect(wrong).toEqual([])
})

test('every panel and variable of the dashboards is answered, whatever a variable holds', async () => {
  const panels = DASHBOARDS.flatMap(({ rows }) => rows.flatMap((row) => row.panels))
  const statements = [
    ...panels.flatMap(({ query }) => ('sql' in query ? [query.sql] : [])),
    ...Object.values(VARIABLES).map(({ values }) => values),
  ]
  const hostile = "x' OR 1 = 1 -- ' ; \\u0027"
  for (const sql of statements)
    for (const value of ['m', hostile]) {
      const filled = expanded(sql, { model: value, version: value, cohort: value })
      expect(await send(filled), filled).toMatchObject({ status: 200 })
    }
})

test('the questions of docs/data-model.md are answered, and what explains tables', async () => {
  const document = readFileSync(join(ROOT, 'docs/data-model.md'), 'utf8')
  const questions = [...document.matchAll(/```sql\n([^`]*)\n```/g)].map(([, sql]) => sql!)
  expect(questions).toHaveLength(10)
  for (const sql of [...questions, 'DESCRIBE outcomes', 'SHOW CREATE TABLE event_counts'])
    expect(await send(sql), sql).toMatchObject({ status: 200 })
})

test('columns of the listed system tables are those that were looked at', async () => {
  const { text } = await asWriter(
    "SELECT table, name FROM system.columns WHERE database = 'system' AND table IN ('one','numbers','numbers_mt','zeros','zeros_mt','databases','tables','columns','functions','table_functions','data_type_families','formats','keywords','collations','time_zones','contributors','aggregate_function_combinators','table_engines','database_engines','data_skipping_indices','data_skipping_index_types','settings','merge_tree_settings') AND (name LIKE '%path%' OR name LIKE '%host%' OR name LIKE '%secret%' OR name LIKE '%password%' OR name LIKE '%query_id%') ORDER BY table, name FORMAT TSV",
  )
  expect(text.trim().split('\n')).toEqual([
    'databases\tdata_path',
    'databases\tmetadata_path',
    'tables\tdata_paths',
    'tables\tmetadata_path',
  ])
})

test('one reader’s session is no other’s', async () => {
  await send('USE system')
  await send("SET max_threads = 1, param_x = '1'")
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      send('SELECT {x:UInt32} AS x, currentDatabase() AS d FORMAT CSV', `param_x=${i}`),
    ),
  )
  expect(answers.map(({ text }) => text)).toEqual(
    Array.from({ length: 12 }, (_, i) => `${i},"default"\n`),
  )
})

test('memory, rows and the number at once are bounded; others are answered meanwhile', async () => {
  expect((await send('SELECT groupArray(number) FROM numbers(1000000000)')).text).toContain('241')
  expect((await send('SELECT number FROM numbers(10000000) FORMAT CSV')).text).toContain('396')
  expect((await send('SELECT length(range(1000000))')).text).toBe('1000000\n')
  expect((await send('SELECT length(range(1000001))')).text).toContain('Code: 69')
  const wide = `SELECT ${Array.from({ length: 6000 }, (_, i) => `${i}+${i}`).join(',')}`
  const before = memoryOf(stores.child.pid!)
  const answers = await Promise.all([
    ...Array.from({ length: 60 }, () => send(wide)),
    ...Array.from({ length: 6 }, () =>
      send(`SELECT ${'('.repeat(125_000)}1${')'.repeat(125_000)}`),
    ),
  ])
  const statuses = new Set(answers.map(({ status }) => status))
  expect(statuses).toContain(429)
  expect(statuses).toContain(413)
  expect([...statuses].every((status) => [200, 400, 413, 429].includes(status))).toBe(true)
  expect(memoryOf(stores.child.pid!) - before).toBeLessThan(2e9)
  await until('the port answers again', async () => (await send('SELECT 1')).text === '1\n')
})

test('an answer that is not taken keeps the place of its question, and gives it back when the caller goes', async () => {
  let begun = 0
  const unread = Array.from({ length: 4 }, () =>
    request(stores.clickhouseUrl, { method: 'POST' }, (response) => {
      response.pause()
      begun++
    })
      .on('error', () => {})
      .end('SELECT hex(sipHash128(number)) FROM numbers(1000000)'),
  )
  try {
    await until('all are being answered', async () => begun === 4)
    expect((await send('SELECT 1')).status).toBe(429)
  } finally {
    for (const sent of unread) sent.destroy()
  }
  await until('the port answers again', async () => (await send('SELECT 1')).text === '1\n')
})

/** Peak of resident bytes. */
const memoryOf = (pid: number) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024

test('a Host or a page that is not ours is refused on both ports', async () => {
  const { port } = new URL(stores.clickhouseUrl)
  for (const [url, path] of [
    [stores.clickhouseUrl, '/?query=SELECT+1'],
    [stores.url, '/health/live'],
  ] as const) {
    const at = (headers: Record<string, string>, method?: string) =>
      raw(url + path, headers, method)
    const own = new URL(url).host
    expect(await at({})).toBe(200)
    expect(await at({ host: `localhost:${port}` })).toBe(200)
    expect(await at({ host: 'evil.example' })).toBe(421)
    expect(await at({ host: 'evil.example', origin: 'http://evil.example' })).toBe(421)
    expect(await at({ origin: 'http://evil.example' })).toBe(403)
    expect(await at({ origin: 'null' })).toBe(403)
    expect(await at({ origin: 'http://localhost:3000' })).toBe(403)
    expect(await at({ origin: `http://${own}` })).toBe(200)
    expect(await at({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe(403)
  }
})

test('a writer’s password counts in a header alone', async () => {
  expect((await asWriter('SELECT 1')).status).toBe(200)
  expect((await send('SELECT 1', `user=plumbline&password=${secret}`)).status).toBe(403)
  expect((await send('SELECT 1', `password=${secret}`)).status).toBe(403)
  expect((await send('SELECT 1', '', { 'x-clickhouse-user': 'plumbline' })).status).toBe(403)
})

test('with a key file a reader needs a key that may read', async () => {
  const file = join(keyed, 'keys.json')
  const keyOf = (key: string, scope: string) => ({
    id: scope,
    sha256: createHash('sha256').update(key).digest('hex'),
    scopes: [scope],
  })
  writeFileSync(file, JSON.stringify({ keys: [keyOf(KEY, 'read'), keyOf(EMIT_KEY, 'emit')] }))
  const running = await startTarget('stores', {
    PLUMBLINE_DATA_DIR: join(keyed, 'data'),
    PLUMBLINE_POSTGRES_PORT: String(await freePort()),
    PLUMBLINE_AUTH_FILE: file,
    PLUMBLINE_ALLOWED_HOSTS: 'logger.models.svc:8080,*.example.org',
  })
  try {
    const url = `${running.clickhouseUrl}/?query=SELECT+1`
    const basic = Buffer.from(`default:${KEY}`).toString('base64')
    expect(await raw(url, {})).toBe(403)
    expect(await raw(url, { authorization: `Bearer ${KEY}` })).toBe(200)
    expect(await raw(url, { 'x-clickhouse-key': KEY })).toBe(200)
    expect(await raw(url, { authorization: `Basic ${basic}` })).toBe(200)
    expect(await raw(url, { authorization: `Bearer ${EMIT_KEY}` })).toBe(403)
    expect(await raw(`${url}&password=${KEY}`, {})).toBe(403)
    const live = `${running.url}/health/live`
    expect(await raw(live, { host: 'logger.models.svc:8080' })).toBe(200)
    expect(await raw(live, { host: 'a.example.org' })).toBe(200)
    expect(await raw(live, { host: 'example.com' })).toBe(421)
  } finally {
    await running.stop()
  }
})

test('the PostgreSQL port asks for its password, of pg and of psql', async () => {
  const password = readFileSync(join(directory, 'postgres.secret'), 'utf8')
  const login = async (given: string | undefined) => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: postgresPort,
      user: 'postgres',
      database: 'postgres',
      ...(given !== undefined && { password: given }),
    })
    client.on('error', () => {})
    try {
      await client.connect()
      return (await client.query('select 1 as one')).rows[0] as unknown
    } finally {
      await client.end().catch(() => {})
    }
  }
  expect(await login(password)).toEqual({ one: 1 })
  await expect(login('guess')).rejects.toMatchObject({ code: '28P01' })
  await expect(login('')).rejects.toThrow()
  const psql = (given: string) =>
    spawnSync(
      'psql',
      [
        '-h',
        '127.0.0.1',
        '-p',
        String(postgresPort),
        '-U',
        'anybody',
        '-w',
        '-c',
        'select 1',
        'postgres',
      ],
      { env: { PATH: process.env['PATH'], PGPASSWORD: given }, encoding: 'utf8' },
    )
  if (!psql('').error) expect(psql('guess').stderr).toContain('password authentication failed')
})

test('connections that never say a password are bounded in number and time', async () => {
  await until('the others are turned away', async () => turnedAway >= 40 - 16)
  await until('the rest is closed', async () => silent.every(({ closed }) => closed))
  const password = readFileSync(join(besiegedDirectory, 'postgres.secret'), 'utf8')
  const client = new pg.Client(
    `postgres://postgres:${password}@127.0.0.1:${besiegedPostgresPort}/postgres`,
  )
  await client.connect()
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await client.end()
})

test('connections of the ClickHouse port that finish no request are closed in time', async () => {
  await until('all are closed, those without a body last', async () => half.open() === 0)
  expect(await raw(`${besieged.clickhouseUrl}/?query=SELECT+1`, {})).toBe(200)
})
