/* oxlint-disable max-lines -- one place for all that this is attacked with */
/** What one sends through the in-process log stops nothing else: neither the log, nor the next start. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../lib/clickhouse.ts'
import { memoryLog, type MemoryLogOptions } from '../../lib/event-log.memory.ts'
import type { EventLog, OutgoingMessage } from '../../lib/event-log.ts'
import { createJournal } from '../../lib/journal.ts'
import { messageReader, type MessageReader } from '../../lib/message-reader.ts'
import { createMetrics } from '../../lib/metrics.ts'
import { MAX_MONTHS_PER_INSERT } from '../../lib/month-pieces.ts'
import type { Module } from '../../lib/modules.ts'
import { sinkConsumer } from '../../lib/sink-consumer.ts'
import { createSpool } from '../../lib/spool.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { PREDICTION_MAPPINGS } from '../../services/ingest/rows.ts'
import { migratedClickHouse, rangeOf, sinkOn } from '../harness.ts'
import { prediction, until } from '../processes.ts'

let db: ClickHouse
let directory: string
beforeAll(async () => {
  const opened = await migratedClickHouse()
  db = opened.db
  directory = opened.directory
})

const TOPIC = TOPICS.predictions.topic
let folders = 0
const folder = () => join(directory, `part-${folders++}`)

interface Parts extends Partial<MemoryLogOptions> {
  clickhouse?: ClickHouse
  reader?: MessageReader
  journalIn?: string
}

/** A process's log and the sink behind it; `die` ends it as a kill would, with what is in hand left in the journal. */
async function startLog(parts: Parts = {}) {
  const journalIn = parts.journalIn ?? folder()
  const unreadable: string[] = []
  let isDead = false
  const clickhouse: ClickHouse = {
    ...(parts.clickhouse ?? db),
    insertFile: (insert) =>
      isDead
        ? Promise.reject(Object.assign(new Error('killed'), { code: 'ECONNRESET' }))
        : (parts.clickhouse ?? db).insertFile(insert),
  }
  const log: EventLog = memoryLog({
    now: Date.now,
    journal: createJournal({
      directory: journalIn,
      durable: 'process',
      onUnreadable: (path) => unreadable.push(path),
    }),
    onError: () => {},
    ...parts,
  })
  const metrics = createMetrics()
  const consumer: Module = sinkConsumer({
    topic: TOPIC,
    group: 'ingest',
    service: 'ingest',
    mappings: PREDICTION_MAPPINGS,
    clickhouse,
    reader: parts.reader ?? messageReader(),
    spool: createSpool(folder(), 'process'),
    eventLog: log,
    metrics,
    duplicateHorizon: 1_000_000,
    now: Date.now,
    committed: () => {},
  })
  await log.module.start!()
  return {
    log,
    journalIn,
    unreadable,
    die: () => {
      isDead = true
    },
    send: (values: readonly (string | Buffer)[]) =>
      log.append(
        TOPIC,
        values.map((value): OutgoingMessage => ({ key: '', value })),
      ),
    stop: () => consumer.stop!(),
  }
}

const count = async (sql: string) => {
  const [row] = await db.query<{ n: string }>(`SELECT ${sql} AS n`)
  return Number(row!.n)
}
const stored = (model: string) =>
  count(`(SELECT count() FROM predictions WHERE model_id = '${model}')`)
const totalsOf = async (model: string) =>
  (
    await db.query(`SELECT (SELECT count() FROM predictions WHERE model_id = '${model}') AS rows,
      (SELECT uniqExact(prediction_id) FROM predictions WHERE model_id = '${model}') AS ids,
      (SELECT sum(events) FROM event_counts WHERE model_id = '${model}') AS events,
      (SELECT sum(count) FROM numeric_counts WHERE model_id = '${model}' AND subject = 'x') AS numbers,
      (SELECT sum(count) FROM category_counts WHERE model_id = '${model}' AND subject = 'c') AS categories,
      (SELECT count() FROM prediction_times WHERE model_id = '${model}') AS times`)
  )[0]
