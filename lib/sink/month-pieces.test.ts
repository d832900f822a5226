import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_MONTHS_PER_INSERT, monthsOf, piecesOf } from './month-pieces.ts'

const inMonth = (month: number, where: string | undefined) =>
  (where ?? '').split(' AND ').every((bound) => {
    const [, operator, value] = /(>=|<) (\d+)$/.exec(bound) ?? []
    return (
      operator === undefined || (operator === '<' ? month < Number(value) : month >= Number(value))
    )
  })

test('every month lies in one piece, and no piece has too many', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1319 }), { maxLength: 2000 }), (months) => {
      const times = months.map((month) => Date.UTC(1990, month, 3))
      const all = monthsOf(times)
      const distinct = [...new Set(months)].map(
        (m) => 100 * (1990 + Math.floor(m / 12)) + (m % 12) + 1,
      )
      if (!all) {
        expect(distinct.length).toBeLessThanOrEqual(MAX_MONTHS_PER_INSERT)
        return
      }
      expect(all).toEqual(distinct.toSorted((a, b) => a - b))
      const pieces = piecesOf('t', { column: 'at', of: all })
      expect(new Set(pieces.map(({ token }) => token)).size).toBe(pieces.length)
      for (const month of all)
        expect(pieces.filter(({ where }) => inMonth(month, where))).toHaveLength(1)
      for (const { where } of pieces)
        expect(all.filter((month) => inMonth(month, where)).length).toBeLessThanOrEqual(
          MAX_MONTHS_PER_INSERT,
        )
    }),
  )
})

test('a range of a few months is one insert under the token of the range', () => {
  const of = monthsOf([Date.UTC(2026, 0), Date.UTC(2026, 5)])
  expect(piecesOf('t', of && { column: 'at', of })).toEqual([{ token: 't' }])
  expect(monthsOf([])).toBeUndefined()
})
