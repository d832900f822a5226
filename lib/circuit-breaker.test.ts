import { expect, test } from 'vitest'
import { rangeOf } from '../test/harness.ts'
import { circuitBreaker, OpenCircuit } from './circuit-breaker.ts'
import type { MappedRange } from './event-mapping.ts'

/** A range of which the messages at these places are refused. */
function mapped(count: number, isDead: (i: number) => boolean) {
  const range = rangeOf('t', 'm', Array.from({ length: count }, String))
  const dead = range.messages
    .filter((_, i) => isDead(i))
    .map((message) => ({ message, code: 'invalid_json', text: 'no JSON' }))
  return [range, { dead } as unknown as MappedRange] as const
}

test('a tenth of poison passes, more than half stops the partition, and mending it lets it on', () => {
  const changes: boolean[] = []
  const breaker = circuitBreaker({
    maxRatio: 0.5,
    maxRun: 1000,
    onChange: ({ open }) => changes.push(open),
  })
  for (let i = 0; i < 10; i++) {
    const tenth = mapped(500, (k) => k % 10 === 0)
    breaker.check(...tenth)
    breaker.stored(tenth[0])
  }
  const bad = mapped(900, () => true)
  breaker.check(...bad)
  breaker.stored(bad[0])
  expect(() => breaker.check(...mapped(900, () => true))).toThrow(OpenCircuit)
  expect(() => breaker.check(...mapped(900, () => true))).toThrow('no JSON')
  breaker.check(...mapped(900, () => false))
  expect(changes.slice(-3)).toEqual([true, true, false])
})

test('a long run stops at once, whatever came before; runs are counted across ranges', () => {
  const breaker = circuitBreaker({ maxRatio: 1, maxRun: 100 })
  const sixty = mapped(60, () => true)
  breaker.check(...sixty)
  breaker.stored(sixty[0])
  expect(() => breaker.check(...mapped(60, () => true))).toThrow(
    '120 messages in a row were refused (at most 100)',
  )
})

test('a few messages are no ratio', () => {
  const breaker = circuitBreaker({ maxRatio: 0.5, maxRun: 1000 })
  expect(() => breaker.check(...mapped(20, () => true))).not.toThrow()
})
