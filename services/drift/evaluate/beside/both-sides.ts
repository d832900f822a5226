/** The numbers of two sides of a model beside one another, and how far they are apart. Pure. */
import { differenceInterval } from '../../../../lib/stats/intervals/difference.ts'
import type { Interval } from '../../../../lib/stats/intervals/proportions.ts'
import { wilson } from '../../../../lib/stats/intervals/proportions.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import type { BothSides, SideEstimate } from '../../../../schemas/http/side-by-side.ts'
import type { Cohort } from '../../data/cohort.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import type { OutcomeCounts, WindowCounts } from '../../data/window-data.ts'
import type { ClassFault } from '../label-classes.ts'
import { intervalOf, type MeasureRules } from '../measures/measure.ts'
import { measuresOf } from '../measures/performance-measures.ts'
import { scaleOf } from '../metric-scales.ts'
import { evaluateOperations } from '../operations.ts'

/** Level of every interval, each metric by itself. */
const CI_LEVEL = 0.95

/** One side: what was counted of it, and what became true. */
export interface SideData {
  counts: WindowCounts
  /** Length of its spans; undefined of rows that have no time. */
  ms: number | undefined
  /** Undefined where labels of such a side are not read. */
  outcomes: OutcomeCounts | undefined
  /** Why its labels say nothing of its predictions. */
  fault: ClassFault | undefined
}

/** A number of one side with what its uncertainty is. */
interface Known {
  family: BothSides['family']
  estimate: SideEstimate
  restsOn: BothSides['rests_on']
  isError: boolean
  reason: string
}

/**
 * Every number that either side has, performance first.
 *
 * @param shared whether an event may be on both sides: a difference then has no interval
 * @param rules what measures depend on
 */
export function bothSides(
  a: SideData,
  b: SideData,
  shared: boolean,
  rules: MeasureRules,
): BothSides[] {
  const [before, now] = [a, b].map((side) => numbersOf(side, rules)) as [
    Map<string, Known>,
    Map<string, Known>,
  ]
  return [...new Set([...now.keys(), ...before.keys()])].map((metric) =>
    beside(metric, before.get(metric), now.get(metric), shared),
  )
}

function numbersOf(side: SideData, rules: MeasureRules): Map<string, Known> {
  return new Map([...performanceOf(side, rules), ...operationsOf(side)])
}

function performanceOf({ outcomes, fault }: SideData, rules: MeasureRules): [string, Known][] {
  if (!outcomes) return []
  const { predictions, labelled } = outcomes
  const coverage: [string, Known] = [
    'label_coverage',
    known('performance', predictions > 0 ? labelled / predictions : null, predictions, {
      interval: wilson(labelled, predictions, CI_LEVEL),
    }),
  ]
  if (fault?.of === 'all')
    return [coverage, ['labels', known('performance', null, labelled, { reason: fault.reason })]]
  const measures = measuresOf(outcomes, rules).filter(({ subject = '' }) => subject === '')
  return [
    ...measures.map((measure): [string, Known] => [
      measure.metric,
      known('performance', measure.value, measure.n, {
        interval: intervalOf(measure, CI_LEVEL),
        isError: measure.isError ?? false,
        reason: Number.isFinite(measure.value) ? '' : (measure.note ?? ''),
      }),
    ]),
    coverage,
  ]
}

function operationsOf({ counts, ms }: SideData): [string, Known][] {
  if (ms === undefined) return []
  return evaluateOperations(counts, ms).map((result): [string, Known] => [
    result.metric,
    known('operations', result.value, result.n_current, {
      ...(result.ci_low !== null && { interval: endsOf(result) }),
      ...(result.bound_low !== null && { bounds: endsOf(result) }),
    }),
  ])
}

const endsOf = ({ ci_low, ci_high, bound_low, bound_high }: MetricResult): Interval => ({
  low: (ci_low ?? bound_low)!,
  high: (ci_high ?? bound_high)!,
})

