/**
 * Whether one producer, or one version, answers unlike all others of the same window: the pod with
 * the old model, or with a broken feature. Pure.
 */
import { smallest } from '../../../../lib/stats/samples/extremes.ts'
import { arcsine } from '../../../../lib/stats/window-tests/share-noise.ts'
import { holm } from '../../../../lib/stats/window-tests/shift-test.ts'
import {
  oddOnesOut,
  unitNoise,
  type UnitMean,
  type UnitNoise,
} from '../../../../lib/stats/window-tests/odd-one-out.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import type { UnitCounts, UnitKind, UnitNumbers, UnitValues } from '../../data/unit-values.ts'
import { MIN_WINDOWS } from '../../data/reference.ts'
import { FAMILY_SHARES, pValueVerdict, WARNING_FACTOR } from '../thresholds.ts'

/** Units with fewer values are part of the others and not tested themselves. */
const MIN_VALUES = 30
/** 56 of 100 comparisons instead of 50: a fifth of a standard deviation of normal values. */
const MIN_RANK_EFFECT = 0.056
/** Smallest effect on the arcsine scale; around one half it is a difference of 0.1. */
const MIN_SHARE_EFFECT = 0.2
/** Chance below which a unit is left out of what the others are compared with. */
const SURE = 0.001
/** Units that are told of by rows of their own, the most unlike ones. */
const MAX_TOLD = 5
/** Differences of one unit that its reason names. */
const MAX_NAMED = 3

/** What verdicts on single units depend on. */
export interface OddRules {
  kind: UnitKind
  /** Share of windows that may alarm by chance, over all families. */
  windowAlpha: number
  /** Kinds of units that are tested of the window. */
  kinds: number
  /** Name of the baseline; '' without one. */
  reference: string
  /** Why no verdict is given, such as that the baseline is being learned; '' where one is. */
  without: string
}

/** One subject of one unit that was tested. */
interface Tested {
  unit: string
  size: number
  p: number
  difference: number
  tell: () => string
}

/**
 * Compares every unit of a window with all others, subject by subject.
 *
 * @param reference units of the baseline's windows, which say how much units differ by nature;
 *   without enough of them the window's other units do
 * @returns one result with the verdict, then one for each of the most unlike units; nothing where
 *   the window has fewer than two units
 */
export function evaluateOddOneOut(
  current: UnitValues,
  reference: UnitValues | undefined,
  rules: OddRules,
): MetricResult[] {
  const units = new Set(current.counts.map(({ unit }) => unit))
  if (units.size < 2) return []
  const { kind } = rules
  const before = unitsByWindow(reference)
  const tested = subjectsOf(current).flatMap((subject) =>
    testsOf(subject, before(subject), current),
  )
  const events = current.counts.reduce((sum, own) => sum + own.events, 0)
  const shared = { n_current: events, reference: rules.reference }
  if (tested.length === 0 || rules.without !== '')
    return [
      metricResult('drift', kind, 'odd_one_out', null, {
        ...shared,
        reason:
          rules.without ||
          `how much ${kind}s differ by nature is not known yet: fewer than ${MIN_WINDOWS} comparisons of units with ${MIN_VALUES} values`,
      }),
    ]
  const alpha = (rules.windowAlpha * FAMILY_SHARES.odd_one_out) / rules.kinds
  const adjusted = holm(tested.map(({ p }) => p))
  const odd = oddUnits(tested, adjusted, alpha)
  const least = smallest(adjusted)
  return [
    metricResult('drift', kind, 'odd_one_out', odd.length, {
      ...shared,
      p_value: smallest(tested.map(({ p }) => p)),
      p_adjusted: least,
      verdict: pValueVerdict(least, alpha),
      reason:
        odd.length === 0
          ? `${units.size} ${kind}s, none unlike the others by more than they differ by nature`
          : odd
              .slice(0, MAX_NAMED)
              .map((one) => describe(one, kind, current))
              .join('; '),
    }),
    ...odd.slice(0, MAX_TOLD).map((one) => {
      const [most] = one as [Tested & { pAdjusted: number }]
      return metricResult('drift', `${kind}=${most.unit}`, 'odd_one_out', most.difference, {
        n_current: most.size,
        reference: rules.reference,
        p_value: most.p,
        p_adjusted: most.pAdjusted,
        reason: describe(one, kind, current),
      })
    }),
  ]
}

type Odd = (Tested & { pAdjusted: number })[]

/** Tests of each unit that stands out, the surest first. */
function oddUnits(tested: readonly Tested[], adjusted: readonly number[], alpha: number): Odd[] {
  const found = tested
    .map((one, i) => ({ ...one, pAdjusted: adjusted[i]! }))
    .filter(({ pAdjusted }) => pAdjusted <= WARNING_FACTOR * alpha)
    .toSorted((a, b) => a.p - b.p || a.size - b.size || (a.unit < b.unit ? -1 : 1))
  return [...Map.groupBy(found, ({ unit }) => unit).values()]
}

function describe(odd: Odd, kind: UnitKind, { counts }: UnitValues): string {
  const { unit } = odd[0]!
  const own = counts.find((one) => one.unit === unit)
  const others = Map.groupBy(
    counts.filter((one) => one.unit !== unit),
    ({ version }) => version,
  )
  const [most] = [...others].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? []
  const version =
    kind === 'producer' && own && most !== undefined && own.version !== most
      ? `; it sends version ${own.version}, most others ${most}`
      : ''
  return `${kind} ${unit} is unlike the other ${counts.length - 1}: ${odd
    .slice(0, MAX_NAMED)
    .map(({ tell }) => tell())
    .join(', ')}${version}`
}

