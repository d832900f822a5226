/**
 * The cohorts in which a model has become worst: every value of every attribute and feature is
 * tried, and the verdict is corrected for all that were. Pure.
 */
import { normalQuantile } from '../../../../lib/stats/distributions/normal-quantile.ts'
import { studentTail } from '../../../../lib/stats/distributions/student-t.ts'
import { smallest } from '../../../../lib/stats/samples/extremes.ts'
import { holm } from '../../../../lib/stats/window-tests/shift-test.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import type { CohortLoss, CohortLosses, LossKind, LossSums } from '../../data/cohort-losses.ts'
import { MIN_WINDOWS } from '../../data/reference.ts'
import { ERROR_RISE, FAMILY_SHARES, PERFORMANCE_FALL, pValueVerdict } from '../thresholds.ts'

/** Cohorts that are told of by rows of their own, the worst ones. */
const MAX_TOLD = 5
/** Cohorts of a baseline's window with fewer cases tell nothing of its noise. */
const MIN_CASES = 10
/** Cohorts of one window depend on one another: they tell no more of the noise than so many. */
const MAX_INDEPENDENT = 4
const CI_LEVEL = 0.95

/** What verdicts of the search depend on. */
export interface SearchRules {
  kind: LossKind
  /** Share of windows that may alarm by chance, over all families. */
  windowAlpha: number
  /** How many times performance of the window is evaluated. */
  looks: number
  reference: string
  /** Why no verdict is given; '' where one is. */
  without: string
}

/** A cohort beside all other labelled predictions of the same windows. */
interface Gap {
  /** Mean loss of the cohort, and of the others. */
  own: number
  rest: number
  variance: number
  /** Independent cases of the cohort. */
  size: number
}

interface Candidate {
  cohort: CohortLoss
  now: Gap
  before: Gap | undefined
  p: number
}

/**
 * Compares each cohort's distance from the rest with that of the baseline.
 *
 * @param reference the same cohorts, span by span; undefined where there is no baseline
 * @returns one result with the verdict, then one for each of the worst cohorts; nothing where no
 *   cohort is large enough
 */
export function evaluateCohortSearch(
  current: CohortLosses,
  reference: CohortLosses | undefined,
  rules: SearchRules,
): MetricResult[] {
  const candidates = candidatesOf(current, reference, rules)
  if (candidates.length === 0) return []
  const tested = candidates.filter(({ before }) => before)
  const n = effective(current.totals[0]!)
  const shared = {
    n_labelled: Math.round(n),
    n_current: candidates.length,
    reference: rules.reference,
  }
  const tell = ({ cohort, now, before }: Candidate) =>
    `${nameOf(cohort, current.edges)}: ${wording(rules.kind, now)}${before ? `; in the baseline ${wording(rules.kind, before)}` : ''}`
  const worst = worstOf(candidates).map((one) =>
    metricResult('performance', nameOf(one.cohort, current.edges), 'cohort_gap', gapOf(one.now), {
      ...shared,
      n_current: Math.round(one.now.size),
      n_labelled: Math.round(one.now.size),
      baseline_value: one.before ? gapOf(one.before) : null,
      ...intervalOf(one.now, candidates.length),
      p_value: one.before ? one.p : null,
      reason: tell(one),
    }),
  )
  if (rules.without !== '' || tested.length === 0) {
    const reason =
      rules.without || `fewer than ${MIN_WINDOWS} windows of the baseline hold its cohorts`
    return [
      metricResult('performance', '', 'worst_cohort_gap', largestGap(candidates), {
        ...shared,
        reason,
      }),
      ...worst,
    ]
  }
  const alpha = (rules.windowAlpha * FAMILY_SHARES.cohort_search) / rules.looks
  const adjusted = holm(tested.map(({ p }) => p))
  const least = adjusted.indexOf(smallest(adjusted))
  const found = tested[least]!
  const verdict = pValueVerdict(adjusted[least]!, alpha)
  return [
    metricResult('performance', '', 'worst_cohort_gap', gapOf(found.now), {
      ...shared,
      baseline_value: gapOf(found.before!),
      ...intervalOf(found.now, candidates.length),
      p_value: found.p,
      p_adjusted: adjusted[least]!,
      verdict,
      reason:
        verdict === 'ok'
          ? `${tested.length} cohorts searched, none fell behind the others by more than noise; furthest ${tell(found)}`
          : `${tell(found)}; the surest of ${tested.length} cohorts searched`,
    }),
    ...worst,
  ]
}

const gapOf = ({ own, rest }: Gap) => own - rest
const largestGap = (candidates: readonly Candidate[]) =>
  candidates.reduce((most, { now }) => Math.max(most, gapOf(now)), -Infinity)

/** Cohorts that are worse than the others by more than sampling, the worst first. */
const worstOf = (candidates: readonly Candidate[]) =>
  candidates
    .filter(({ now }) => intervalOf(now, candidates.length).ci_low > 0)
    .toSorted((a, b) => gapOf(b.now) - gapOf(a.now))
    .slice(0, MAX_TOLD)

/** Intervals that hold for all cohorts together. */
function intervalOf(gap: Gap, cohorts: number) {
  const reach = normalQuantile(1 - (1 - CI_LEVEL) / (2 * cohorts)) * Math.sqrt(gap.variance)
  return { ci_low: gapOf(gap) - reach, ci_high: gapOf(gap) + reach, ci_level: CI_LEVEL }
}

