/**
 * `npm run alarms [-- --scale 1 --only falls --write]`: how often windows alarm when nothing has
 * changed, and how soon when something has, beside what Evidently does by default on the same
 * streams; then the same of falls of accuracy (`falls.ts`). `--write` puts the tables into
 * `docs/alarms.md`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { BinnedSample } from '../lib/stats/samples/binned-sample.ts'
import { evidentlyCategorical, evidentlyNumeric } from '../services/drift/interop/evidently.ts'
import {
  numericShifts,
  shareShifts,
  type NumericSubject,
} from '../lib/stats/window-tests/shift-test.ts'
import type { Season } from '../lib/stats/window-tests/window-noise.ts'
import {
  numericContrast,
  numericReference,
  type NumericReference,
} from '../lib/stats/window-tests/window-reference.ts'
import { fallTable } from './tables/falls.ts'
import { clusteredInterval, shareOf } from './tables/intervals.ts'
import { lastingTable } from './tables/lasting.ts'
import { learningTable } from './tables/learning.ts'
import { searchTable } from './tables/searches.ts'
import { shorterTable } from './tables/shorter.ts'
import { skewTable } from './tables/skew.ts'
import { counted, feature, type StreamKind } from './streams.ts'
import { uniforms } from '../lib/stats/distributions/random.ts'

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const scale = Number(values.scale)
const SEED = 20260101
const LATER = 14
/** Windows a day with the default budget of 0.25 a week, drift's share of it; and the cap. */
const LEVELS = [0.006, 0.05] as const

/**
 * The p of every later window, features in the columns: each window is evaluated when it closes,
 * with those before it as its past.
 */
function evaluated(
  references: readonly NumericReference[],
  later: readonly BinnedSample[][],
  season: { season: Season; first: number } | undefined,
): number[][] {
  const histories: NumericSubject['history'][] = references.map(() => [])
  return Array.from({ length: later[0]!.length }, (_, t) => {
    const subjects = references.map((known, f): NumericSubject => {
      const { reference, shape, logPsi, size } = numericContrast(known, later[f]![t]!)
      const phase = season ? (season.first + t) % season.season.length : 0
      histories[f] = [...histories[f]!, { shape, size, phase }]
      return { reference, history: histories[f], logPsi }
    })
    return numericShifts(subjects, season?.season).map(({ p }) => p)
  })
}

const count = (hits: readonly boolean[]) => hits.filter(Boolean).length
const share = (hits: readonly boolean[]) => count(hits) / Math.max(1, hits.length)

interface Cell {
  kind: StreamKind
  declared?: boolean
  features: number
  windows: number
  rows: number
}

function nulls(cell: Cell, repetitions: number) {
  const uniform = uniforms(SEED)
  const alarms = LEVELS.map(() => [] as boolean[])
  /** Windows in alarm at the first level, by stream: windows of one share a reference. */
  const ofStreams: number[] = []
  const evidentlyAny: boolean[] = []
  const evidentlyDataset: boolean[] = []
  for (let r = 0; r < repetitions; r++) {
    const firstDay = Math.floor(7 * uniform())
    const columns = Array.from({ length: cell.features }, () =>
      feature(cell.kind, cell.windows + LATER, cell.rows, firstDay, uniform),
    )
    const later = columns.map((windows) =>
      windows.slice(cell.windows).map((window) => counted(window)),
    )
    const p = evaluated(referencesOf(columns, cell.windows), later, seasonOf(cell, firstDay))
    const hits = p.map((window) => Math.min(...window) * cell.features)
    for (const least of hits) LEVELS.forEach((level, i) => alarms[i]!.push(least <= level))
    ofStreams.push(hits.filter((least) => least <= LEVELS[0]).length)
    if (r >= MAX_EVIDENTLY) continue
    const references = columns.map((windows) => joined(windows.slice(0, cell.windows)))
    for (let t = cell.windows; t < cell.windows + 7; t++) {
      const drifted = columns.map(
        (windows, f) => evidentlyNumeric(references[f]!, windows[t]!.slice().sort()).drifted,
      )
      evidentlyAny.push(drifted.some(Boolean))
      evidentlyDataset.push(share(drifted) >= 0.5)
    }
  }
  return {
    ...cell,
    streams: repetitions,
    evaluated: alarms[0]!.length,
    alarms: alarms.map(share),
    interval: clusteredInterval(ofStreams, LATER),
    evidentlyAny: share(evidentlyAny),
    evidentlyDataset: share(evidentlyDataset),
  }
}

