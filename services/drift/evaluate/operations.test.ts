import { expect, test } from 'vitest'
import type { WindowCounts } from '../data/window-data.ts'
import { evaluateOperations } from './operations.ts'

/** So many values, all alike, in a bin about them. */
const alike = (value: number, n: number) => ({
  ...{ lows: [value - 1], highs: [value + 1], counts: [n], totals: [value * n], bins: [1] },
})
const told = (numeric: Record<string, ReturnType<typeof alike>>) => {
  const counts: WindowCounts = {
    ...{ events: 10, errors: 0, duplicates: 0, categories: new Map() },
    numeric: new Map(Object.entries(numeric)),
  }
  const results = evaluateOperations(counts, 1000)
  return new Map(results.map((one) => [one.metric, one]))
}

test('a time to first token has the quantiles that a latency has, with the bin that holds them', () => {
  const found = told({ '@time_to_first_token_ms': alike(80, 6), '@latency_ms': alike(400, 10) })
  for (const percent of [50, 95, 99]) {
    const first = found.get(`time_to_first_token_p${percent}_ms`)!
    expect(first).toMatchObject({ n_current: 6, precision: 'bounded' })
    expect([first.bound_low, first.bound_high]).toEqual([79, 81])
    expect(found.get(`latency_p${percent}_ms`)).toMatchObject({ n_current: 10, bound_low: 399 })
  }
  expect(told({ '@latency_ms': alike(400, 10) }).has('time_to_first_token_p50_ms')).toBe(false)
})

test('output tokens a second are all tokens over all time', () => {
  const speed = told({ '@output_tokens': alike(50, 10), '@latency_ms': alike(400, 10) })
  expect(speed.get('output_tokens_per_s')).toMatchObject({ value: 125, n_current: 10, reason: '' })
})

test('a speed that would mix different answers, or divide by no time, is unknown and says why', () => {
  const mixed = told({ '@output_tokens': alike(50, 7), '@latency_ms': alike(400, 10) })
  expect(mixed.get('output_tokens_per_s')).toMatchObject({
    value: null,
    reason: '7 answers say their output tokens and 10 their latency: the speed needs both of each',
  })
  const none = told({ '@output_tokens': alike(50, 10), '@latency_ms': alike(0, 10) })
  expect(none.get('output_tokens_per_s')).toMatchObject({
    value: null,
    reason: 'the answers took no time',
  })
  expect(told({ '@output_tokens': alike(50, 10) }).has('output_tokens_per_s')).toBe(false)
})
