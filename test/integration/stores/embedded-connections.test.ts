/** Connections of several processes to the embedded PostgreSQL, which has one session. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveConnection } from '../../../lib/postgres/embedded-connections.ts'
import { postgresFront, type PostgresFront } from '../../../lib/postgres/password-front.ts'
import { embeddedPostgres, type EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import { temporaryDirectory } from '../../harness.ts'
import { until } from '../../servers/processes.ts'

const PASSWORD = 'right'
const CONNECTIONS = 6
const LIMITS = { idleMs: 300, maxMessageBytes: 1 << 20 }
const SYNC = Buffer.from([0x53, 0, 0, 0, 4])

let embedded: EmbeddedPostgres
let front: PostgresFront
const failures: unknown[] = []

beforeAll(async () => {
  // What is synced takes a while, in which others send.
  const synced = () => new Promise<void>((resolve) => setImmediate(resolve))
  embedded = await embeddedPostgres(`${temporaryDirectory()}/postgres`, synced)
  await embedded.exec('create table counted (n int not null)')
  front = postgresFront({
    host: '127.0.0.1',
    port: 0,
    password: PASSWORD,
    serve: (socket, first) =>
      serveConnection(embedded, socket, first, LIMITS).catch((error: unknown) => {
        failures.push(error)
      }),
    maxConnections: CONNECTIONS,
  })
  await front.start()
})

afterAll(async () => {
  await front?.stop()
  await embedded?.close()
  expect(failures).toEqual([])
})

async function client(): Promise<pg.Client> {
  const opened = new pg.Client({
    host: '127.0.0.1',
    port: front.port(),
    user: 'postgres',
    database: 'postgres',
    password: PASSWORD,
  })
  opened.on('error', () => {})
  await opened.connect()
  return opened
}

/** A connection that has logged in and sends whatever bytes it is told to. */
async function rawConnection(): Promise<Socket> {
  const socket = connect(front.port(), '127.0.0.1').on('error', () => {})
  const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0')
  const startup = Buffer.alloc(8)
  startup.writeInt32BE(8 + parameters.length)
  startup.writeInt32BE(196_608, 4)
  socket.write(Buffer.concat([startup, parameters]))
  await once(socket, 'data')
  socket.write(message('p', `${PASSWORD}\0`))
  await once(socket, 'data')
  return socket
}

function message(type: string, body: string): Buffer {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(4 + Buffer.byteLength(body), 1)
  return Buffer.concat([head, Buffer.from(body)])
}

const count = async () =>
  (await embedded.query<{ n: number }>('select count(*)::int as n from counted'))[0]!.n

test('statements of several connections at once are answered each with its own parameters', async () => {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, client))
  const wrong: unknown[] = []
  await Promise.all(
    clients.map(async (db, caller) => {
      for (let turn = 0; turn < 60; turn++) {
        const values = Array.from({ length: 1 + ((caller + turn) % 5) }, (_, i) =>
          String(caller * 1000 + turn * 10 + i),
        )
        const columns = values.map((_, i) => `$${i + 1}::text as c${i}`).join(', ')
        const { rows } = await db.query(`select ${columns}`, values)
        const got = Object.values(rows[0] as Record<string, string>)
        if (got.join() !== values.join()) wrong.push({ values, got })
        if (turn % 5 !== caller % 5) continue
        await db.query('begin')
        await db.query('select $1::int', ['no number']).catch(() => {})
        await db.query('rollback')
        await embedded.query('select $1::text, $2::text', ['own', 'statement'])
      }
    }),
  )
  await Promise.all(clients.map((db) => db.end()))
  expect(wrong).toEqual([])
})

test('a transaction is left alone by other connections and by this process, and theirs by it', async () => {
  const [one, other] = [await client(), await client()]
  const before = await count()
  await one.query('begin')
  await one.query('insert into counted values ($1)', [1])
  const meanwhile = Promise.all([
    other.query('insert into counted values ($1)', [2]),
    embedded.transaction((tx) => tx.query('insert into counted values ($1)', [3])),
  ])
  await one.query('rollback')
  await meanwhile
  expect(await count()).toBe(before + 2)
  await Promise.all([one.end(), other.end()])
})

test('a statement that fails, within a transaction or outside, fails its own caller alone', async () => {
  const [one, other] = [await client(), await client()]
  const before = await count()
  await one.query('begin')
  const answers = other.query('select $1::int as n', [7])
  await expect(one.query('insert into counted values ($1)', [null])).rejects.toThrow(/null value/)
  await expect(one.query('select 1')).rejects.toThrow(/current transaction is aborted/)
  await one.query('rollback')
  expect((await answers).rows).toEqual([{ n: 7 }])
  await expect(other.query('select $1::int', ['no number'])).rejects.toThrow(/invalid input/)
  expect((await one.query('select $1::int as n', [8])).rows).toEqual([{ n: 8 }])
  expect(await count()).toBe(before)
  await Promise.all([one.end(), other.end()])
})

test('what a connection leaves open when it breaks is rolled back, and the next one is served', async () => {
  const before = await count()
  for (const left of [
    [message('Q', 'begin\0'), message('Q', 'insert into counted values (1)\0')],
    [message('P', '\0insert into counted values (1)\0\0\0')],
    [message('P', '\0insert into counted values ($1)\0\0\0'), message('B', '\0\0\0\0\0')],
    [message('Q', 'begin; insert into counted values (1); select 1 / 0\0')],
    [message('Q', 'begin\0'), message('P', '\0no SQL\0\0\0')],
  ]) {
    const socket = await rawConnection()
    socket.write(Buffer.concat(left))
    const answered = once(socket, 'data')
    await answered
    socket.destroy()
    expect(await count()).toBe(before)
  }
  const next = await client()
  expect((await next.query('select $1::int as n', [9])).rows).toEqual([{ n: 9 }])
  await next.end()
})

test('who is idle within a transaction, or never ends a statement, keeps nobody out', async () => {
  const before = await count()
  const idle = await rawConnection()
  idle.write(Buffer.concat([message('Q', 'begin; insert into counted values (1)\0')]))
  const silent = await rawConnection()
  silent.write(message('P', '\0select 1\0\0\0'))
  const next = await client()
  expect((await next.query('select $1::int as n', [1])).rows).toEqual([{ n: 1 }])
  await until('both are closed', async () => idle.closed && silent.closed)
  expect(await count()).toBe(before)
  await next.end()
})

test('bytes that are no message end their connection, and one more than the connections is told', async () => {
  for (const bytes of [
    Buffer.from([0x51, 0, 0, 0, 0]),
    Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff]),
    // PGlite answers an unknown type without end.
    Buffer.concat([message('~', 'unknown\0'), SYNC]),
    message('F', '\0\0\0\0'),
    // PGlite ends with the process at the end of what it can read.
    message('Q', 'Copy counted from /**/ STDIN\0'),
    Buffer.concat([message('P', '\0copy counted from stdin\0\0\0'), SYNC]),
  ]) {
    const socket = await rawConnection()
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    socket.write(bytes)
    await until('it is told', async () => /C08P01|C0A000/.test(answer))
    socket.destroy()
  }
  const all = await Promise.all(Array.from({ length: CONNECTIONS }, client))
  await expect(client()).rejects.toThrow(`${CONNECTIONS} connections are open`)
  await Promise.all(all.map((db) => db.end()))
})