const finite = (x: number | null | undefined) =>
  x !== null && x !== undefined && Number.isFinite(x) ? x : null

function known(
  family: Known['family'],
  value: number | null,
  n: number,
  more: { interval?: Interval; bounds?: Interval; isError?: boolean; reason?: string },
): Known {
  const ends = more.interval ?? more.bounds
  return {
    family,
    estimate: {
      value: finite(value),
      ci_low: finite(value) === null ? null : finite(ends?.low),
      ci_high: finite(value) === null ? null : finite(ends?.high),
      n,
    },
    restsOn: more.interval ? 'interval' : more.bounds ? 'bounds' : 'nothing',
    isError: more.isError ?? false,
    reason: more.reason ?? '',
  }
}

const NOTHING: SideEstimate = { value: null, ci_low: null, ci_high: null, n: 0 }

function beside(
  metric: string,
  before: Known | undefined,
  now: Known | undefined,
  shared: boolean,
): BothSides {
  const one = (now ?? before)!
  const [a, b] = [before?.estimate ?? NOTHING, now?.estimate ?? NOTHING]
  const worse = worseOf(one, metric)
  const difference = a.value === null || b.value === null ? null : b.value - a.value
  const isSampled = one.restsOn === 'interval'
  const ends =
    difference === null || (shared && isSampled) ? undefined : differenceOf(a, b, one.restsOn)
  return {
    family: one.family,
    metric,
    worse,
    a,
    b,
    difference,
    difference_low: finite(ends?.low),
    difference_high: finite(ends?.high),
    rests_on: ends ? one.restsOn : 'nothing',
    standing: standingOf(difference, ends, worse),
    reason:
      [before?.reason, now?.reason].find(Boolean) ??
      (difference === null
        ? `${before ? 'b' : 'a'} has no such number`
        : shared && isSampled
          ? 'both sides may hold the same events: their difference has no interval'
          : ''),
  }
}

/** Where a difference lies; undefined where an end is not known. */
function differenceOf(
  a: SideEstimate,
  b: SideEstimate,
  restsOn: Known['restsOn'],
): Interval | undefined {
  if (a.ci_low === null || a.ci_high === null || b.ci_low === null || b.ci_high === null)
    return undefined
  return restsOn === 'bounds'
    ? { low: b.ci_low - a.ci_high, high: b.ci_high - a.ci_low }
    : differenceInterval(
        { value: b.value!, low: b.ci_low, high: b.ci_high },
        { value: a.value!, low: a.ci_low, high: a.ci_high },
      )
}

function worseOf({ family, isError }: Known, metric: string): BothSides['worse'] {
  const found = scaleOf(metricResult(family, '', metric, null), [])?.worse
  return found ?? (isError ? 1 : 0)
}

function standingOf(
  difference: number | null,
  ends: Interval | undefined,
  worse: BothSides['worse'],
): BothSides['standing'] {
  if (difference === null || !ends) return 'unknown'
  if (ends.low <= 0 && ends.high >= 0) return 'alike'
  if (worse === 0) return 'differs'
  return Math.sign(difference) === worse ? 'worse' : 'better'
}

/** What of a model one side holds. */
export interface SideWhere {
  spans: readonly Window[]
  c: Cohort
  /** The model that its counts stand under. */
  countedAs: string
}

/**
 * Whether an event may be on both sides: their spans meet, and no version, variant or value of one
 * slice tells them apart.
 */
export function mayShare(a: SideWhere, b: SideWhere): boolean {
  if (a.countedAs !== b.countedAs) return false
  const meet = a.spans.some((x) => b.spans.some((y) => x.start < y.end && y.start < x.end))
  const differ = (x: string | undefined, y: string | undefined) => !!x && !!y && x !== y
  const [p, q] = [a.c, b.c]
  return (
    meet &&
    !differ(p.modelVersion, q.modelVersion) &&
    !differ(p.variant, q.variant) &&
    !(p.slice?.key === q.slice?.key && differ(p.slice?.value, q.slice?.value))
  )
}
