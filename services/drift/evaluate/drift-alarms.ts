/**
 * Drift evaluated on a budget: a window alarms when it differs from the reference by more than the
 * reference's own windows differ, at a level that keeps false alarms below
 * `alarms.false_alarms_per_week`. Pure. `docs/alarms.md` explains the method.
 */
import { beyondNoise, joined } from './reasons/reasons.ts'
import {
  covers,
  MIN_WINDOWS,
  type ReferenceData,
  type CategoryReference,
  type ReferenceWindows,
} from '../data/reference.ts'
import { sampleSize, type BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import {
  holm,
  numericShifts,
  shareShifts,
  type NumericSubject,
  type ShareSubject,
} from '../../../lib/stats/window-tests/shift-test.ts'
import { categoryTotal } from '../../../lib/sink/counts/category-counts.ts'
import { spikeTests } from './quality/data-quality.ts'
import {
  mismatchTests,
  missingTests,
  percent,
  rangeTests,
  type Tested,
} from './quality/quality-tests.ts'
import { describeMove } from './reasons/moved-in-words.ts'
import { numericContrast } from '../../../lib/stats/window-tests/window-reference.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { metricResult, isEvaluated, type MetricResult } from '../data/metric-results.ts'
import type { PastShift } from '../data/past-shifts.ts'
import { PART_OF_REFERENCE } from './learning.ts'
import { asOneOf, freshShare, likelyCount } from './reference-series.ts'
import { FAMILY_SHARES, pValueVerdict, marked } from './thresholds.ts'
import type { WindowCounts } from '../data/window-data.ts'

/** What verdicts of drift depend on besides the counts. */
export interface ShiftRules {
  /** Share of windows that may alarm by chance, over all families. */
  windowAlpha: number
  /** Windows between now and the reference, in the order of time. */
  past: readonly PastShift[]
  /** Cohorts (versions, variants, slices) that are evaluated beside this one, this one included. */
  cohorts: number
  /** Why fixed lines decide although the noise between windows is known; absent where they do not. */
  fixedBecause?: string
}

/**
 * Gives the verdicts of drift and data quality by the noise between windows. A result that cannot
 * be evaluated so keeps its fixed default, and its reason says so.
 *
 * @param results of the baseline, with the verdicts of the fixed defaults
 */
export function withShiftVerdicts(
  results: readonly MetricResult[],
  current: WindowCounts,
  window: Window,
  { name, spans, windows, shorter }: ReferenceData,
  rules: ShiftRules,
): MetricResult[] {
  if (covers(spans, window))
    return results.map((result) =>
      isEvaluated(result) ? { ...result, verdict: 'none', reason: PART_OF_REFERENCE } : result,
    )
  const reference = windows ?? shorter?.windows
  if (!reference || rules.fixedBecause !== undefined) {
    const why = rules.fixedBecause ?? `fewer than ${MIN_WINDOWS} reference windows`
    return results.map((result) => marked(result, why))
  }
  const { start } = window
  const tested = windows ? current : asOneOf(current, reference)
  // A subject with both numbers and texts is tested as the kind that it was compared as.
  const compared = new Set(
    results.filter(({ metric }) => metric === 'ks').map((result) => result.subject),
  )
  const isNumeric = (subject: string) => compared.has(subject)
  const shapes = numericTests(tested, start, reference, { past: rules.past, isNumeric })
  const drift = new Map([
    ...shapes.tests,
    ...categoryTests(tested, start, reference, (subject) => !isNumeric(subject)),
  ])
  const verdictOfDrift = verdicts(drift, rules, FAMILY_SHARES.drift, reference.seasonProblem)
  // A quarter of the family's share each, so that one kind of fault does not pay for another.
  const quality = new Map(
    Object.entries({
      missing_ratio: missingTests(tested, start, reference),
      new_atom_share: spikeTests(tested, reference, isNumeric),
      type_mismatch_ratio: mismatchTests(results, reference),
      out_of_range_ratio: rangeTests(tested, reference, isNumeric),
    }).map(([metric, tests]) => [
      metric,
      { tests, verdictOf: verdicts(tests, rules, FAMILY_SHARES.quality / 4) },
    ]),
  )
  const evaluated = results.map((result) => {
    if (result.metric === 'psi' && drift.has(result.subject)) return verdictOfDrift(result)
    const own = quality.get(result.metric)
    if (own?.tests.has(result.subject)) return own.verdictOf(result)
    // PSI alone carries the verdict of a feature: there is one test for each.
    if (result.metric === 'ks' && drift.has(result.subject) && isEvaluated(result))
      return { ...result, verdict: 'none' as const, threshold: null }
    return marked(result, 'not in every reference window')
  })
  return [
    ...onceAFeature(evaluated),
    ...shapes.results.map((result) => ({
      ...result,
      n_current: sampleSize(current.numeric.get(result.subject)!),
      reference: name,
    })),
  ]
}

/**
 * Takes the alarm of `out_of_range_ratio` away where drift alarms: what moved as a whole lies out
 * of range too.
 */
function onceAFeature(results: readonly MetricResult[]): MetricResult[] {
  const moved = new Set(
    results.flatMap(({ metric, verdict, subject }) =>
      metric === 'psi' && verdict === 'alarm' ? [subject] : [],
    ),
  )
  return results.map((result) =>
    result.metric === 'out_of_range_ratio' && isEvaluated(result) && moved.has(result.subject)
      ? { ...result, verdict: 'none', reason: `${result.reason}; its drift alarms` }
      : result,
  )
}

/** Verdicts by Holm's correction over everything that is tested of the window. */
function verdicts(
  tests: ReadonlyMap<string, Tested>,
  rules: ShiftRules,
  share: number,
  seasonProblem?: string,
) {
  const names = [...tests.keys()]
  const alpha = rules.windowAlpha * share
  const adjusted = holm(
    names.map((name) => tests.get(name)!.p),
    names.length * rules.cohorts,
  )
  return (result: MetricResult): MetricResult => {
    const { p, reason } = tests.get(result.subject)!
    const pAdjusted = adjusted[names.indexOf(result.subject)]!
    const verdict = pValueVerdict(pAdjusted, alpha)
    return {
      ...result,
      p_value: p,
      p_adjusted: pAdjusted,
      threshold: null,
      // A result with too little data stays incomplete.
      verdict: result.verdict === 'incomplete' ? result.verdict : verdict,
      reason:
        result.verdict === 'incomplete'
          ? result.reason
          : joined(
              result.metric === 'new_atom_share' && result.reason,
              reason,
              beyondNoise(verdict),
              seasonProblem,
            ),
    }
  }
}

function numericTests(
  current: WindowCounts,
  start: number,
  reference: ReferenceWindows,
  { past, isNumeric }: { past: readonly PastShift[]; isNumeric: (subject: string) => boolean },
): { tests: Map<string, Tested>; results: MetricResult[] } {
  const names = [...reference.numeric.keys()].filter(
    (name) => current.numeric.has(name) && isNumeric(name),
  )
  const contrasts = names.map((name) =>
    numericContrast(reference.numeric.get(name)!, current.numeric.get(name)!),
  )
  const subjects = names.map((name, i): NumericSubject => {
    const { shape, size, logPsi, ...own } = contrasts[i]!
    return {
      ...own,
      history: [
        ...historyOf(name, past, reference),
        { shape, size, phase: reference.phaseOf(start) },
      ],
      logPsi,
    }
  })
  const tests = numericShifts(subjects, reference.season).map(({ p, moved }, i): Tested => ({
    p,
    reason: describeMove(moved, contrasts[i]!.shape, {
      reference: contrasts[i]!.reference.merged,
      current: current.numeric.get(names[i]!)!,
    }),
  }))
  return {
    tests: new Map(names.map((name, i) => [name, tests[i]!])),
    results: names.flatMap((name, i) => {
      const { shape, size } = contrasts[i]!
      const { merged } = contrasts[i]!.reference
      const more = {
        // Values of one bin have one score.
        precision:
          isAtomic(merged) && isAtomic(current.numeric.get(name)!)
            ? ('exact' as const)
            : ('bounded' as const),
        n_current: size,
        n_reference: reference.numeric.get(name)!.sizes.reduce((a, b) => a + b, 0),
      }
      return [
        metricResult('drift', name, 'location_shift', shape.location, more),
        metricResult('drift', name, 'scale_shift', shape.logScale, more),
        metricResult('drift', name, 'skew_shift', shape.skew, more),
      ]
    }),
  }
}

const isAtomic = ({ lows, highs, unplaced }: BinnedSample) =>
  !unplaced && lows.every((low, i) => low === highs[i])

function historyOf(name: string, past: readonly PastShift[], reference: ReferenceWindows) {
  const restart = past.findLastIndex((window) => window.alarmed.has(name)) + 1
  return past.slice(restart).flatMap((window) => {
    const known = window.shapes.get(name)
    return known ? [{ ...known, phase: reference.phaseOf(window.start) }] : []
  })
}

function categoryTests(
  current: WindowCounts,
  start: number,
  reference: ReferenceWindows,
  isTested: (subject: string) => boolean,
): Map<string, Tested> {
  const shares: { name: string; category: string; subject: ShareSubject }[] = []
  const phase = reference.phaseOf(start)
  for (const [name, before] of reference.categories) {
    const own = current.categories.get(name)
    if (!own || !isTested(name)) continue
    const size = categoryTotal(own)
    for (const { category, windows } of before.shares)
      shares.push({
        name,
        category,
        subject: {
          reference: windows,
          history: [{ count: likelyCount(own, category, shareOf(windows)), size, phase }],
        },
      })
    const isNew = (category: string) => !before.known.has(category)
    shares.push({
      name,
      category: 'new categories',
      subject: {
        reference: before.fresh,
        history: [{ ...freshShare(own, before, isNew), phase }],
      },
    })
  }
  const tails = shareShifts(
    shares.map(({ subject }) => subject),
    reference.season,
  )
  const perSubject = Map.groupBy(
    shares.map((share, i) => ({ ...share, p: tails[i]! })),
    ({ name }) => name,
  )
  return new Map(
    [...perSubject].map(([name, tested]) => {
      const most = tested.reduce((a, b) => (b.p < a.p ? b : a))
      const [now] = most.subject.history
      const before = most.subject.reference.reduce((total, w) => total + w.count, 0)
      const size = most.subject.reference.reduce((total, w) => total + w.size, 0)
      return [
        name,
        {
          p: Math.min(1, most.p * tested.length),
          reason: `${most.category.slice(0, 40)} ${percent(now!.count / now!.size)} after ${percent(before / size)}`,
        },
      ]
    }),
  )
}

/** Share over all windows together. */
function shareOf(windows: CategoryReference['fresh']): number {
  const count = windows.reduce((total, w) => total + w.count, 0)
  return count / windows.reduce((total, w) => total + w.size, 0)
}