const all = (n: number) =>
  Object.fromEntries(
    ['rows', 'ids', 'events', 'numbers', 'categories', 'times'].map((name) => [name, String(n)]),
  )

test('thousands of refused messages in a row are dead letters, and the next event is stored', async () => {
  const { send, stop } = await startLog()
  await send(Array.from({ length: 3000 }, () => 'no event'))
  await send([JSON.stringify(prediction(1, { model_id: 'after-poison' }))])
  expect(await stored('after-poison')).toBe(1)
  expect(await count(`(SELECT count() FROM dead_letters WHERE value = 'no event')`)).toBe(3000)
  await stop()
})

test('slashes join no two names', async () => {
  const { send, stop } = await startLog()
  const pairs = [
    ['a', 'b/c'],
    ['a/b', 'c'],
    ['org/name', '1'],
    ['org', 'name/1'],
  ]
  const values = pairs.map(([model_id, prediction_id]) =>
    JSON.stringify(prediction(1, { model_id, prediction_id })),
  )
  await send(values)
  await send(values)
  expect(
    await count(
      `(SELECT count() FROM predictions WHERE model_id IN ('a', 'a/b', 'org/name', 'org'))`,
    ),
  ).toBe(4)
  await stop()
  // Read back from the table, the names are the same.
  const again = await startLog()
  await again.send(values)
  expect(
    await count(
      `(SELECT sum(duplicates) FROM event_counts WHERE model_id IN ('a', 'a/b', 'org/name', 'org'))`,
    ),
  ).toBe(8)
  await again.stop()
})

test('an event that cannot be made a row is set aside, the others of its range are stored', async () => {
  const plain = messageReader()
  const { send, stop } = await startLog({
    reader: {
      ...plain,
      read: (message, judge) => {
        if (message.value.includes('deep')) throw new RangeError('Maximum call stack size exceeded')
        return plain.read(message, judge)
      },
    },
  })
  const values = Array.from({ length: 50 }, (_, i) =>
    JSON.stringify(
      prediction(i, { model_id: 'unmappable', input_text: i % 25 === 7 ? 'deep' : '' }),
    ),
  )
  await send(values)
  expect(await stored('unmappable')).toBe(48)
  expect(
    await db.query(
      `SELECT count() AS n, any(message) AS why FROM dead_letters WHERE reason = 'unstorable' AND value LIKE '%unmappable%'`,
    ),
  ).toEqual([{ n: '2', why: 'the event cannot be stored: Maximum call stack size exceeded' }])
  await stop()
})

test('an event that the store refuses is set aside, and counts nowhere else', async () => {
  const refusing: ClickHouse = {
    ...db,
    insertFile: async (insert) => {
      if (!insert.table.endsWith('dead_letters') && readFileSync(insert.path).includes('refuse-me'))
        throw new Error('Code: 117. DB::Exception: Cannot read the data. (INCORRECT_DATA)')
      await db.insertFile(insert)
    },
  }
  const { send, stop } = await startLog({ clickhouse: refusing })
  const values = Array.from({ length: 40 }, (_, i) =>
    JSON.stringify(
      prediction(i, {
        model_id: 'refused',
        features: { x: i, c: 'c' },
        input_text: [3, 4, 31].includes(i) ? 'refuse-me' : 'fine',
      }),
    ),
  )
  await send(values)
  expect(await totalsOf('refused')).toEqual(all(37))
  expect(
    await count(
      `(SELECT count() FROM dead_letters WHERE reason = 'unstorable' AND value LIKE '%refuse-me%')`,
    ),
  ).toBe(3)
  expect(await count(`(SELECT count() FROM system.tables WHERE name LIKE 'trial_of%')`)).toBe(0)
  await stop()
})

