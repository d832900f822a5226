/** Features of more categories than are kept by name, from the events to the verdict. */
import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { ALL } from '../../../services/drift/data/cohort.ts'
import { drawnUsers, keptCategories, uniform } from '../../planted/category-sketch.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000
const USERS = 15_000
const EVENTS = 40_000

/** Two hours of users drawn alike, as their counts. */
async function stored() {
  const on = await pipeline()
  const hours = [1, 2].map((seed) =>
    drawnUsers(EVENTS, uniform(seed), (u) => Math.floor(u * USERS)),
  )
  for (const [hour, users] of hours.entries()) {
    const step = (START + hour * HOUR) / 1000
    const of = { model_id: 'm', step, model_version: '1', variant: '', shadow: false }
    await on.db.insertRows('event_counts', [{ ...of, events: EVENTS }])
    await on.db.insertRows(
      'category_counts',
      [...users].map(([category, count]) => ({ ...of, subject: 'user', category, count })),
    )
  }
  return { on, hours }
}

test('spans keep what they have in common, and users drawn alike are calm', async () => {
  const { on, hours } = await stored()
  const queries = driftQueries(on.db)
  const spans = hours.map((_, h) => ({ start: START + h * HOUR, end: START + (h + 1) * HOUR }))
  const bySpan = await queries.countsBySpan('m', spans, ALL)
  for (const [h, users] of hours.entries()) {
    const counts = await queries.counts('m', [spans[h]!], ALL)
    const expected = keptCategories(users)
    for (const own of [counts.categories.get('user')!, bySpan[h]!.categories.get('user')!]) {
      expect(new Map(own)).toEqual(new Map(expected))
      expect(own.cut).toEqual(expected.cut)
    }
  }
  const evaluate = evaluateOn(on.connect('drift'), { now: () => START + 50 * HOUR })
  await evaluate(
    parseModel(`{ model_id: m, task: binary, windows: { size: 1h, lateness: 1m },
      references: { first: { kind: first, windows: 1, baseline: true } } }`),
  )
  const results = await on.db.query<Record<string, unknown>>(
    `SELECT metric, precision, verdict, value, reason FROM window_metrics_latest WHERE subject = 'user' AND convention = 'plumbline'
     AND window_start = '2026-01-01 01:00:00'`,
  )
  const of = (metric: string) => results.find((one) => one['metric'] === metric)
  expect(of('psi')).toMatchObject({
    precision: 'bounded',
    verdict: 'ok',
    reason: expect.stringMatching(/^1\d{4} categories: 0 by name, the rest in 256 groups by hash/),
  })
  const [reference, current] = hours as [Map<string, number>, Map<string, number>]
  let fresh = 0
  for (const [name, n] of current) if (!reference.has(name)) fresh += n / EVENTS
  expect(of('new_category_ratio')).toMatchObject({ precision: 'bounded' })
  expect(Math.abs((of('new_category_ratio')!['value'] as number) - fresh)).toBeLessThan(0.02)
  expect(of('new_category_ratio')!['reason']).toContain('estimated from the categories')
})
