/** Requests of an enemy, among those of a friend: nothing sent stops anything but itself. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import {
  ask,
  peakMiB,
  post,
  prediction,
  startTarget,
  until,
  type Running,
} from '../servers/processes.ts'
import { BOUNDS, deepAt, GREAT, LONG_ID, SOCKETS, stepsOf, wideAt, wireOf } from './requests.ts'
import { ODD } from './odd-requests.ts'
import { send } from './sending.ts'
import { openSockets } from './sockets.ts'
import type { Step } from './steps.ts'

const directory = temporaryDirectory()
const env = { PLUMBLINE_DATA_DIR: join(directory, 'data'), PLUMBLINE_LOG_LEVEL: 'error' }
let plumbline: Running
beforeAll(async () => {
  plumbline = await startTarget('all', env)
})
afterAll(() => plumbline?.stop())

let good = 0
/** A friend's event is stored, whatever came before. */
async function friendIsServed() {
  const { status } = await post(
    `${plumbline.url}/v1/predictions`,
    prediction(good++, { model_id: 'friend' }),
  )
  expect(status).toBe(200)
  const rows = await ask(
    plumbline.clickhouseUrl,
    "SELECT count() AS n FROM predictions WHERE model_id = 'friend'",
  )
  expect(rows).toEqual([{ n: String(good) }])
}

const sent = (step: Step) => send(plumbline.url, wireOf(step))

const deadLetters = async (id: string) =>
  ask<{ reason: string; message: string }>(
    plumbline.clickhouseUrl,
    `SELECT reason, message FROM dead_letters WHERE key = '${id}' ORDER BY reason`,
  )

test('halves that cannot be stored are refused at the door, all of a batch together', async () => {
  const one = await sent(stepsOf('a half with an id too long')[0]!)
  expect(one.status).toBe(400)
  expect(one.text).toContain('exchange_id must')
  const many = await send(
    plumbline.url,
    wireOf(stepsOf('a batch of 1 500 halves that cannot be stored')[0]!),
  )
  expect(many.status).toBe(400)
  expect((JSON.parse(many.text) as { rejected: unknown[] }).rejected).toHaveLength(1500)
  await friendIsServed()
})

test('an exchange that cannot be read is set aside with its reason; those behind it become predictions', async () => {
  for (const name of [
    'an instance of 5 000 levels',
    'tensors of 400 000 000 rows without elements',
    'rows whose ids become too long',
    'halves that are null',
    'an exchange that is in order',
  ])
    for (const step of stepsOf(name)) expect((await sent(step)).status, name).toBe(200)
  await until('the exchange behind them is a prediction', async () => {
    const rows = await ask(
      plumbline.clickhouseUrl,
      "SELECT 1 FROM predictions WHERE prediction_id = 'after'",
    )
    return rows.length === 1
  })
  expect(await deadLetters('deep')).toEqual([
    {
      reason: 'unreadable_exchange',
      message: 'the request body: the JSON is nested deeper than 32',
    },
  ])
  // Tensors without elements have no rows: the exchange has no predictions, and nothing was wrong.
  expect(await deadLetters('huge')).toEqual([])
  expect((await deadLetters(LONG_ID)).map(({ reason }) => reason)).toEqual([
    'invalid_field',
    'invalid_field',
  ])
  expect(await deadLetters('null')).toMatchObject([{ reason: 'unreadable_exchange' }])
  await friendIsServed()
})

test.each([
  ['compressed spans', 200, '{}'],
  ['a compressed event', 200, '{"accepted":1,"rejected":[]}'],
  [
    'spans in clear that say they are compressed',
    400,
    expect.stringContaining('the body is not gzip') as string,
  ],
])('%s: read as in clear, or refused', async (name, status, text) => {
  const answer = await sent(stepsOf(name)[0]!)
  expect([answer.status, answer.text]).toEqual([status, text])
})

test('four hundred bombs of ten kilobytes at once: refused within the bytes that all bodies may have', async () => {
  const [step] = stepsOf('four hundred bombs of ten kilobytes at once')
  const bomb = wireOf(step!)
  expect(bomb.body.length).toBeLessThan(20_000)
  const answers = await Promise.all(
    Array.from({ length: step!.repeat! }, () => send(plumbline.url, bomb)),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400, 429]))
  // The engine, the heap and the bodies; without a bound 400 bodies alone are 4 GiB.
  expect(peakMiB(plumbline)).toBeLessThan(1800)
  await friendIsServed()
})

test.each(GREAT)('$name: refused, and others are answered meanwhile', async ({ steps }) => {
  const [first, ...others] = steps
  const hostile = sent(first!)
  await friendIsServed()
  expect((await hostile).status).toBe(400)
  for (const step of others)
    // A body that is too large by its length is refused before it has come, and the connection may
    // end with it.
    expect([200, 400, 413, 0]).toContain((await sent(step)).status)
  await friendIsServed()
})

test('fifteen hundred requests that are never finished: others are served, and these are ended', async () => {
  const sockets = openSockets(plumbline.url, SOCKETS[0]!)
  try {
    await until('they are all connected', async () => sockets.opened() >= 1500)
    await friendIsServed()
    await until('those without headers are ended', async () => sockets.open() <= 750)
    await friendIsServed()
  } finally {
    sockets.destroy()
  }
})

test.each(BOUNDS)(
  '$path reads JSON of $depth levels and $commas commas, and no more',
  async ({ path, depth, commas }) => {
    const told = async (step: Step) =>
      (await sent(step)).text.match(/nested deeper.*?\d+|more than \d+/)?.[0]
    expect(await told(deepAt(path, depth))).toBeUndefined()
    expect(await told(deepAt(path, depth + 1))).toBe(`nested deeper than ${depth}`)
    expect(await told(wideAt(path, commas))).toBeUndefined()
    expect(await told(wideAt(path, commas + 1))).toBe(`more than ${commas}`)
    await friendIsServed()
  },
)

test.each(ODD)('$name: refused, and says why', async ({ step, status, says }) => {
  const answer = await sent(step)
  expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(says) as string])
  await friendIsServed()
})

test('after all of it the service starts again, with everything good in it', async () => {
  await plumbline.stop()
  plumbline = await startTarget('all', env)
  await friendIsServed()
})