test('a store that is away sets nothing aside: callers are told, and the range is stored once it is back', async () => {
  let isAway = true
  const { send, stop } = await startLog({
    clickhouse: {
      ...db,
      insertFile: (insert) =>
        isAway
          ? Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))
          : db.insertFile(insert),
    },
  })
  const event = JSON.stringify(prediction(1, { model_id: 'away' }))
  await expect(send([event])).rejects.toMatchObject({ status: 503 })
  await expect(send([event])).rejects.toMatchObject({ status: 503 })
  isAway = false
  await until('the range in hand is stored', async () => (await stored('away')) === 1, 60_000)
  await until(
    'new events are taken',
    () =>
      send([event]).then(
        () => true,
        () => false,
      ),
    60_000,
  )
  expect(await stored('away')).toBe(1)
  await stop()
})

test('more bytes than may wait are refused with 503, and taken again later', async () => {
  const gate = Promise.withResolvers<void>()
  const { send, stop } = await startLog({
    maxQueuedBytes: 4000,
    clickhouse: {
      ...db,
      insertFile: async (insert) => gate.promise.then(() => db.insertFile(insert)),
    },
  })
  const event = (i: number) =>
    JSON.stringify(prediction(i, { model_id: 'queued', input_text: 'x'.repeat(2500) }))
  const first = send([event(1)])
  await expect(send([event(2)])).rejects.toMatchObject({ status: 503, code: 'overloaded' })
  gate.resolve()
  await first
  await send([event(2)])
  expect(await stored('queued')).toBe(2)
  await stop()
})

const range = (model: string) =>
  rangeOf(
    TOPIC,
    PREDICTION_MAPPINGS[0].version,
    [1, 2, 3].map((i) => JSON.stringify(prediction(i, { model_id: model }))),
  )

test('journal files that hold no range are set aside by name, the rest is stored', async () => {
  const journalIn = folder()
  const journal = createJournal({ directory: journalIn, durable: 'fsync', onUnreadable: () => {} })
  await journal.keep({ ...range('torn'), logEpoch: 'memory-torn' })
  await journal.keep({ ...range('whole'), logEpoch: 'memory-whole' })
  const [torn] = readdirSync(journalIn).toSorted()
  const text = readFileSync(join(journalIn, torn!), 'utf8')
  for (const [i, damaged] of [
    text.slice(0, text.length / 2),
    '',
    'null',
    '[]',
    '{}',
    '\0'.repeat(4096),
    text.replace(/"messages":.*$/, '"messages":[{"offset":"x"}]}'),
    text.replace(/"messages":.*$/, '"messages":[]}'),
  ].entries())
    writeFileSync(join(journalIn, `000000000000000${i}.range.json`), damaged)
  writeFileSync(join(journalIn, torn!), text.slice(0, -10))
  const { unreadable, send, stop } = await startLog({ journalIn })
  expect(unreadable).toHaveLength(9)
  expect(await stored('whole')).toBe(3)
  await send([JSON.stringify(prediction(9, { model_id: 'torn' }))])
  expect(await stored('torn')).toBe(1)
  expect(readdirSync(journalIn).every((name) => name.endsWith('.set-aside'))).toBe(true)
  await stop()
})

test('a range that an earlier process left does not decide whether this one starts', async () => {
  const journalIn = folder()
  const journal = createJournal({
    directory: journalIn,
    durable: 'process',
    onUnreadable: () => {},
  })
  // Of a release that is gone: no process can store it.
  await journal.keep({ ...range('gone'), logEpoch: 'memory-gone', mapping: 'predictions-0' })
  const given: [string, number, string | undefined][] = []
  const { send, stop } = await startLog({
    journalIn,
    onSetAside: (...one) => given.push(one),
  })
  await until('the range is set aside', async () => given.length > 0)
  expect(given[0]).toEqual([TOPIC, 3, expect.stringContaining('.set-aside')])
  await send([JSON.stringify(prediction(1, { model_id: 'gone' }))])
  expect(await stored('gone')).toBe(1)
  await stop()
})

