/**
 * What adding up evidence of drift over windows would find that its rule does not: small shifts of
 * every feature that last, by the window alone, by the rule (the window and the weighted mean of the
 * last ones), and by the sums of evidence that performance has; of skew by one window and by four
 * merged.
 */
import { ksInterval } from '../../lib/stats/distances/ks.ts'
import { uniforms } from '../../lib/stats/distributions/random.ts'
import { mergedSample } from '../../lib/stats/samples/binned-sample.ts'
import { evidenceTail, levelEvidence } from '../../lib/stats/window-tests/level-evidence.ts'
import type { Level } from '../../lib/stats/window-tests/level-test.ts'
import { numericShifts, type NumericSubject } from '../../lib/stats/window-tests/shift-test.ts'
import { distanceTail, numericDesignEffects } from '../../lib/stats/window-tests/skew-test.ts'
import { numericContrast, numericReference } from '../../lib/stats/window-tests/window-reference.ts'
import { SMALLEST_SKEW } from '../../services/drift/evaluate/skew/skew.ts'
import { counted, feature, normals, type StreamKind } from '../streams.ts'

const SEED = 20260108
const FEATURES = 10
const WINDOWS = 8
const LATER = 8
const STREAMS = 100
const TABLE_ROWS = 10_000
/** Windows that are merged. */
const MERGED = 4
/** Alpha of a daily window at the default budget; skew has a quarter of what drift has. */
const LEVEL = 0.35 * 0.0357
const SKEW_LEVEL = LEVEL / 4
/** What the rule leaves to location, which alone moves here. */
const LOCATION_SHARE = 0.5

interface Cell {
  kind: StreamKind
  rows: number
  shift: number
}

const RULES = ['window', 'rule', 'evidence', 'skew', 'merged'] as const
type Alarms = Record<(typeof RULES)[number], boolean[]>

/** Which of the later windows alarm by which rule. */
function alarmsOf({ kind, rows, shift }: Cell, uniform: () => number): Alarms {
  const normal = normals(uniform)
  const columns = Array.from({ length: FEATURES }, () =>
    feature(kind, WINDOWS + LATER, rows, 0, uniform).map((window, w) =>
      counted(w < WINDOWS ? window : window.map((x) => x + shift)),
    ),
  )
  const references = columns.map((own) => numericReference(own.slice(0, WINDOWS)))
  const levels = references.map(({ deviations, sizes }) =>
    deviations.map((shape, w) => levelOf(shape.location, sizes[w]!)),
  )
  const effects = numericDesignEffects(references)
  const table = counted(Float64Array.from({ length: TABLE_ROWS }, normal))
  const histories: NumericSubject['history'][] = columns.map(() => [])
  const alarms: Alarms = { window: [], rule: [], evidence: [], skew: [], merged: [] }
  const isAny = (p: readonly number[], level: number) => Math.min(...p) * FEATURES <= level
  for (let w = WINDOWS; w < WINDOWS + LATER; w++) {
    const subjects = references.map((known, f): NumericSubject => {
      const { reference, shape, logPsi, size } = numericContrast(known, columns[f]![w]!)
      histories[f] = [...histories[f]!, { shape, size, phase: 0 }]
      return { reference, history: histories[f], logPsi }
    })
    const pOf = (of: readonly NumericSubject[]) => numericShifts(of).map(({ p }) => p)
    alarms.rule.push(isAny(pOf(subjects), LEVEL))
    alarms.window.push(
      isAny(pOf(subjects.map((one) => ({ ...one, history: one.history.slice(-1) }))), LEVEL),
    )
    alarms.evidence.push(isAny(evidenceOf(levels, histories), LEVEL))
    const distances = (windows: number) =>
      columns.map((own, f) => {
        const merged = mergedSample(own.slice(w + 1 - windows, w + 1))
        const d = ksInterval(table, merged).low
        // Windows that have nothing in common are worth as many rows as all of them.
        const { meanSize, ...effect } = effects[f]!
        const worth = { ...effect, meanSize: meanSize * windows }
        return d < SMALLEST_SKEW ? 1 : distanceTail(d, TABLE_ROWS, rows * windows, worth)
      })
    alarms.skew.push(isAny(distances(1), SKEW_LEVEL))
    const isWhole = w + 1 - MERGED >= WINDOWS
    alarms.merged.push(isWhole && isAny(distances(MERGED), SKEW_LEVEL))
  }
  return alarms
}

const levelOf = (value: number, size: number): Level => ({
  value,
  size,
  standardError: 1 / Math.sqrt(size),
  phase: 0,
})

const evidenceOf = (
  levels: readonly (readonly Level[])[],
  histories: readonly NumericSubject['history'][],
) =>
  levels.map((reference, f) => {
    const history = histories[f]!.map(({ shape, size }) => levelOf(shape.location, size))
    const alpha = (LEVEL * LOCATION_SHARE) / FEATURES
    const found = levelEvidence({ reference, history, leastEffect: 0.1, worse: 0, alpha })!
    return evidenceTail(found) / LOCATION_SHARE
  })

/** The rows of the table, the header first. */
export function lastingTable(scale: number): string[] {
  const table = [
    '| stream | rows | shift of every feature | streams | one window: first, within 8 | the rule: first, within 8 | evidence: first, within 8 | skew, one window: within 8 | skew, four merged: within 8 |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  const streams = Math.round(scale * STREAMS)
  const share = (hits: readonly boolean[]) => (hits.filter(Boolean).length / hits.length).toFixed(2)
  for (const { kind, rows } of [
    { kind: 'independent', rows: 1000 },
    { kind: 'independent', rows: 200 },
    { kind: 'window noise', rows: 1000 },
  ] as const)
    for (const shift of [0, 0.1, 0.12, 0.15, 0.25]) {
      const uniform = uniforms(SEED)
      const all = Array.from({ length: streams }, () => alarmsOf({ kind, rows, shift }, uniform))
      const first = (rule: keyof Alarms) => share(all.map((one) => one[rule][0]!))
      const within = (rule: keyof Alarms) => share(all.map((one) => one[rule].some(Boolean)))
      const drift = (['window', 'rule', 'evidence'] as const).map(
        (rule) => `${first(rule)}, ${within(rule)}`,
      )
      const line = `| ${kind} | ${rows} | ${shift} σ | ${streams} | ${drift.join(' | ')} | ${within('skew')} | ${within('merged')} |`
      table.push(line)
      console.log(line)
    }
  return table
}