/** Streams that Evidently's rule is run on: its rates are far from ours. */
const MAX_EVIDENTLY = 10

type Change = 'shift 0.25 σ' | 'shift 0.5 σ' | 'spike of 10 %' | 'new category of 3 %'

function power(cell: Cell, change: Change, repetitions: number) {
  const uniform = uniforms(SEED + 1)
  const first: boolean[] = []
  const withinFour: boolean[] = []
  const evidently: boolean[] = []
  const level = LEVELS[0]
  for (let r = 0; r < repetitions; r++) {
    const columns = Array.from({ length: cell.features }, () =>
      feature(cell.kind, cell.windows + 4, cell.rows, 0, uniform),
    )
    const touched = columns[0]!.slice(cell.windows)
    if (change === 'new category of 3 %') {
      const found = categories(columns, cell, uniform)
      first.push(found.ours[0]!)
      withinFour.push(found.ours.some(Boolean))
      evidently.push(found.theirs)
      continue
    }
    for (const window of touched)
      window.forEach((x, i) => {
        if (change === 'spike of 10 %') window[i] = uniform() < 0.1 ? 0.02 : x
        else window[i] = x + (change === 'shift 0.5 σ' ? 0.5 : 0.25)
      })
    const later = columns.map((windows) =>
      windows.slice(cell.windows).map((window) => counted(window)),
    )
    const hits = evaluated(referencesOf(columns, cell.windows), later, undefined).map(
      (p) => p[0]! * cell.features <= level,
    )
    first.push(hits[0]!)
    withinFour.push(hits.some(Boolean))
    evidently.push(
      evidentlyNumeric(joined(columns[0]!.slice(0, cell.windows)), touched[0]!.slice().sort())
        .drifted,
    )
  }
  return {
    ...cell,
    change,
    found: [first, withinFour, evidently].map((hits) => shareOf(count(hits), hits.length)),
  }
}

/**
 * Three categories by thirds of the normal distribution; in the later windows a fourth one takes
 * 3 % of the first feature.
 */
