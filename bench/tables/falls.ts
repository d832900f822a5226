/**
 * How soon accuracy alarms when it has fallen, and how often when it has not, beside what NannyML
 * and Evidently do by default on the same streams.
 */
import type { Level } from '../../lib/stats/window-tests/level-test.ts'
import { uniforms } from '../../lib/stats/distributions/random.ts'
import { accuracyAlarms } from './accuracy-alarms.ts'
import { clusteredInterval, shareOf } from './intervals.ts'
import { accuracies, type AccuracyStream } from '../streams.ts'

const SEED = 20260102
const LATER = 8
/**
 * Alpha of a daily window at the default budget: performance has a quarter of 0.25 in 7 windows.
 */
const ALPHA = 0.25 / 7 / 4

interface Cell extends AccuracyStream {
  name: string
  windows: number
  size: number
  /** Interim looks: at half of the labels too, or at all of them alone. */
  looks: 1 | 2
  falls: readonly number[]
}

const SAMPLING = { name: 'sampling alone', windowNoise: 0, correlation: 0 }
const SLIGHT = { name: 'windows differ by 0.02', windowNoise: 0.02, correlation: 0 }
const LARGE = { name: 'windows differ by 0.04', windowNoise: 0.04, correlation: 0 }
const LASTING = { name: 'by 0.04, half stays', windowNoise: 0.04, correlation: 0.5 }
const FALLS = [0, 0.02, 0.05, 0.07]

const CELLS: readonly Cell[] = [
  ...[100, 320, 1000, 5000].map((size) => ({ ...SAMPLING, windows: 8, size })),
  ...[320, 1000].map((size) => ({ ...SAMPLING, windows: 16, size })),
  ...[SLIGHT, LARGE, LASTING].flatMap((stream) =>
    [100, 320, 1000].map((size) => ({ ...stream, windows: 8, size })),
  ),
]
  .map((cell): Cell => ({ ...cell, looks: 1, falls: FALLS }))
  .concat([320, 1000].map((size) => ({ ...SAMPLING, windows: 8, size, looks: 2, falls: FALLS })))

/** Whether each window alarms, by us, by NannyML and by Evidently. */
type Hits = Record<'ours' | 'nannyml' | 'evidently', boolean[]>

function alarmsOf(levels: readonly Level[], halves: readonly Level[], cell: Cell): Hits {
  const reference = levels.slice(0, cell.windows)
  const later = levels.slice(cell.windows)
  const [lower, upper] = nannymlThresholds(reference)
  const mean = meanOf(reference)
  return {
    ours: later.map((now, t) => {
      const before = later.slice(0, t)
      const looks = cell.looks === 1 ? [now] : [halves[cell.windows + t]!, now]
      return looks.some((look) => accuracyAlarms(reference, [...before, look], ALPHA / cell.looks))
    }),
    nannyml: later.map(({ value }) => value < lower || value > upper),
    evidently: later.map(({ value }) => Math.abs(value - mean) > EVIDENTLY_RELATIVE * mean),
  }
}

const meanOf = (levels: readonly Level[]) =>
  levels.reduce((sum, { value }) => sum + value, 0) / levels.length

/**
 * What a realised metric is held against by default: the mean of the reference's chunks and three of
 * their standard deviations either way, cut to [0, 1].
 *
 * @see NannyML 0.13, `StandardDeviationThreshold` and `PerformanceCalculator`
 */
function nannymlThresholds(reference: readonly Level[]): [lower: number, upper: number] {
  const mean = meanOf(reference)
  const variance = meanOf(reference.map((own) => ({ ...own, value: (own.value - mean) ** 2 })))
  const spread = 3 * Math.sqrt(variance)
  return [mean - spread, mean + spread > 1 ? Infinity : mean + spread]
}

/**
 * The default test of a metric of classification: within a fifth of the reference's.
 *
 * @see Evidently 0.7, `ClassificationQuality`: `eq(Reference(relative=0.2))`
 */
const EVIDENTLY_RELATIVE = 0.2

function measured(cell: Cell, fall: number, streams: number): string[] {
  const uniform = uniforms(SEED)
  const { windows, size } = cell
  const found = Array.from({ length: streams }, () => {
    const levels = accuracies(windows + LATER, size, cell, uniform, fall, windows)
    // Half of the labels have come at the first look.
    const halves = cell.looks === 1 ? levels : levels.map((level) => halfOf(level, uniform))
    return alarmsOf(levels, halves, cell)
  })
  const within = (who: keyof Hits, some: number) =>
    shareOf(found.filter((hits) => hits[who].slice(0, some).some(Boolean)).length, streams)
  const rate = (counts: readonly number[]) =>
    `${(counts.reduce((sum, n) => sum + n, 0) / (streams * LATER)).toFixed(4)} ${clusteredInterval(counts, LATER)}`
  return [
    ...(fall === 0
      ? [
          rate(found.map(({ ours }) => ours.filter(Boolean).length)),
          rate(found.map(({ ours }) => episodesOf(ours))),
        ]
      : ['', '']),
    ...[1, 3, 4, 8].map((some) => within('ours', some)),
    ...[1, 8].map((some) => within('nannyml', some)),
    ...[1, 8].map((some) => within('evidently', some)),
  ]
}

/** Alarms in windows that follow one another are one, until two are calm. */
const episodesOf = (alarms: readonly boolean[]) =>
  alarms.filter((alarm, t) => alarm && !alarms[t - 1] && !alarms[t - 2]).length

/** Half of the cases of a window, drawn without replacement. */
function halfOf(level: Level, uniform: () => number): Level {
  let [left, right, chosen] = [level.size, Math.round(level.value * level.size), 0]
  const size = Math.floor(level.size / 2)
  for (let i = 0; i < size; i++) {
    if (uniform() < right / left) {
      right--
      chosen++
    }
    left--
  }
  const value = chosen / size
  return { ...level, value, size, standardError: Math.sqrt((value * (1 - value)) / size) }
}

const STREAMS = 400
/** A rate near 0.01 takes more. */
const NULL_STREAMS = 1000

/** The rows of the table, the header first. */
export function fallTable(scale: number): string[] {
  const table = [
    '| accuracy, 0.8 | reference windows | cases a window | looks | fall | streams | windows in alarm | episodes a window | first window | within three | within four | within eight | NannyML, first | within eight | Evidently, first | within eight |',
    `|${' --- |'.repeat(16)}`,
  ]
  for (const cell of CELLS)
    for (const fall of cell.falls) {
      const streams = Math.round(scale * (fall === 0 ? NULL_STREAMS : STREAMS))
      const found = measured(cell, fall, streams)
      const line = `| ${cell.name} | ${cell.windows} | ${cell.size} | ${cell.looks} | ${fall === 0 ? 'none' : fall} | ${streams} | ${found.join(' | ')} |`
      table.push(line)
      console.log(line)
    }
  return table
}
