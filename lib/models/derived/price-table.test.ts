/** What tokens cost: which price is taken, and which file is refused. */
import { expect, test } from 'vitest'
import { ConfigError } from '../../runtime/config.ts'
import { parsePrices } from './price-table.ts'

const table = parsePrices(`
prices:
  - { model: small-*, input_per_million: 1, output_per_million: 2 }
  - { model: small-2-*, input_per_million: 3, output_per_million: 4 }
  - { model: large, from: 2026-01-01, input_per_million: 10, output_per_million: 20 }
  - { model: large, from: 2026-06-01, input_per_million: 5, output_per_million: 10 }
  - { model: large, provider: other, input_per_million: 100, output_per_million: 0 }
`)
const cost = (modelVersion: string, at: string, provider?: string) =>
  table.costOf({
    modelVersion,
    provider,
    at: Date.parse(at),
    inputTokens: 1_000_000,
    outputTokens: 500_000,
  })

test('the exact name goes before the longest beginning, and a provider before none', () => {
  expect(cost('small-1', '2026-01-01')).toBe(2)
  expect(cost('small-2-mini', '2026-01-01')).toBe(5)
  expect(cost('large', '2026-03-01', 'other')).toBe(100)
  expect(cost('large', '2026-03-01', 'third')).toBe(20)
  expect(cost('unknown', '2026-03-01')).toBeUndefined()
})

test('a price holds from its day on, in UTC', () => {
  expect(cost('large', '2025-12-31T23:59:59.999Z')).toBeUndefined()
  expect(cost('large', '2026-01-01T00:00:00Z')).toBe(20)
  expect(cost('large', '2026-05-31T23:59:59.999Z')).toBe(20)
  expect(cost('large', '2026-06-01T00:00:00Z')).toBe(10)
})

const problemsOf = (text: string) => {
  try {
    parsePrices(text)
  } catch (error) {
    return (error as ConfigError).problems
  }
  return []
}

test.each([
  ['prices: [{ model: a, input_per_million: 1 }]', /output_per_million/],
  ['prices: [{ model: a, input_per_million: -1, output_per_million: 0 }]', /input_per_million/],
  [
    'prices: [{ model: a, from: "2026-02-30", input_per_million: 1, output_per_million: 0 }]',
    /prices\[0\]\.from 2026-02-30 is no day of the calendar/,
  ],
  [
    'prices: [{ model: a, input_per_million: 1, output_per_million: 0 }, { model: a, input_per_million: 2, output_per_million: 0 }]',
    /prices\[1\] names a a second time/,
  ],
  ['prices: [{ model: "*", input_per_million: 1, output_per_million: 0 }]', /model/],
  ['pricess: []', /pricess|prices/],
  ['a: [', /no YAML/],
])('%s is refused', (text, problem) => {
  expect(problemsOf(text).join('\n')).toMatch(problem)
})
