import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { wouldHaveAlarmed, type TestedWindow } from './would-have-alarmed.ts'

const DAY = 86_400_000
const model = parseModel('model_id: m\ntask: binary\nwindows: { size: 1d }\n')
/** One window a day, by the p of one metric each. */
const days = (ps: readonly number[], metric = 'psi', family = 'drift' as const): TestedWindow[] =>
  ps.map((p, i) => ({ start: i * DAY, end: (i + 1) * DAY, tested: [{ family, metric, p }] }))

test('a calmer budget has fewer alarms, and alarms with one calm window between are one episode', () => {
  // Daily, drift has 0.35 of the budget over 7: 0.0050, 0.0125, and at most 0.35 of 0.05.
  const past = days([0.0045, 0.5, 0.012, 0.5, 0.5, 0.017, 0.03])
  expect(wouldHaveAlarmed(past, model)).toEqual([
    { false_alarms_per_week: 0.1, windows: 1, episodes: 1 },
    { false_alarms_per_week: 0.25, windows: 2, episodes: 1 },
    { false_alarms_per_week: 1, windows: 3, episodes: 2 },
  ])
})

test('where there is a table, skew has a quarter of what drift has', () => {
  expect(wouldHaveAlarmed(days([0.003], 'skew'), model, [0.25])[0]!.windows).toBe(1)
  expect(wouldHaveAlarmed(days([0.004], 'skew'), model, [0.25])[0]!.windows).toBe(0)
  const both = [
    {
      ...days([0.012])[0]!,
      tested: [
        { family: 'drift' as const, metric: 'psi', p: 0.012 },
        { family: 'drift' as const, metric: 'skew', p: 1 },
      ],
    },
  ]
  expect(wouldHaveAlarmed(both, model, [0.25])[0]!.windows).toBe(0)
})

test('nothing was tested, nothing would have alarmed', () => {
  expect(wouldHaveAlarmed([], model).map(({ windows }) => windows)).toEqual([0, 0, 0])
})
