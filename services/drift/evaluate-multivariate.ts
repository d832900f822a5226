/**
 * Whether a classifier can tell the rows of a window from those of its reference: what no feature shows by itself. Pure.
 *
 * How well it tells the reference's own windows from one another says what is noise: the area under the curve is judged on its
 * logarithm, by a one-sided predictive t-test, as one more feature of the window.
 */
import { domainAuc, type DomainAuc } from '../../lib/stats/domain-classifier.ts'
import { normalInterval } from '../../lib/stats/auc-interval.ts'
import { momentsOf } from '../../lib/stats/moments.ts'
import { uniforms } from '../../lib/stats/random.ts'
import { studentTail } from '../../lib/stats/student-t.ts'
import { fact, type Fact } from './facts.ts'
import { LEAST_WINDOWS } from './reference-windows.ts'
import { FAMILY_SHARES, levelVerdict } from './rules.ts'

/** The features of one prediction. */
export type Features = Readonly<Record<string, unknown>>

export interface MultivariateReference {
  rows: readonly Features[]
  /** Of each of its windows against the others; empty where they are too few. */
  aucs: readonly number[]
}

export interface MultivariateRules {
  reference: string
  /** Share of windows that may alarm by chance, over all families. */
  windowLevel: number
  /** The window is part of the reference. */
  isReference: boolean
}

const SEED = 1
const CI_LEVEL = 0.95
/** Features that are named. */
const NAMED = 3

/** @param windows rows of each window of the reference */
export function multivariateReference(
  windows: readonly (readonly Features[])[],
): MultivariateReference {
  const aucs =
    windows.length < LEAST_WINDOWS
      ? []
      : windows.flatMap((own, i) => {
          const others = windows.flatMap((rows, j) => (j === i ? [] : rows))
          const told = tell(evenly(others, own.length), own)
          return told ? [told.found.auc] : []
        })
  return { rows: windows.flat(), aucs }
}

export function evaluateMultivariate(
  current: readonly Features[],
  { rows, aucs }: MultivariateReference,
  rules: MultivariateRules,
): Fact[] {
  const told = tell(evenly(rows, current.length), current)
  if (!told) return []
  const { found, names } = told
  const { low, high } = normalInterval(found.auc, found.standardError, CI_LEVEL)
  const p = rules.isReference || aucs.length < LEAST_WINDOWS ? undefined : beyond(found.auc, aucs)
  const pAdjusted = p === undefined ? undefined : Math.min(1, p * (names.length + 1))
  const most = names
    .map((name, i) => ({ name, share: found.importance[i]! }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, NAMED)
    .map(({ name, share }) => `${name} ${Math.round(100 * share)} %`)
  return [
    fact('drift', '', 'domain_auc', found.auc, {
      n_current: current.length,
      n_reference: Math.min(rows.length, current.length),
      reference: rules.reference,
      ci_low: Math.max(0, low),
      ci_high: Math.min(1, high),
      ci_level: CI_LEVEL,
      p_value: p ?? null,
      p_adjusted: pAdjusted ?? null,
      verdict:
        pAdjusted === undefined
          ? 'none'
          : levelVerdict(pAdjusted, rules.windowLevel * FAMILY_SHARES.drift),
      reason: `told by ${most.join(', ')}`,
    }),
  ]
}

/** One-sided: that a window of the reference's kind would be told as well as this one, or better. */
function beyond(auc: number, aucs: readonly number[]): number {
  const logs = aucs.map(Math.log)
  const { mean, variance } = momentsOf(logs)
  const t = (Math.log(auc) - mean) / Math.sqrt(variance * (1 + 1 / logs.length))
  return studentTail(t, logs.length - 1)
}

/** So many of the rows, from all over. */
const evenly = <T>(rows: readonly T[], size: number): T[] =>
  rows.length <= size
    ? [...rows]
    : Array.from({ length: size }, (_, i) => rows[Math.floor((i * rows.length) / size)]!)

function tell(
  reference: readonly Features[],
  current: readonly Features[],
): { found: DomainAuc; names: string[] } | undefined {
  const names = [...new Set([...reference, ...current].flatMap(Object.keys))].toSorted()
  const columns = names.map((name) => numbersOf(name, [reference, current]))
  const matrix = (side: 0 | 1) =>
    (side === 0 ? reference : current).map((_, i) =>
      Float64Array.from(columns, (column) => column[side][i]!),
    )
  const found = domainAuc(matrix(0), matrix(1), uniforms(SEED))
  return found && { found, names }
}

/** Numbers as they are; texts by how frequent they are, the most frequent first; what is missing NaN. */
function numbersOf(
  name: string,
  sides: readonly [readonly Features[], readonly Features[]],
): [number[], number[]] {
  const counts = new Map<string, number>()
  for (const row of sides.flat()) {
    const value = row[name]
    if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const order = new Map(
    [...counts]
      .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .map(([text], i) => [text, i]),
  )
  const asNumber = (value: unknown) => {
    if (typeof value === 'number') return value
    if (typeof value === 'boolean') return value ? 1 : 0
    return typeof value === 'string' ? order.get(value)! : NaN
  }
  return [sides[0].map((row) => asNumber(row[name])), sides[1].map((row) => asNumber(row[name]))]
}