const monthly = (model: string, months: number) =>
  Array.from({ length: months }, (_, i) =>
    JSON.stringify(
      prediction(i, {
        model_id: model,
        features: { x: i, c: 'c' },
        predicted_at: new Date(Date.UTC(1990, i, 2)).toISOString(),
      }),
    ),
  )

test('events of every month from 1990 to 2099 in one request are stored, a few months an insert', async () => {
  const tokens = new Map<string, string[]>()
  const { send, stop } = await startLog({
    clickhouse: {
      ...db,
      insertFile: async (insert) => {
        tokens.set(insert.table, [...(tokens.get(insert.table) ?? []), insert.token])
        await db.insertFile(insert)
      },
    },
  })
  const values = monthly('centuries', 1320)
  await send(values)
  await send([JSON.stringify(prediction(1, { model_id: 'centuries-after' }))])
  expect(await totalsOf('centuries')).toEqual(all(1320))
  expect(await stored('centuries-after')).toBe(1)
  for (const table of ['predictions', 'numeric_counts', 'category_counts'])
    expect(new Set(tokens.get(table)).size).toBe(Math.ceil(1320 / MAX_MONTHS_PER_INSERT) + 1)
  await stop()
})

test('cut off between any two pieces, the same range again completes it', async () => {
  const months = MAX_MONTHS_PER_INSERT + 1
  const wholeOf = (model: string) => ({
    ...rangeOf(TOPIC, PREDICTION_MAPPINGS[0].version, monthly(model, months)),
    logEpoch: model,
  })
  /** Stores until so many inserts have been made; returns how many there were. */
  const storeUntilCut = async (model: string, cut: number) => {
    let inserts = 0
    const insertFile: ClickHouse['insertFile'] = async (insert) => {
      if (++inserts > cut) throw Object.assign(new Error('killed'), { code: 'ECONNRESET' })
      await db.insertFile(insert)
    }
    const sink = sinkOn({ ...db, insertFile }, folder(), 'ingest', PREDICTION_MAPPINGS[0])
    await sink.store(wholeOf(model)).catch((error: unknown) => {
      expect(String(error)).toContain('killed')
    })
    return inserts
  }
  const inserts = await storeUntilCut('cut-never', Infinity)
  expect(await totalsOf('cut-never')).toEqual(all(months))
  // Between the pieces of the first table, between tables, before the last insert.
  for (const cut of [0, 1, 2, inserts >> 1, inserts - 1]) {
    const model = `cut-${cut}`
    await storeUntilCut(model, cut)
    const next = sinkOn(db, folder(), 'ingest', PREDICTION_MAPPINGS[0])
    await next.store({ ...wholeOf(model), replayed: true })
    expect({ cut, ...(await totalsOf(model)) }).toEqual({ cut, ...all(months) })
  }
})

type Kind = 'good' | 'invalid' | 'huge span' | 'repeat' | 'slash' | 'refused'
const KINDS: readonly Kind[] = [
  'good',
  'good',
  'invalid',
  'huge span',
  'repeat',
  'slash',
  'refused',
]

