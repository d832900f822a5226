import fc from 'fast-check'
import { expect, test } from 'vitest'
import { networkOf, trustedProxiesOf } from './addresses.ts'
import { callerLimits } from './caller-limits.ts'

const RATE = { perSecond: 10, burst: 50 }

/** What some callers send: after how many milliseconds, who, how many events. */
const sent = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 3000 }),
    caller: fc.constantFrom('a', 'b', 'c'),
    events: fc.integer({ min: 0, max: 120 }),
  }),
  { maxLength: 60 },
)

test('in any span nobody sends more than the burst, the rate of that span, and one request', () => {
  fc.assert(
    fc.property(sent, (requests) => {
      const limits = callerLimits({ events: RATE })
      const taken: { atMs: number; events: number }[] = []
      let nowMs = 0
      for (const { afterMs, caller, events } of requests) {
        nowMs += afterMs
        const reached = limits.take(caller, 'events', events, nowMs)
        if (!reached && caller === 'a') taken.push({ atMs: nowMs, events })
      }
      taken.forEach((first, i) => {
        let sum = 0
        for (const { atMs, events } of taken.slice(i)) {
          const span = (atMs - first.atMs) / 1000
          // Before its last request the caller is within the burst and the rate.
          expect(sum).toBeLessThan(RATE.burst + RATE.perSecond * span + 1e-6)
          sum += events
        }
      })
    }),
  )
})

test('who waits as long as they were told is taken, and who keeps to the rate always is', () => {
  fc.assert(
    fc.property(sent, (requests) => {
      const limits = callerLimits({ events: RATE })
      let nowMs = 0
      for (const { afterMs, caller, events } of requests) {
        nowMs += afterMs
        const reached = limits.take(caller, 'events', events, nowMs)
        if (!reached) continue
        expect(reached).toMatchObject({ limit: 'events', rate: RATE })
        nowMs += reached.retryAfterS * 1000
        expect(limits.take(caller, 'events', events, nowMs)).toBeUndefined()
      }
      const steady = callerLimits({ events: RATE })
      for (let second = 0; second < 100; second++)
        expect(steady.take('a', 'events', 10, second * 1000)).toBeUndefined()
    }),
  )
})

test('no caller is held up by what others send', () => {
  fc.assert(
    fc.property(sent, (requests) => {
      const [together, alone] = [callerLimits({ events: RATE }), callerLimits({ events: RATE })]
      let nowMs = 0
      for (const { afterMs, caller, events } of requests) {
        nowMs += afterMs
        const told = together.take(caller, 'events', events, nowMs)
        if (caller === 'a') expect(told).toEqual(alone.take(caller, 'events', events, nowMs))
      }
    }),
  )
})

test('either limit holds by itself; what has none is not limited', () => {
  const limits = callerLimits({ bytes: { perSecond: 100, burst: 100 } })
  expect(limits.take('a', 'events', 1e9, 0)).toBeUndefined()
  expect(limits.take('a', 'bytes', 1100, 0)).toBeUndefined()
  // 1000 bytes are owed at 100 a second, and one more must be there.
  const told = { limit: 'bytes', rate: { perSecond: 100, burst: 100 }, retryAfterS: 11 }
  expect(limits.reached('a', 0)).toEqual(told)
  expect(limits.take('a', 'bytes', 1, 0)).toEqual(told)
  expect(limits.take('a', 'events', 1, 0)).toBeUndefined()
  expect(limits.reached('a', 10_000)).toMatchObject({ retryAfterS: 1 })
  expect(limits.reached('a', 11_000)).toBeUndefined()
})

test('a clock that goes back gives nothing and takes nothing', () => {
  const limits = callerLimits({ events: RATE })
  limits.take('a', 'events', 60, 10_000)
  expect(limits.reached('a', 0)).toMatchObject({ retryAfterS: 2 })
  expect(limits.reached('a', 12_000)).toBeUndefined()
})

test('callers seen longest ago leave', () => {
  const limits = callerLimits({ events: RATE }, 3)
  for (const caller of ['a', 'b', 'c']) limits.take(caller, 'events', 60, 0)
  expect(limits.reached('a', 0)).toBeDefined()
  limits.take('d', 'events', 60, 0)
  expect(limits.size()).toBe(3)
  expect(limits.reached('a', 0)).toBeDefined()
  expect(limits.reached('b', 0)).toBeUndefined()
})

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['nobody '.repeat(1000), 'unknown'],
])('the address %s counts as %s', (address, network) => expect(networkOf(address)).toBe(network))

test('proxies are addresses and ranges, and never everybody', () => {
  const good = ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', 'loopback']
  expect(trustedProxiesOf(good.join())).toEqual(good)
  expect(trustedProxiesOf(undefined)).toEqual([])
  for (const bad of ['10.0.0.0/33', 'proxy.example', '1.2.3', '10.0.0.0/8/8', '10.0.0.0/x'])
    expect(() => trustedProxiesOf(bad)).toThrow(`PLUMBLINE_TRUSTED_PROXIES ${bad} is neither`)
  for (const all of ['0.0.0.0/0', '::/0'])
    expect(() => trustedProxiesOf(all)).toThrow('is every address')
})
