/**
 * How often weekly windows alarm while their noise is told by the days of four weeks: when nothing
 * has changed, and when something has.
 */
import { parseModel } from '../../lib/models/model-files.ts'
import { uniforms } from '../../lib/stats/distributions/random.ts'
import { mergedSample, type BinnedSample } from '../../lib/stats/samples/binned-sample.ts'
import { metricResult } from '../../services/drift/data/metric-results.ts'
import type { WindowCounts } from '../../services/drift/data/window-data.ts'
import { withShiftVerdicts } from '../../services/drift/evaluate/drift-alarms.ts'
import { referenceWindows } from '../../services/drift/evaluate/reference-series.ts'
import { clusteredInterval, shareOf } from './intervals.ts'
import { counted, feature, type StreamKind } from '../streams.ts'

const SEED = 20260107
const DAY_MS = 86_400_000
const DAYS = 7
/** Weeks that are cut into days, and those that are then tested. */
const LEARNED = 4
const TESTED = 4
/** What drift has of a weekly window at the default budget: 0.35 of 0.05. */
export const WEEKLY_LEVEL = 0.35 * 0.05
const MODEL = parseModel('{ model_id: m, task: binary, windows: { size: 7d, min_count: 1 } }')

/** A stream of days; each of `rows` values. */
export interface WeeklyStream {
  kind: StreamKind
  features: number
  rows: number
  /** Shift of the first feature in the tested weeks, in standard deviations. */
  shift: number
}

const countsOf = (samples: readonly BinnedSample[], rows: number): WindowCounts => ({
  events: rows,
  errors: 0,
  duplicates: 0,
  numeric: new Map(samples.map((sample, f) => [`f${f}`, sample])),
  categories: new Map(),
})

/** The least p of each tested week, corrected for its features; of a shift that of the feature. */
export function testedWeeks(
  { kind, features, rows, shift }: WeeklyStream,
  uniform: () => number,
): number[] {
  const firstDay = Math.floor(DAYS * uniform())
  const learned = DAYS * LEARNED
  const columns = Array.from({ length: features }, (_, f) =>
    feature(kind, learned + DAYS * TESTED, rows, firstDay, uniform).map((day, d) =>
      counted(f === 0 && d >= learned ? day.map((x) => x + shift) : day),
    ),
  )
  const days = Array.from({ length: learned }, (_, d) => ({
    start: d * DAY_MS,
    end: (d + 1) * DAY_MS,
  }))
  const dayCounts = days.map((_, d) =>
    countsOf(
      columns.map((own) => own[d]!),
      rows,
    ),
  )
  const spans = [{ start: 0, end: learned * DAY_MS }]
  const reference = {
    name: 'first',
    baseline: true,
    spans,
    counts: countsOf(
      columns.map((own) => mergedSample(own.slice(0, learned))),
      learned * rows,
    ),
    outcomes: undefined,
    shorter: { size: '1d', windows: referenceWindows(days, dayCounts, MODEL)! },
  }
  return Array.from({ length: TESTED }, (_, w) => {
    const from = learned + w * DAYS
    const counts = countsOf(
      columns.map((own) => mergedSample(own.slice(from, from + DAYS))),
      DAYS * rows,
    )
    // Which metrics a feature has says only that it is numeric, and where its verdict stands.
    const results = [...counts.numeric.keys()].flatMap((name) => [
      metricResult('drift', name, 'ks', 0),
      metricResult('drift', name, 'psi', 0, { verdict: 'ok' }),
    ])
    const window = { start: from * DAY_MS, end: (from + DAYS) * DAY_MS }
    const verdicts = withShiftVerdicts(results, counts, window, reference, {
      windowAlpha: 0.05,
      past: [],
      cohorts: 1,
    })
    const asked = verdicts.filter(
      ({ metric, subject }) => metric === 'psi' && (shift === 0 || subject === 'f0'),
    )
    return Math.min(...asked.map(({ p_adjusted }) => p_adjusted!))
  })
}

const CELLS = (
  ['independent', 'rows AR(1) 0.9', 'window noise', 'weekly', 'wandering windows'] as const
).flatMap((kind) => [
  { kind, features: 1, rows: 200 },
  { kind, features: 10, rows: 100 },
])
const STREAMS = 250
const POWER_STREAMS = 100
const SHIFTS = [0.25, 0.5]

/** The rows of the table, the header first. */
export function shorterTable(scale: number): string[] {
  const table = [
    '| stream of days | features | rows a day | weeks | alarms | 95 % interval | 0.25 σ: found in the first week | 0.5 σ: found in the first week |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const cell of CELLS) {
    const uniform = uniforms(SEED)
    const streams = Math.round(scale * STREAMS)
    const alarms = Array.from({ length: streams }, () =>
      testedWeeks({ ...cell, shift: 0 }, uniform).filter((p) => p <= WEEKLY_LEVEL),
    ).map(({ length }) => length)
    const weeks = streams * TESTED
    const share = alarms.reduce((sum, n) => sum + n, 0) / weeks
    const powers = SHIFTS.map((shift) => {
      const tried = Math.round(scale * POWER_STREAMS)
      const hits = Array.from({ length: tried }, () => testedWeeks({ ...cell, shift }, uniform)[0]!)
      return shareOf(hits.filter((p) => p <= WEEKLY_LEVEL).length, tried)
    })
    const line = `| ${cell.kind} | ${cell.features} | ${cell.rows} | ${weeks} | ${share.toFixed(3)} | ${clusteredInterval(alarms, TESTED)} | ${powers.join(' | ')} |`
    table.push(line)
    console.log(line)
  }
  return table
}