test('any sequence of events, failures and restarts: each event ends in one place', async () => {
  let runs = 0
  const step = fc.record({
    kinds: fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 8 }),
    fails: fc.constantFrom(0, 0, 0, 1, 3, 5),
    dies: fc.constantFrom(false, false, true),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      const model = `any-${runs++}`
      const journalIn = folder()
      let failing = 0
      const clickhouse: ClickHouse = {
        ...db,
        insertFile: async (insert) => {
          if (failing > 0) {
            failing--
            throw Object.assign(new Error('away'), { code: 'ECONNRESET' })
          }
          if (
            !insert.table.endsWith('dead_letters') &&
            readFileSync(insert.path).includes('refuse-me')
          )
            throw new Error('Code: 117. DB::Exception: Cannot read the data. (INCORRECT_DATA)')
          await db.insertFile(insert)
        },
      }
      let process = await startLog({ clickhouse, journalIn })
      const good = new Set<string>()
      const sent: Record<'dead' | 'refused' | 'repeats', number> = {
        dead: 0,
        refused: 0,
        repeats: 0,
      }
      /** What callers sent again after a 503, although the log had gone on with it: messages of their own. */
      const again = { dead: 0, refused: 0 }
      let next = 0
      const valueOf = (kind: Kind): string => {
        const i = next++
        const id = (n: number) => ({ model_id: model, prediction_id: `${n}` })
        if (kind === 'invalid') {
          sent.dead++
          return JSON.stringify({ model_id: model, prediction_id: `${i}` })
        }
        if (kind === 'refused') {
          sent.refused++
          return JSON.stringify(prediction(i, { ...id(i), input_text: 'refuse-me' }))
        }
        if (kind === 'repeat' && good.has(`${model} 0`)) {
          sent.repeats++
          return JSON.stringify(prediction(0, id(0)))
        }
        if (kind === 'slash') {
          const [a, b] = i % 2 === 0 ? [model, `s/${i}`] : [`${model}/s`, `${i - 1}`]
          good.add(`${a} ${b}`)
          return JSON.stringify(prediction(i, { model_id: a, prediction_id: b }))
        }
        const number = good.size === 0 ? 0 : i
        good.add(`${model} ${number}`)
        // As far apart as can be, and few: every month is a partition of a dozen tables.
        const month = kind === 'huge span' ? [0, 600, 1319][i % 3]! : 432
        return JSON.stringify(
          prediction(number, {
            ...id(number),
            predicted_at: new Date(Date.UTC(1990, month, 2)).toISOString(),
          }),
        )
      }
      for (const { kinds, fails, dies } of steps) {
        const before = { ...sent }
        const values = kinds.map(valueOf)
        if (dies) {
          failing = Infinity
          // Its caller never hears of it: the process that comes next stores it out of the journal.
          const unanswered = process.send(values)
          unanswered.catch(() => {})
          await until('the range is in the journal', async () =>
            readdirSync(journalIn).some((name) => name.endsWith('.range.json')),
          )
          process.die()
          failing = 0
          process = await startLog({ clickhouse, journalIn })
        } else {
          failing = fails
          await until('the events are taken', () =>
            process.send(values).then(
              () => true,
              () => {
                again.dead += sent.dead - before.dead
                again.refused += sent.refused - before.refused
                return false
              },
            ),
          )
          failing = 0
        }
      }
      const like = `model_id = '${model}' OR model_id = '${model}/s'`
      const [row] = await db.query<Record<string, string>>(`SELECT
        (SELECT count() FROM predictions WHERE ${like}) AS rows,
        (SELECT uniqExact(model_id, prediction_id) FROM predictions WHERE ${like}) AS ids,
        (SELECT sum(events) FROM event_counts WHERE ${like}) AS events,
        (SELECT count() FROM prediction_times WHERE ${like}) AS times`)
      const n = String(good.size)
      expect(row).toEqual({ rows: n, ids: n, events: n, times: n })
      const own = `value LIKE '%"${model}"%' OR value LIKE '%"${model}/s"%'`
      const letters = async (where: string) =>
        count(`(SELECT uniqExact(log_epoch, offset) FROM dead_letters WHERE (${own}) AND ${where})`)
      for (const [kind, where] of [
        ['dead', `reason != 'unstorable'`],
        ['refused', `reason = 'unstorable'`],
      ] as const) {
        const found = await letters(where)
        expect(found).toBeGreaterThanOrEqual(sent[kind])
        expect(found).toBeLessThanOrEqual(sent[kind] + again[kind])
      }
      await process.stop()
    }),
    // Each run takes seconds, so a failing one is not made smaller.
    { numRuns: 8, seed: 13, endOnFailure: true },
  )
})