function candidatesOf(
  current: CohortLosses,
  reference: CohortLosses | undefined,
  { kind }: SearchRules,
): Candidate[] {
  const before = new Map(
    [...Map.groupBy(reference?.cohorts ?? [], keyOf)].map(([key, own]) => [
      key,
      historyOf(own, reference!, kind),
    ]),
  )
  const candidates = current.cohorts.flatMap((cohort) => {
    const now = gap(cohort, current.totals[cohort.span]!, kind)
    return now ? [{ cohort, now, history: before.get(keyOf(cohort)) }] : []
  })
  const histories = candidates.flatMap(({ history }) => history ?? [])
  const names = new Set(candidates.map(({ cohort }) => cohort.name)).size
  const noise = noiseOf(histories, names)
  return candidates.map(({ cohort, now, history }) => {
    if (!history) return { cohort, now, before: undefined, p: 1 }
    const rise = gapOf(now) - gapOf(history.whole)
    const least = kind === 'class' ? PERFORMANCE_FALL : ERROR_RISE * now.rest
    const t = rise / Math.sqrt(noise.factor * (now.variance + history.whole.variance))
    return {
      cohort,
      now,
      before: history.whole,
      p: rise < least ? 1 : studentTail(t, noise.degrees),
    }
  })
}

/** A cohort in the baseline: as a whole, and how its windows lie about that. */
interface History {
  whole: Gap
  /** (gap − gap of the whole)² / variance of the gap, by window. */
  squares: number[]
}

function historyOf(
  own: readonly CohortLoss[],
  { totals }: CohortLosses,
  kind: LossKind,
): History | undefined {
  const spans = own.flatMap((one) => {
    const found = gap(one, totals[one.span]!, kind)
    return found && found.size >= MIN_CASES ? [found] : []
  })
  if (spans.length < MIN_WINDOWS) return undefined
  const whole = gap(added(own), added(totals), kind)
  if (!whole) return undefined
  return {
    whole,
    squares: spans.map((one) => (gapOf(one) - gapOf(whole)) ** 2 / one.variance),
  }
}

/** How much more the gaps of windows differ than sampling says, pooled over all cohorts. */
function noiseOf(histories: readonly History[], names: number) {
  const squares = histories.flatMap((own) => own.squares)
  const windows = histories.length === 0 ? 0 : squares.length / histories.length
  const mean = squares.reduce((sum, x) => sum + x, 0) / Math.max(1, squares.length)
  return {
    factor: Math.max(1, (mean * windows) / Math.max(1, windows - 1)),
    degrees: Math.max(1, (windows - 1) * Math.min(MAX_INDEPENDENT, Math.max(1, names))),
  }
}

const keyOf = ({ name, part }: CohortLoss) => `${name}\u0001${part}`
const effective = ({ weight, squares }: LossSums) => (squares > 0 ? weight ** 2 / squares : 0)

function added(parts: readonly LossSums[]): LossSums {
  const all = { weight: 0, squares: 0, loss: 0, lossSquares: 0 }
  for (const one of parts) {
    all.weight += one.weight
    all.squares += one.squares
    all.loss += one.loss
    all.lossSquares += one.lossSquares
  }
  return all
}

/** A cohort beside the rest; undefined where one of them is empty. */
function gap(own: LossSums, total: LossSums, kind: LossKind): Gap | undefined {
  const rest = {
    weight: total.weight - own.weight,
    squares: total.squares - own.squares,
    loss: total.loss - own.loss,
    lossSquares: total.lossSquares - own.lossSquares,
  }
  const [a, b] = [side(own, kind), side(rest, kind)]
  if (!(a.size >= 2 && b.size >= 2)) return undefined
  return { own: a.mean, rest: b.mean, variance: a.variance + b.variance, size: a.size }
}

function side(sums: LossSums, kind: LossKind) {
  const size = effective(sums)
  const mean = sums.loss / sums.weight
  // One case of each kind more: a cohort without an error is not free of noise.
  const share = (mean * size + 1) / (size + 2)
  const spread =
    kind === 'class'
      ? share * (1 - share)
      : Math.max(1e-12 * mean ** 2, sums.lossSquares / sums.weight - mean ** 2) *
        (size / (size - 1))
  return { size, mean, variance: spread / size }
}

/** A cohort as people say it: `region=north`, `amount>=10 and <25`. */
function nameOf({ name, part }: CohortLoss, edges: CohortLosses['edges']): string {
  const own = edges.get(name)
  if (!own) return `${name}=${part}`
  const [low, high] = [own[Number(part) - 2], own[Number(part) - 1]]
  const sides = [
    ...(low === undefined ? [] : [`>=${low}`]),
    ...(high === undefined ? [] : [`<${high}`]),
  ]
  return `${name}${sides.length === 0 ? ' given' : sides.join(' and ')}`
}

const wording = (kind: LossKind, { own, rest, size }: Gap) =>
  kind === 'class'
    ? `accuracy ${(1 - own).toFixed(3)} of ${Math.round(size)} labelled, ${(1 - rest).toFixed(3)} elsewhere`
    : `mean absolute error ${own.toPrecision(3)} of ${Math.round(size)} labelled, ${rest.toPrecision(3)} elsewhere`
