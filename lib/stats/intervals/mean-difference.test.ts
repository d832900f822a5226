import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { meanDifference } from './mean-difference.ts'

interface Golden {
  cases: { before: number[]; after: number[]; low: number; high: number }[]
}
const golden = JSON.parse(readFileSync('test/golden/mean-difference.json', 'utf8')) as Golden
const plain = (values: readonly number[]) =>
  values.map((value) => ({ value, standardError: undefined }))

test.each(golden.cases)('measurements alone give the interval of SciPy', (one) => {
  const { low, high } = meanDifference(plain(one.before), plain(one.after), 0.95)!
  expect(low).toBeCloseTo(one.low, 9)
  expect(high).toBeCloseTo(one.high, 9)
})

test('standard errors that come to more than measurements show between them count', () => {
  const alike = [1, 1.001].map((value) => ({ value, standardError: 0.3 * Math.SQRT2 }))
  const { low, high } = meanDifference(alike, [{ value: 2, standardError: 0.4 }], 0.95)!
  // The mean of two such measurements has the standard error 0.3, and 0.3² + 0.4² is 0.5².
  expect(high - low).toBeCloseTo(2 * 1.959963984540054 * 0.5, 9)
})

test('one measurement without a standard error, or none, tells no interval', () => {
  const one = plain([1])
  expect(meanDifference(one, plain([1, 2]), 0.95)).toBeUndefined()
  expect(meanDifference(plain([1, 2]), [], 0.95)).toBeUndefined()
})
