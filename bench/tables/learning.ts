/**
 * How often the performance of a new version alarms while its baseline is learned, beside the
 * windows before it, and beside what it has learned so far by the fixed default.
 */
import { uniforms } from '../../lib/stats/distributions/random.ts'
import { newcombe } from '../../lib/stats/intervals/proportions.ts'
import type { Level } from '../../lib/stats/window-tests/level-test.ts'
import { PERFORMANCE_FALL } from '../../services/drift/evaluate/thresholds.ts'
import { MIN_WINDOWS } from '../../services/drift/data/reference.ts'
import { accuracyAlarms } from './accuracy-alarms.ts'
import { accuracies, type AccuracyStream } from '../streams.ts'

const SEED = 20260103
const REPETITIONS = 2000
/** Alpha of a weekly window at the default budget: performance has a quarter of 5 %. */
const LEVEL = 0.0125
const FIXED_LEVEL = 0.99
const SIZE = 300

const STREAMS: readonly (AccuracyStream & { name: string })[] = [
  { name: 'sampling alone', windowNoise: 0, correlation: 0 },
  { name: 'windows differ by 0.04', windowNoise: 0.04, correlation: 0 },
  { name: 'the same, half stays', windowNoise: 0.04, correlation: 0.5 },
]

function measured(stream: AccuracyStream, fall: number, repetitions: number) {
  const uniform = uniforms(SEED)
  const count = { windows: 0, versions: 0, fixedWindows: 0, fixedVersions: 0 }
  for (let r = 0; r < repetitions; r++) {
    const levels = accuracies(2 * MIN_WINDOWS, SIZE, stream, uniform, fall, MIN_WINDOWS)
    const [before, own] = [levels.slice(0, MIN_WINDOWS), levels.slice(MIN_WINDOWS)]
    const ours = own.filter((_, t) => alarms(before, own.slice(0, t + 1))).length
    const fixed = own.filter((now, t) => alarmsByLine(own.slice(0, t), now)).length
    count.windows += ours
    count.versions += Number(ours > 0)
    count.fixedWindows += fixed
    count.fixedVersions += Number(fixed > 0)
  }
  const { windows, versions, fixedWindows, fixedVersions } = count
  return [
    windows / (repetitions * MIN_WINDOWS),
    versions / repetitions,
    fixedWindows / (repetitions * MIN_WINDOWS),
    fixedVersions / repetitions,
  ].map((share) => share.toFixed(3))
}

const alarms = (reference: readonly Level[], history: readonly Level[]) =>
  accuracyAlarms(reference, history, LEVEL)

/** What a plain reference of the version's own windows would do until it has 8 of them. */
function alarmsByLine(learned: readonly Level[], { value }: Level): boolean {
  if (learned.length === 0) return false
  const right = Math.round(learned.reduce((sum, level) => sum + SIZE * level.value, 0))
  return (
    newcombe(
      { successes: right, n: learned.length * SIZE },
      { successes: Math.round(SIZE * value), n: SIZE },
      FIXED_LEVEL,
    ).low > PERFORMANCE_FALL
  )
}

/** The rows of the table, the header first. */
export function learningTable(scale: number): string[] {
  const table = [
    '| accuracy, 0.8 before | new version | windows in alarm | versions with an alarm | fixed default beside what was learned: windows | versions |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  for (const { name, ...stream } of STREAMS)
    for (const fall of [0, 0.1, 0.2]) {
      const found = measured(stream, fall, Math.round(scale * REPETITIONS))
      const line = `| ${name} | ${fall === 0 ? 'as good' : `worse by ${fall}`} | ${found.join(' | ')} |`
      table.push(line)
      console.log(line)
    }
  return table
}
