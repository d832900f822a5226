/** Features of very many categories: drawn alike they are calm, and what has changed is seen. */
import type { ReferenceData } from '../data/reference.ts'
import { expect, test } from 'vitest'
import { drawnUsers, keptCategories, uniform } from '../../../test/planted/category-sketch.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateDrift } from './drift.ts'
import { withShiftVerdicts } from './drift-alarms.ts'
import { referenceWindows } from './reference-series.ts'
import type { WindowCounts } from '../data/window-data.ts'

/** Pairs of spans that are compared, each with its neighbours. */
const PAIRS = 2

type Pick = (u: number) => number
const evenly =
  (users: number): Pick =>
  (u) =>
    Math.floor(u * users)
/** As names, towns and users are: the k-th has a share of about 1/k. */
const unevenly =
  (users: number): Pick =>
  (u) =>
    Math.floor(Math.exp(u * Math.log(users)))

const windowOf = (n: number, seed: number, pick: Pick) =>
  ofUsers(drawnUsers(n, uniform(seed), pick))

function ofUsers(users: ReadonlyMap<string, number>): WindowCounts {
  return {
    events: users.values().reduce((sum, n) => sum + n, 0),
    errors: 0,
    duplicates: 0,
    numeric: new Map(),
    categories: new Map([['user', keptCategories(users)]]),
  }
}
const referenceOf = (counts: WindowCounts): ReferenceData => ({
  name: 'first',
  baseline: true,
  spans: [],
  counts,
  outcomes: undefined,
})

function resultsOf(reference: WindowCounts, current: WindowCounts) {
  const results = evaluateDrift(current, referenceOf(reference), 200)
  const of = (metric: string) =>
    results.find((f) => f.metric === metric && f.convention === 'plumbline')!
  return { results, psi: of('psi'), fresh: of('new_category_ratio'), of }
}

test.each([
  { users: 15_000, n: 40_000, m: 40_000 },
  { users: 50_000, n: 40_000, m: 40_000 },
  { users: 50_000, n: 120_000, m: 30_000 },
  { users: 15_000, n: 4_000, m: 40_000 },
  { users: 9_000, n: 40_000, m: 40_000 },
])('$users users drawn alike, $n and $m times: no warning, nothing exact', ({ users, n, m }) => {
  for (const pick of [evenly(users), unevenly(users)]) {
    const drawn = Array.from({ length: 2 * PAIRS }, (_, i) =>
      drawnUsers(i % 2 === 0 ? n : m, uniform(i), pick),
    )
    const kept = drawn.map(ofUsers)
    for (let i = 0; i < drawn.length - 1; i++) {
      const [reference, current] = [drawn[i]!, drawn[i + 1]!]
      const { results, psi, fresh } = resultsOf(kept[i]!, kept[i + 1]!)
      expect(psi, `pair ${i}`).toMatchObject({ verdict: 'ok', precision: 'bounded' })
      expect(results.filter(({ verdict }) => verdict === 'alarm' || verdict === 'warning')).toEqual(
        [],
      )
      // As many new ones as there are.
      let unknown = 0
      for (const [name, count] of current) if (!reference.has(name)) unknown += count
      const share = unknown / kept[i + 1]!.events
      expect(fresh.bound_low ?? fresh.value).toBeLessThanOrEqual(share + 1e-9)
      expect(fresh.bound_high ?? fresh.value).toBeGreaterThanOrEqual(share - 1e-9)
      expect(Math.abs(fresh.value! - share)).toBeLessThan(0.03)
    }
  }
})

const N = 40_000
const calm = windowOf(N, 1, evenly(50_000))
test.each<{ name: string; verdict: string; pick: Pick }>([
  { name: 'all users are others', verdict: 'alarm', pick: (u) => 50_000 + Math.floor(u * 50_000) },
  { name: 'a third of them are others', verdict: 'warning', pick: (u) => Math.floor(u * 75_000) },
  {
    name: 'one is half of all',
    verdict: 'alarm',
    pick: (u) => (u < 0.5 ? 7 : Math.floor(u * 50_000)),
  },
])('$name: $verdict', ({ verdict, pick }) => {
  const { psi } = resultsOf(calm, windowOf(N, 2, pick))
  expect(psi.verdict, `psi ${psi.value}`).toBe(verdict)
})

test('distances of groups lie below those of the categories, and the widest one is held', () => {
  const pick: Pick = (u) => (u < 0.2 ? 7 : Math.floor(u * 50_000))
  const { of } = resultsOf(calm, windowOf(N, 2, pick))
  const [a, b] = [drawnUsers(N, uniform(1), evenly(50_000)), drawnUsers(N, uniform(2), pick)]
  const differences = [...new Set([...a.keys(), ...b.keys()])].map((name) =>
    Math.abs((a.get(name) ?? 0) - (b.get(name) ?? 0)),
  )
  const tv = differences.reduce((sum, x) => sum + x, 0) / N / 2
  const widest = differences.reduce((most, x) => Math.max(most, x), 0) / N
  expect(of('tv')).toMatchObject({ precision: 'bounded', bound_high: 1 })
  expect(of('tv').value).toBeLessThanOrEqual(tv)
  expect(of('l_infinity').bound_low).toBeLessThanOrEqual(widest + 1e-9)
  expect(of('l_infinity').bound_high).toBeGreaterThanOrEqual(widest - 1e-9)
  expect(of('l_infinity').value).toBeGreaterThan(0.1)
})

const model = parseModel('{ model_id: m, task: binary, windows: { size: 1h, min_count: 200 } }')
const HOUR = 3_600_000
const WINDOWS = 8

/** The verdict of a window beside a reference of eight. */
function evaluated(pick: Pick, seed: number, size: number, later = pick) {
  const all = Array.from({ length: WINDOWS }, (_, w) => windowOf(size, 100 * seed + w, pick))
  const spans = all.map((_, w) => ({ start: w * HOUR, end: (w + 1) * HOUR }))
  const reference = {
    ...referenceOf(windowOf(WINDOWS * size, 100 * seed + 50, pick)),
    windows: referenceWindows(spans, all, model),
  }
  const current = windowOf(size, 100 * seed + 99, later)
  const results = evaluateDrift(current, reference, 200)
  const window = { start: 20 * HOUR, end: 21 * HOUR }
  return withShiftVerdicts(results, current, window, reference, {
    windowAlpha: 0.0125,
    past: [],
    cohorts: 1,
  }).find(({ metric }) => metric === 'psi')!
}

test.each([
  { users: 50_000, size: 5_000 },
  { users: 50_000, size: 30_000 },
  { users: 15_000, size: 30_000 },
])('$users users, eight windows of $size: no alarm by chance', ({ users, size }) => {
  for (let seed = 1; seed <= 2; seed++)
    for (const pick of [evenly(users), unevenly(users)]) {
      const psi = evaluated(pick, seed, size)
      expect(psi.verdict, `seed ${seed}: ${psi.reason}, p ${psi.p_value}`).toBe('ok')
    }
})

test('new users beside the noise of eight windows: an alarm that names them', () => {
  const psi = evaluated(evenly(50_000), 1, 30_000, (u) => Math.floor(u * 80_000))
  expect(psi.verdict).toBe('alarm')
  expect(psi.reason).toContain('new categories')
})
