/**
 * How often production alarms against a table when it is like it, and how often when it is not:
 * once its own windows tell their noise, and before, when rows are taken as independent.
 */
import { uniforms } from '../../lib/stats/distributions/random.ts'
import type { BinnedSample } from '../../lib/stats/samples/binned-sample.ts'
import { ksInterval } from '../../lib/stats/distances/ks.ts'
import {
  distanceTail,
  INDEPENDENT,
  numericDesignEffects,
} from '../../lib/stats/window-tests/skew-test.ts'
import { numericReference } from '../../lib/stats/window-tests/window-reference.ts'
import { SMALLEST_SKEW } from '../../services/drift/evaluate/skew/skew.ts'
import { counted, feature, normals, type StreamKind } from '../streams.ts'

const SEED = 20260104
const STREAMS = 400
const TABLE_ROWS = 10_000
const WINDOWS = 8
const LATER = 4
/** Alpha of a daily window at the default budget: a tenth of 0.0357. */
const LEVEL = 0.0036

const KINDS: readonly StreamKind[] = ['independent', 'rows AR(1) 0.9', 'window noise', 'weekly']
const SIZES = [
  { features: 1, rows: 200 },
  { features: 1, rows: 1000 },
  { features: 10, rows: 200 },
  { features: 10, rows: 1000 },
] as const

interface Stream {
  kind: StreamKind
  features: number
  rows: number
  /** Shift of the first feature, in standard deviations, in every window. */
  shift: number
}

/** How many windows alarm with the noise of windows known, and with rows taken as independent. */
function alarmsOf(
  { kind, features, rows, shift }: Stream,
  tables: readonly BinnedSample[],
  uniform: () => number,
) {
  const columns = Array.from({ length: features }, (_, f) =>
    feature(kind, WINDOWS + LATER, rows, 0, uniform).map((window) =>
      counted(window.map((x) => x + (f === 0 ? shift : 0))),
    ),
  )
  const effects = numericDesignEffects(
    columns.map((windows) => numericReference(windows.slice(0, WINDOWS))),
  )
  const count = { known: 0, unknown: 0 }
  // Credit for a shift is given for the feature that moved alone.
  const asked = shift === 0 ? columns : columns.slice(0, 1)
  for (let w = WINDOWS; w < WINDOWS + LATER; w++) {
    const distances = asked.map((windows, f) => ksInterval(tables[f]!, windows[w]!).low)
    const isTold = (effectOf: (f: number) => typeof INDEPENDENT) =>
      distances.some(
        (d, f) =>
          d >= SMALLEST_SKEW && distanceTail(d, TABLE_ROWS, rows, effectOf(f)) * features <= LEVEL,
      )
    count.known += Number(isTold((f) => effects[f]!))
    count.unknown += Number(isTold(() => INDEPENDENT))
  }
  return count
}

function measured(stream: Stream, streams: number) {
  const uniform = uniforms(SEED)
  const normal = normals(uniform)
  const tablesOf = () =>
    Array.from({ length: stream.features }, () =>
      counted(Float64Array.from({ length: TABLE_ROWS }, normal)),
    )
  let tables = tablesOf()
  let [known, unknown] = [0, 0]
  for (let s = 0; s < streams; s++) {
    // Making tables costs more than all else: ten streams share theirs.
    if (s % 10 === 9) tables = tablesOf()
    const found = alarmsOf(stream, tables, uniform)
    known += found.known
    unknown += found.unknown
  }
  const windows = streams * LATER
  return { known: (known / windows).toFixed(3), unknown: (unknown / windows).toFixed(3) }
}

/** The rows of the table, the header first. */
export function skewTable(scale: number): string[] {
  const table = [
    '| stream | features | rows a window | windows | like the table: alarms | before the noise is known | 0.25 σ: found | 0.5 σ: found |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  const streams = Math.round(scale * STREAMS)
  for (const kind of KINDS)
    for (const { features, rows } of SIZES) {
      const null_ = measured({ kind, features, rows, shift: 0 }, streams)
      const quarter = measured({ kind, features, rows, shift: 0.25 }, Math.ceil(streams / 4))
      const half = measured({ kind, features, rows, shift: 0.5 }, Math.ceil(streams / 4))
      const line = `| ${kind} | ${features} | ${rows} | ${streams * LATER} | ${null_.known} | ${null_.unknown} | ${quarter.known} | ${half.known} |`
      table.push(line)
      console.log(line)
    }
  return table
}
