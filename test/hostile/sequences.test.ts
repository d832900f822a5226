/**
 * Random hostile sequences through every door, good events between: each good one is stored and
 * evaluated, whatever came.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { peakMiB, startTarget, type Running } from '../servers/processes.ts'
import { friendlyTo, friendOf } from './friend.ts'
import { drawsOf, FUZZED_GROUPS, fuzzedRequest, fuzzedStatement } from './fuzzer.ts'
import { CASES, wireOf } from './requests.ts'
import { send, type Wire } from './sending.ts'
import { VALID } from './valid-requests.ts'

const SEED = Number(process.env['HOSTILE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const SEQUENCES = 3
/** The engine, the heap and the bodies; the requests of the corpus alone reach two thirds of it. */
const MEMORY_MIB = 2048
const AT_ONCE = 4

const directory = temporaryDirectory()
const env = friendlyTo(directory)
let plumbline: Running
beforeAll(async () => {
  console.log(`HOSTILE_SEED=${SEED}`)
  plumbline = await startTarget('all', env)
})
afterAll(() => plumbline?.stop())

type Step =
  | { kind: 'good' }
  | { kind: 'fuzz'; group: string; n: number }
  | { kind: 'statement'; n: number }
  | { kind: 'corpus'; name: string }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'good' as const }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('fuzz' as const),
      group: fc.constantFrom(...FUZZED_GROUPS),
      n: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('statement' as const), n: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('corpus' as const),
      name: fc.constantFrom(...CASES.map(({ name }) => name)),
    }),
  },
)

const friend = friendOf(() => plumbline, 'sequences')

async function take(one: Step): Promise<void> {
  if (one.kind === 'good') await friend.send()
  else if (one.kind === 'fuzz') await mustBeAnswered(fuzzedRequest(one.group, SEED, one.n))
  else if (one.kind === 'corpus')
    for (const request of CASES.find(({ name }) => name === one.name)!.steps)
      await mustBeAnswered(wireOf(request))
  else {
    const { status, text } = await send(plumbline.clickhouseUrl, fuzzedStatement(SEED, one.n))
    if (status >= 500) expect(text).toMatch(/^Code: \d+\. DB::Exception/)
    expect(text).not.toMatch(/root:x?:0/)
  }
}

/** Accepted or refused, and never by a fault of ours. */
async function mustBeAnswered(wire: Wire): Promise<void> {
  const { status, text } = await send(plumbline.url, wire)
  expect(status, `${wire.method} ${wire.path.slice(0, 200)}: ${text.slice(0, 500)}`).toBeLessThan(
    500,
  )
}

async function takeAll(steps: readonly Step[]): Promise<void> {
  const queue = steps.values()
  const worker = async () => {
    for (const one of queue) await take(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

test('each good event is stored once and evaluated, memory is bounded, and the service starts again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 120, maxLength: 240 }),
      fc.constantFrom<NodeJS.Signals>('SIGTERM', 'SIGKILL'),
      async (steps, signal) => {
        await takeAll(steps)
        await friend.send()
        await friend.allStored()
        expect(peakMiB(plumbline)).toBeLessThan(MEMORY_MIB)
        const code = await plumbline.stop(signal)
        if (signal === 'SIGTERM') expect(code).toBe(0)
        plumbline = await startTarget('all', env)
        await friend.send()
        await friend.allStored()
        await friend.allEvaluated()
        const { rows, events } = await friend.stored()
        expect([rows, events]).toEqual([friend.sent(), friend.sent()])
      },
    ),
    { numRuns: SEQUENCES, seed: SEED, endOnFailure: true },
  )
})

test('the fuzzer knows every route that the service has, and says the same for the same seed', async () => {
  const docs = (await (await fetch(`${plumbline.url}/docs/json`)).json()) as {
    paths: Record<string, object>
  }
  const routes = Object.entries(docs.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const known = new Set(VALID.map(({ method, path }) => `${method} ${path}`))
  expect(routes.filter((route) => !known.has(route))).toEqual([])
  for (const group of FUZZED_GROUPS)
    expect(fuzzedRequest(group, 5, 7)).toEqual(fuzzedRequest(group, 5, 7))
  expect(drawsOf(5, 7)()).not.toBe(drawsOf(5, 8)())
  expect(drawsOf(5, 7)()).not.toBe(drawsOf(6, 7)())
})
