import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RETAINED } from '../data/retention-tables.ts'
import { dropAt, dueDrops, type MonthOfModel } from './due-drops.ts'
import { toldDrops } from './told-drops.ts'

const byMonth = RETAINED.find(({ table }) => table === 'predictions')!
const byRow = RETAINED.find(({ table }) => table === 'labels')!
const rows = (model: string, month: number) => ({ model, month, rows: 10 })
const now = Date.UTC(2026, 6, 15)

test('a month goes when all of it is older than its retention', () => {
  expect(new Date(dropAt(202601, 30)!).toISOString()).toBe('2026-03-03T00:00:00.000Z')
  expect(new Date(dropAt(202512, 1)!).toISOString()).toBe('2026-01-02T00:00:00.000Z')
  expect(dropAt(202601, undefined)).toBeUndefined()
})

test('a shared month goes whole where all its models are due, and in part where some are', () => {
  const months = [rows('a', 202601), rows('b', 202601), rows('a', 202602), rows('c', 202602)]
  const daysOf = (_kind: string, model: string) => ({ a: 30, b: 90 })[model]
  expect(dueDrops(byMonth, months, daysOf, now)).toEqual([
    { table: 'predictions', month: 202601, models: undefined, rows: 20 },
    { table: 'predictions', month: 202602, models: ['a'], rows: 10 },
  ])
  expect(dueDrops(byRow, months.slice(0, 2), daysOf, now)).toEqual([
    { table: 'labels', month: 202601, models: ['a', 'b'], rows: 20 },
  ])
})

test('nothing that is younger goes, and what is due goes once', () => {
  const month = fc.tuple(fc.integer({ min: 2024, max: 2026 }), fc.integer({ min: 1, max: 12 }))
  const stored = fc.uniqueArray(
    fc
      .tuple(fc.constantFrom('a', 'b', 'c'), month)
      .map(([model, [y, m]]) => rows(model, y * 100 + m)),
    { selector: ({ model, month: m }: MonthOfModel) => `${model}/${m}` },
  )
  const days = fc.record({
    a: fc.option(fc.nat(900)),
    b: fc.option(fc.nat(900)),
    c: fc.constant(null),
  })
  fc.assert(
    fc.property(stored, days, (months, kept) => {
      const daysOf = (_kind: string, model: string) => kept[model as 'a'] ?? undefined
      const drops = dueDrops(byMonth, months, daysOf, now)
      const gone = months.filter(({ model, month: m }) =>
        drops.some((drop) => drop.month === m && (drop.models?.includes(model) ?? true)),
      )
      const due = months.filter(({ model, month: m }) => {
        const at = dropAt(m, daysOf('', model))
        return at !== undefined && at <= now
      })
      expect(gone).toEqual(due)
      expect(drops.reduce((sum, drop) => sum + drop.rows, 0)).toBe(10 * due.length)
    }),
  )
})

test('an entry of the audit log is bounded, and says how much it leaves out', () => {
  const models = Array.from({ length: 50_000 }, (_, i) => `model-${i}`)
  const drops = Array.from({ length: 5000 }, (_, i) => ({
    table: 'labels',
    month: 200001 + i,
    models,
    rows: 2,
  }))
  const told = toldDrops(drops)
  expect(told).toMatchObject({ drops_in_all: 5000, rows_in_all: 10_000 })
  expect(told.drops[0]).toMatchObject({ month: 200001, rows: 2, models_in_all: 50_000 })
  expect(JSON.stringify(told).length).toBeLessThan(100_000)
  expect(toldDrops([{ ...drops[0]!, models: ['a', 'b'] }]).drops).toEqual([
    { table: 'labels', month: 200001, models: ['a', 'b'], rows: 2 },
  ])
  expect(toldDrops([{ ...drops[0]!, models: undefined }]).drops[0]!.models).toBe('all')
})
