/**
 * Drift evaluated on a budget: a window alarms when it differs from the reference by more than the reference's own windows differ, at
 * a level that keeps false alarms below `alarms.false_alarms_per_week`. Pure. The method is told in `docs/alarms.md`.
 */
import {
  covers,
  MIN_WINDOWS,
  type ReferenceData,
  type CategoryReference,
  type ReferenceWindows,
} from '../data/reference.ts'
import type { BinnedSample } from '../../../lib/stats/samples/binned-sample.ts'
import type { Shape } from '../../../lib/stats/samples/normal-scores.ts'
import {
  holm,
  numericShifts,
  shareShifts,
  type Moved,
  type NumericSubject,
  type ShareSubject,
} from '../../../lib/stats/window-tests/shift-test.ts'
import { categoryTotal } from '../../../lib/sink/counts/category-counts.ts'
import { numericContrast } from '../../../lib/stats/window-tests/window-reference.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { metricResult, isEvaluated, type MetricResult } from '../data/metric-results.ts'
import type { PastShift } from '../data/past-shifts.ts'
import { freshShare, likelyCount } from './reference-series.ts'
import { FAMILY_SHARES, levelVerdict, marked } from './thresholds.ts'
import { effectiveOf, missingOf, type WindowCounts } from '../data/window-data.ts'

export interface ShiftRules {
  /** Share of windows that may alarm by chance, over all families. */
  windowLevel: number
  /** Windows between now and the reference, in the order of time. */
  past: readonly PastShift[]
  /** Cohorts (versions, variants, slices) that are evaluated beside this one, this one included. */
  cohorts: number
}

interface Tested {
  p: number
  reason: string
}

/**
 * Gives the verdicts of drift and data quality by the noise between windows; what cannot be evaluated so keeps its fixed default, and
 * says that it is one.
 *
 * @param results of the baseline, with the verdicts of the fixed defaults
 */
export function withShiftVerdicts(
  results: readonly MetricResult[],
  current: WindowCounts,
  window: Window,
  { name, spans, windows: reference }: ReferenceData,
  rules: ShiftRules,
): MetricResult[] {
  if (covers(spans, window))
    return results.map((f) =>
      isEvaluated(f) ? { ...f, verdict: 'none', reason: 'part of the reference' } : f,
    )
  if (!reference)
    return results.map((f) => marked(f, `fewer than ${MIN_WINDOWS} reference windows`))
  const { start } = window
  // A subject that comes both as numbers and as text is tested as what it was compared as.
  const compared = new Set(results.filter(({ metric }) => metric === 'ks').map((f) => f.subject))
  const isNumeric = (subject: string) => compared.has(subject)
  const shapes = numericTests(current, start, reference, { past: rules.past, isNumeric })
  const drift = new Map([
    ...shapes.tests,
    ...categoryTests(current, start, reference, (subject) => !isNumeric(subject)),
  ])
  const missing = missingTests(current, start, reference)
  const verdictOfDrift = verdicts(drift, rules, FAMILY_SHARES.drift)
  const verdictOfMissing = verdicts(missing, rules, FAMILY_SHARES.quality)
  return [
    ...results.map((f) => {
      if (f.metric === 'psi' && drift.has(f.subject)) return verdictOfDrift(f)
      if (f.metric === 'missing_ratio' && missing.has(f.subject)) return verdictOfMissing(f)
      // One test a feature: its verdict stands with its PSI.
      if (f.metric === 'ks' && drift.has(f.subject) && isEvaluated(f))
        return { ...f, verdict: 'none' as const, threshold: null }
      return marked(f, 'not in every reference window')
    }),
    ...shapes.results.map((f) => ({ ...f, reference: name })),
  ]
}

/** Holm over everything that is tested of the window. */
function verdicts(tests: ReadonlyMap<string, Tested>, rules: ShiftRules, share: number) {
  const names = [...tests.keys()]
  const level = rules.windowLevel * share
  const adjusted = holm(
    names.map((name) => tests.get(name)!.p),
    names.length * rules.cohorts,
  )
  return (f: MetricResult): MetricResult => {
    const { p, reason } = tests.get(f.subject)!
    const pAdjusted = adjusted[names.indexOf(f.subject)]!
    return {
      ...f,
      p_value: p,
      p_adjusted: pAdjusted,
      threshold: null,
      // Too little data stays what it is.
      verdict: f.verdict === 'incomplete' ? f.verdict : levelVerdict(pAdjusted, level),
      reason:
        f.verdict === 'incomplete'
          ? f.reason
          : `${reason}; alarm at an adjusted p of ${level.toPrecision(2)}`,
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
    reason: describe(moved, contrasts[i]!.shape),
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

function describe(moved: Moved, { location, logScale, skew }: Shape): string {
  const signed = (value: number, digits: number) =>
    `${value < 0 ? '' : '+'}${value.toFixed(digits)}`
  switch (moved) {
    case 'location':
      return `location ${signed(location, 2)} standard deviations`
    case 'scale':
      return `spread × ${Math.exp(logScale).toFixed(2)}`
    case 'skew':
      return `skewness ${signed(skew, 2)} (asinh)`
    case 'distribution':
      return 'the distribution as a whole'
  }
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

/** Of all windows together. */
function shareOf(windows: CategoryReference['fresh']): number {
  const count = windows.reduce((total, w) => total + w.count, 0)
  return count / windows.reduce((total, w) => total + w.size, 0)
}

function missingTests(
  current: WindowCounts,
  start: number,
  reference: ReferenceWindows,
): Map<string, Tested> {
  const names = [...reference.missing.keys()]
  const size = Math.max(1, effectiveOf(current))
  const phase = reference.phaseOf(start)
  const tails = shareShifts(
    names.map((name) => ({
      reference: reference.missing
        .get(name)!
        .map((count, w) => ({ count, size: reference.events[w]! })),
      history: [{ count: missingOf(current, name), size, phase }],
    })),
    reference.season,
  )
  const events = reference.events.reduce((a, b) => a + b, 0)
  return new Map(
    names.map((name, i) => {
      const before = reference.missing.get(name)!.reduce((a, b) => a + b, 0)
      return [
        name,
        {
          p: tails[i]!,
          reason: `missing ${percent(missingOf(current, name) / size)} after ${percent(before / events)}`,
        },
      ]
    }),
  )
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
