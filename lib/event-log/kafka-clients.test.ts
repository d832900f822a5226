import { EventEmitter } from 'node:events'
import type { Consumer, Kafka } from 'kafkajs'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { consumerHealth } from './consumer-health.ts'
import { namesIn } from './kafka-connection/names.ts'
import { consumeUntil, type MadeClient } from './kafka-clients.ts'

const SESSION_MS = 300
const EVENTS = {
  GROUP_JOIN: 'join',
  HEARTBEAT: 'beat',
  FETCH: 'fetch',
  FETCH_START: 'fetch-start',
  CRASH: 'crash',
}

/** A client of which a test says when it connects; told what was done with it. */
function fakeClient(connect: () => Promise<void> = async () => {}) {
  const emitter = new EventEmitter()
  const told: string[] = []
  const client = {
    events: EVENTS,
    on: (name: string, listener: (event: unknown) => void) => emitter.on(name, listener),
    connect,
    disconnect: async () => void told.push('disconnect'),
  } as unknown as Consumer
  const made: MadeClient = { client, begin: async () => void told.push('begin') }
  return { made, told, emit: (name: string, event: unknown = {}) => emitter.emit(name, event) }
}

/** Consumes with these clients, one after another; ends when the last of them has begun. */
async function consumed(clients: readonly ReturnType<typeof fakeClient>[]) {
  const controller = new AbortController()
  const givenUp: AbortSignal[] = []
  const last = clients.at(-1)!
  const { begin } = last.made
  last.made.begin = async () => {
    await begin()
    controller.abort()
  }
  await consumeUntil(
    controller.signal,
    { group: 'g', topic: 't' },
    {
      kafka: {} as Kafka,
      log: pino({ level: 'silent' }),
      sessionTimeoutMs: SESSION_MS,
      health: consumerHealth({ now: Date.now, patienceMs: SESSION_MS }),
      untilConnected: async () => {},
      names: namesIn([]),
      clusterId: () => 'c',
    },
    (signal) => {
      // Nobody begins before the one before was given up.
      expect(givenUp.every(({ aborted }) => aborted)).toBe(true)
      givenUp.push(signal)
      return clients[givenUp.length - 1]!.made
    },
  )
  return givenUp
}

test('a client that cannot connect, fails to, or crashes is replaced by another', async () => {
  const hangs = fakeClient(() => new Promise(() => {}))
  const refused = fakeClient(() => Promise.reject(new Error('no broker')))
  const crashes = fakeClient()
  crashes.made.begin = async () => {
    setImmediate(() => crashes.emit('crash', { payload: { error: new Error('lost') } }))
  }
  const works = fakeClient()
  const givenUp = await consumed([hangs, refused, crashes, works])
  expect(givenUp).toHaveLength(4)
  expect(hangs.told).toEqual(['disconnect'])
  expect(works.told).toEqual(['begin', 'disconnect'])
})

test('a client that connects after it was given up begins nothing, and disconnects again', async () => {
  const connecting = Promise.withResolvers<void>()
  const late = fakeClient(() => connecting.promise)
  await consumed([late, fakeClient()])
  connecting.resolve()
  await expect.poll(() => late.told).toEqual(['disconnect', 'disconnect'])
})

test('a client that only fetches is no member: it is given up, and fetches no more', async () => {
  const fetches = fakeClient()
  const fetching = setInterval(() => fetches.emit('fetch'), 10)
  const [givenUp] = await consumed([fetches, fakeClient()])
  clearInterval(fetching)
  expect(givenUp?.aborted).toBe(true)
  expect(() => fetches.emit('fetch-start')).toThrow()
})

test('a fault that passes with no new client ends the consumer', async () => {
  const faulty = fakeClient(() => Promise.reject(new TypeError('a fault of ours')))
  await expect(consumed([faulty, fakeClient()])).rejects.toThrow('a fault of ours')
})
