import { expect, test } from 'vitest'
import { testedWeeks, WEEKLY_LEVEL } from '../../../bench/tables/shorter.ts'
import type { StreamKind } from '../../../bench/streams.ts'
import { uniforms } from '../../../lib/stats/distributions/random.ts'

/** Shares of weeks that alarm; `npm run alarms -- --only shorter` has the table. */
const alarms = (kind: StreamKind, shift: number, streams: number) => {
  const uniform = uniforms(3)
  const weeks = Array.from({ length: streams }, () =>
    testedWeeks({ kind, features: 2, rows: 40, shift }, uniform),
  ).flat()
  return weeks.filter((p) => p <= WEEKLY_LEVEL).length / weeks.length
}

test.each<StreamKind>(['independent', 'window noise', 'weekly', 'wandering windows'])(
  'weeks tested by the noise between days do not alarm where nothing has changed: %s',
  (kind) => {
    const streams = 12
    const most = WEEKLY_LEVEL + 3 * Math.sqrt((WEEKLY_LEVEL * (1 - WEEKLY_LEVEL)) / (4 * streams))
    expect(alarms(kind, 0, streams)).toBeLessThan(most)
  },
)

test('a week that moved by a standard deviation alarms', () => {
  expect(alarms('independent', 1, 3)).toBe(1)
})