/** A subject, and each unit's mean of it on a scale on which units compare. */
interface Subject {
  name: string
  isShare: boolean
  leastEffect: number
  units: Unit[]
  tell: (unit: string, difference: number) => string
}

type Unit = UnitMean & { unit: string }

const rankOf = ({ unit, size, meanRank, rankVariance }: UnitNumbers): Unit => ({
  unit,
  size,
  mean: meanRank,
  variance: rankVariance,
})
/** Share on the arcsine scale, where the variance of one event is 1. */
const shareOf = ({ unit, events, having }: UnitCounts, name: string): Unit => ({
  unit,
  size: events,
  mean: arcsine(having[name] ?? 0, events),
  variance: 1,
})

function subjectsOf(values: UnitValues): Subject[] {
  return [...ranksOf(values), ...sharesOf(values)]
}

function ranksOf({ numbers }: UnitValues): Subject[] {
  return [...Map.groupBy(numbers, ({ subject }) => subject)].map(([name, own]) => ({
    name,
    isShare: false,
    leastEffect: MIN_RANK_EFFECT,
    units: own.map(rankOf),
    tell: (unit, difference) => {
      const mean = own.find((one) => one.unit === unit)!.mean
      const others = own.filter((one) => one.unit !== unit)
      const size = others.reduce((sum, one) => sum + one.size, 0)
      const theirs = others.reduce((sum, one) => sum + one.size * one.mean, 0) / size
      return `its ${name} is the ${difference > 0 ? 'higher' : 'lower'} in ${Math.round(
        100 * (0.5 + Math.abs(difference)),
      )} of 100 comparisons (mean ${mean.toPrecision(3)}, theirs ${theirs.toPrecision(3)})`
    },
  }))
}

/** Shares that are neither 0 nor 1 everywhere: errors, classes, features that are given. */
function sharesOf({ counts }: UnitValues): Subject[] {
  const names = new Set(counts.flatMap(({ having }) => Object.keys(having)))
  return [...names].flatMap((name) => {
    const countOf = ({ having }: (typeof counts)[number]) => having[name] ?? 0
    if (counts.every((one) => countOf(one) === one.events)) return []
    return [
      {
        name,
        isShare: true,
        leastEffect: MIN_SHARE_EFFECT,
        units: counts.map((one) => shareOf(one, name)),
        tell: (unit: string) => {
          const percent = (some: typeof counts) =>
            (
              (100 * some.reduce((sum, one) => sum + countOf(one), 0)) /
              some.reduce((sum, one) => sum + one.events, 0)
            ).toPrecision(3)
          const isOwn = (one: (typeof counts)[number]) => one.unit === unit
          const others = counts.filter((one) => !isOwn(one))
          return `${percent(counts.filter(isOwn))} % of its events have ${name}, ${percent(others)} % of theirs`
        },
      },
    ]
  })
}

/** Units of each window of the baseline, by subject. */
function unitsByWindow(reference: UnitValues | undefined): (subject: Subject) => UnitMean[][] {
  const numbers = Map.groupBy(reference?.numbers ?? [], ({ subject }) => subject)
  const spans = [...Map.groupBy(reference?.counts ?? [], ({ span }) => span).values()]
  return ({ name, isShare }) =>
    isShare
      ? spans.map((counts) => counts.map((one) => shareOf(one, name)).filter(isLarge))
      : [...Map.groupBy(numbers.get(name) ?? [], ({ span }) => span).values()].map((own) =>
          own.map(rankOf).filter(isLarge),
        )
}

const isLarge = ({ size }: UnitMean) => size >= MIN_VALUES

function testsOf(
  subject: Subject,
  windows: readonly UnitMean[][],
  { counts }: UnitValues,
): Tested[] {
  const known = new Set(counts.map(({ unit }) => unit))
  const units = subject.units.filter((one) => isLarge(one) && known.has(one.unit))
  const others = subject.units.filter((one) => !units.includes(one))
  if (units.length === 0 || units.length + others.length < 2) return []
  const learned = unitNoise(windows)
  if (learned.degrees < MIN_WINDOWS && units.length - 2 < MIN_WINDOWS) return []
  const noiseOf = (unit: Unit, beside: readonly Unit[]): UnitNoise =>
    learned.degrees >= MIN_WINDOWS ? learned : unitNoise([beside.filter((one) => one !== unit)])
  return stepwise(units, others, noiseOf, subject)
}

/**
 * Tests the units of one subject; one that is odd for sure is left out of what the others are
 * compared with, since beside it they would seem odd as well. The smaller one of two units is odd.
 */
function stepwise(
  units: readonly Unit[],
  others: readonly Unit[],
  noiseOf: (unit: Unit, beside: readonly Unit[]) => UnitNoise,
  { leastEffect, tell }: Subject,
): Tested[] {
  const found: Tested[] = []
  let left = [...units]
  while (left.length > 0) {
    const tests = left.flatMap((unit, i): { own: Unit; test: Tested }[] => {
      const noise = noiseOf(unit, left)
      // Where all values of the others are equal nothing says how much units differ.
      if (noise.degrees < MIN_WINDOWS) return []
      const test = oddOnesOut(left, others, noise, leastEffect)[i]!
      const described = {
        unit: unit.unit,
        size: unit.size,
        tell: () => tell(unit.unit, test.difference),
      }
      return [{ own: unit, test: { ...described, ...test } }]
    })
    const [most] = tests.toSorted((a, b) => a.test.p - b.test.p || a.own.size - b.own.size)
    if (!most || most.test.p * left.length > SURE)
      return [...found, ...tests.map(({ test }) => test)]
    found.push(most.test)
    left = left.filter((unit) => unit !== most.own)
  }
  return found
}
