/**
 * How often accuracy alarms when nothing has changed, and how soon when it has fallen, beside the
 * fixed default.
 */
import { levelTail } from '../lib/stats/window-tests/level-test.ts'
import { newcombe } from '../lib/stats/intervals/proportions.ts'
import { uniforms } from '../lib/stats/distributions/random.ts'
import { MIN_FALL, PERFORMANCE_FALL } from '../services/drift/evaluate/thresholds.ts'
import { accuracies, type AccuracyStream } from './streams.ts'

const SEED = 20260102
const REPETITIONS = 2000
const LATER = 4
/** Of weekly windows with the default budget: performance has a quarter of 5 %. */
const LEVEL = 0.0125
const FIXED_LEVEL = 0.99

interface Cell extends AccuracyStream {
  name: string
  windows: number
  size: number
}

const STREAMS: readonly (AccuracyStream & { name: string })[] = [
  { name: 'sampling alone', windowNoise: 0, correlation: 0 },
  { name: 'windows differ by 0.04', windowNoise: 0.04, correlation: 0 },
  { name: 'the same, half stays', windowNoise: 0.04, correlation: 0.5 },
]
const CELLS: readonly Cell[] = STREAMS.flatMap((stream) =>
  [
    { windows: 8, size: 200 },
    { windows: 16, size: 1000 },
  ].map((sizes) => ({ ...stream, ...sizes })),
)
const FALLS = [0, 0.1, 0.2]

function measured({ windows, size, ...stream }: Cell, fall: number, repetitions: number) {
  const uniform = uniforms(SEED)
  const count = { first: 0, withinFour: 0, fixedFirst: 0, fixedWithinFour: 0 }
  for (let r = 0; r < repetitions; r++) {
    const levels = accuracies(windows + LATER, size, stream, uniform, fall, windows)
    const reference = levels.slice(0, windows)
    const right = Math.round(reference.reduce((sum, level) => sum + size * level.value, 0))
    const hits = Array.from({ length: LATER }, (_, t) => ({
      ours:
        levelTail({
          reference,
          history: levels.slice(windows, windows + t + 1),
          leastEffect: MIN_FALL,
          worse: -1,
        }) <= LEVEL,
      fixed:
        newcombe(
          { successes: right, n: windows * size },
          { successes: Math.round(size * levels[windows + t]!.value), n: size },
          FIXED_LEVEL,
        ).low > PERFORMANCE_FALL,
    }))
    if (hits[0]!.ours) count.first++
    if (hits.some(({ ours }) => ours)) count.withinFour++
    if (hits[0]!.fixed) count.fixedFirst++
    if (hits.some(({ fixed }) => fixed)) count.fixedWithinFour++
  }
  return Object.values(count).map((n) => (n / repetitions).toFixed(3))
}

export function fallTable(scale: number): string[] {
  const table = [
    '| accuracy, 0.8 | reference windows | cases a window | fall | first window | within four | fixed default, first window | within four |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const cell of CELLS)
    for (const fall of FALLS) {
      const found = measured(cell, fall, Math.round(scale * REPETITIONS))
      const line = `| ${cell.name} | ${cell.windows} | ${cell.size} | ${fall === 0 ? 'none' : fall} | ${found.join(' | ')} |`
      table.push(line)
      console.log(line)
    }
  return table
}