function categories(columns: readonly Float64Array[][], cell: Cell, uniform: () => number) {
  const names = ['a', 'b', 'c', 'new'] as const
  const counted = columns.map((windows, f) =>
    windows.map((window, w) => {
      const counts = new Map<string, number>()
      for (const x of window) {
        const fresh = f === 0 && w >= cell.windows && uniform() < 0.03
        const name = fresh ? 'new' : x < -0.43 ? 'a' : x < 0.43 ? 'b' : 'c'
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
      return counts
    }),
  )
  const ours = Array.from({ length: 4 }, (_, t) => {
    const subjects = counted.flatMap((windows) =>
      names.map((name) => {
        const at = (w: number) => ({ count: windows[w]!.get(name) ?? 0, size: cell.rows })
        return {
          reference: Array.from({ length: cell.windows }, (__, w) => at(w)),
          history: [{ ...at(cell.windows + t), phase: 0 }],
        }
      }),
    )
    const p = shareShifts(subjects)
    return Math.min(...p.slice(0, names.length)) * names.length * cell.features <= LEVELS[0]
  })
  const whole = new Map<string, number>()
  for (const counts of counted[0]!.slice(0, cell.windows))
    for (const [name, n] of counts) whole.set(name, (whole.get(name) ?? 0) + n)
  return { ours, theirs: evidentlyCategorical(whole, counted[0]![cell.windows]!).drifted }
}

const joined = (windows: readonly Float64Array[]) =>
  Float64Array.from(windows.flatMap((window) => [...window])).sort()

const referencesOf = (columns: readonly Float64Array[][], windows: number) =>
  columns.map((all) => numericReference(all.slice(0, windows).map((window) => counted(window))))

function seasonOf({ declared, windows }: Cell, firstDay: number) {
  if (!declared) return undefined
  const phases = Array.from({ length: windows }, (_, w) => (firstDay + w) % 7)
  return { season: { length: 7, phases }, first: firstDay + windows }
}

const NULLS: Cell[] = [
  ...(
    ['independent', 'rows AR(1) 0.9', 'window noise', 'weekly', 'wandering windows'] as const
  ).flatMap((kind): Cell[] => [
    { kind, features: 1, windows: 8, rows: 50 },
    { kind, features: 1, windows: 20, rows: 1000 },
    { kind, features: 10, windows: 8, rows: 200 },
    { kind, features: 10, windows: 12, rows: 1000 },
    { kind, features: 10, windows: 20, rows: 50 },
    { kind, features: 10, windows: 8, rows: 5000 },
    { kind, features: 100, windows: 8, rows: 50 },
    { kind, features: 100, windows: 20, rows: 200 },
  ]),
  ...[
    { features: 1, windows: 20, rows: 200 },
    { features: 10, windows: 14, rows: 200 },
    { features: 10, windows: 20, rows: 1000 },
    { features: 100, windows: 20, rows: 50 },
  ].map((cell): Cell => ({ kind: 'weekly', declared: true, ...cell })),
]
const POWERS: Cell[] = [
  { kind: 'independent', features: 1, windows: 8, rows: 50 },
  { kind: 'independent', features: 10, windows: 8, rows: 200 },
  { kind: 'independent', features: 10, windows: 12, rows: 1000 },
  { kind: 'independent', features: 100, windows: 20, rows: 200 },
  { kind: 'rows AR(1) 0.9', features: 10, windows: 20, rows: 1000 },
  { kind: 'window noise', features: 10, windows: 12, rows: 1000 },
]

/** About as much work per cell. */
const repetitionsOf = ({ features, windows, rows }: Cell) =>
  Math.round(scale * Math.max(MIN_STREAMS, 3e6 / (features * (windows + LATER) * (rows + 500))))
/** Streams of a cell at least: a thousand of their windows are evaluated. */
const MIN_STREAMS = 72
/** What a share of streams needs to be told from another; fewer where a stream takes seconds. */
const MIN_POWER_STREAMS = 200
const powerRepetitionsOf = (cell: Cell) =>
  cell.features >= 100
    ? Math.round(scale * 40)
    : Math.max(Math.round(scale * MIN_POWER_STREAMS), Math.round(repetitionsOf(cell) / 2))

const columnsOf = ({ kind, declared, features, windows, rows }: Cell) =>
  `${kind}${declared === undefined ? '' : ', declared'} | ${features} | ${windows} | ${rows}`
const digits = (x: number) => x.toFixed(3)

function nullTable(): string[] {
  const table = [
    '| stream | features | reference windows | rows a window | streams | windows evaluated | alarms at 0.006 | 95 % interval | alarms at 0.05 | Evidently: some column | Evidently: dataset |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const cell of NULLS) {
    const found = nulls(cell, repetitionsOf(cell))
    const line = `| ${columnsOf(cell)} | ${found.streams} | ${found.evaluated} | ${digits(found.alarms[0]!)} | ${found.interval} | ${digits(found.alarms[1]!)} | ${digits(found.evidentlyAny)} | ${digits(found.evidentlyDataset)} |`
    table.push(line)
    console.log(line)
  }
  return table
}

function powerTable(): string[] {
  const table = [
    '| stream | features | reference windows | rows a window | streams | change of one feature | first window | within four | Evidently, first window |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  const changes = ['shift 0.25 σ', 'shift 0.5 σ', 'spike of 10 %', 'new category of 3 %'] as const
  for (const cell of POWERS)
    for (const change of changes) {
      const repetitions = powerRepetitionsOf(cell)
      const found = power(cell, change, repetitions)
      const line = `| ${columnsOf(cell)} | ${repetitions} | ${change} | ${found.found.join(' | ')} |`
      table.push(line)
      console.log(line)
    }
  return table
}

const tables = {
  nulls: nullTable,
  power: powerTable,
  falls: () => fallTable(scale),
  learning: () => learningTable(scale),
  searches: () => searchTable(scale),
  skew: () => skewTable(scale),
  shorter: () => shorterTable(scale),
  lasting: () => lastingTable(scale),
}
const path = new URL('../docs/alarms.md', import.meta.url)
let text = readFileSync(path, 'utf8')
for (const [name, make] of Object.entries(tables)) {
  if (values.only !== undefined && values.only !== name) continue
  text = text.replace(
    new RegExp(`(<!-- ${name} -->)[^]*?(<!-- end -->)`),
    `$1\n\n${make().join('\n')}\n\n$2`,
  )
}
if (values.write) writeFileSync(path, text)
