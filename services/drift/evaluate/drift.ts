/** How far the inputs and outputs of a model have moved from a reference. Pure. */
import type { ReferenceData } from '../data/reference.ts'
import { isFeature, OWN_NUMBERS } from '../../../lib/events/subjects.ts'
import {
  alignBins,
  atOneResolution,
  unplacedShare,
  sampleSize,
  type BinnedSample,
} from '../../../lib/stats/samples/binned-sample.ts'
import { equiMassCounts } from '../../../lib/stats/samples/equi-mass-bins.ts'
import {
  hellinger,
  jsDistance,
  kullbackLeibler,
  lInfinity,
  mannWhitney,
  totalVariation,
} from '../../../lib/stats/distances/histogram-distances.ts'
import { ksInterval, ksPValue } from '../../../lib/stats/distances/ks.ts'
import { spreadOf, type Spread } from '../../../lib/stats/samples/moments.ts'
import { psi } from '../../../lib/stats/distances/psi.ts'
import { squaredDistances, type Bounded } from '../../../lib/stats/distances/squared-distances.ts'
import { wasserstein } from '../../../lib/stats/distances/wasserstein.ts'
import type { Kind } from '../data/declared-features.ts'
import { categoricalResults } from './category-drift.ts'
import { metricResult, type MetricResult, type Verdict } from '../data/metric-results.ts'
import { KS_MIN_D, KS_P, psiAlarmLine, psiVerdict } from './thresholds.ts'
import { effectiveOf, valuesOf, type WindowCounts } from '../data/window-data.ts'

const PSI_BINS = 10
/** Model outputs that are numbers but no inputs: evaluated as operations. */
const NOT_DRIFT: ReadonlySet<string> = new Set(
  OWN_NUMBERS.flatMap(({ subject, isInput }) => (isInput ? [] : [subject])),
)

/**
 * Every result about the inputs and outputs of a window, beside one reference.
 *
 * @param kinds what subjects are by the model file
 */
export function evaluateDrift(
  current: WindowCounts,
  reference: ReferenceData,
  minCount: number,
  kinds: ReadonlyMap<string, Kind> = new Map(),
): MetricResult[] {
  const results: MetricResult[] = []
  const numeric = new Set([...current.numeric.keys(), ...reference.counts.numeric.keys()])
  const categorical = new Set([...current.categories.keys(), ...reference.counts.categories.keys()])
  for (const subject of [...new Set([...numeric, ...categorical])].toSorted()) {
    if (NOT_DRIFT.has(subject)) continue
    for (const one of driftOf(subject, current, reference.counts, kinds.get(subject)))
      results.push(one)
    if (!isFeature(subject)) continue
    const now = valuesOf(current, subject)
    results.push(missing(subject, current, now.numbers + now.texts))
  }
  return results.map((f) => withReference(f, current, reference, minCount))
}

/** @param declared by the model file; what most of its values are unless given */
function driftOf(
  subject: string,
  current: WindowCounts,
  reference: WindowCounts,
  declared: Kind | undefined,
): MetricResult[] {
  const before = valuesOf(reference, subject)
  const now = valuesOf(current, subject)
  const numbers = before.numbers + now.numbers
  const kind = declared ?? (numbers >= before.texts + now.texts ? 'numeric' : 'categorical')
  if (declared === 'categorical' && numbers > 0)
    return [
      unknown(
        subject,
        'declared categorical, and counted as numbers before it was: several codes share a bin',
      ),
    ]
  if (kind === 'numeric') {
    const [a, b] = [reference.numeric.get(subject), current.numeric.get(subject)]
    return a && b ? numericResults(subject, a, b) : [absent(subject, a !== undefined, 'number')]
  }
  const [a, b] = [reference.categories.get(subject), current.categories.get(subject)]
  return a && b ? categoricalResults(subject, a, b) : [absent(subject, a !== undefined, 'value')]
}

function numericResults(subject: string, a: BinnedSample, b: BinnedSample): MetricResult[] {
  const [reference, current] = atOneResolution([a, b]) as [BinnedSample, BinnedSample]
  const n = sampleSize(reference)
  const m = sampleSize(current)
  const sizes = { n_reference: n, n_current: m }
  const full = fullBin(reference) ?? fullBin(current) ?? guessed([reference, current])
  const known = { ...sizes, precision: full ? ('bounded' as const) : ('exact' as const) }
  const parts = occupied(equiMassCounts(reference, current, PSI_BINS))
  const value = psiOf(...parts)
  const line = psiAlarmLine(parts[0].length, n, m)
  const ks = ksInterval(reference, current)
  const exact = ks.low === ks.high
  const p = ksPValue(ks.low, n, m)
  const distance = wasserstein(reference, current)
  const slack = unplacedShare([reference, current])
  const ranks = mannWhitney(alignBins(reference, current))
  const larger = {
    value: ranks.value,
    low: Math.max(0, ranks.low - slack),
    high: Math.min(1, ranks.high + slack),
  }
  const spread = spreadOf(reference)
  return [
    metricResult('drift', subject, 'psi', value, {
      ...known,
      threshold: line,
      verdict: psiVerdict(value, line),
      reason: [
        parts[0].length === 1
          ? 'one bin holds all values of both'
          : `${parts[0].length} bins of equal mass in the reference`,
        ...(full ? [full] : []),
      ].join('; '),
    }),
    metricResult('drift', subject, 'ks', ks.low, {
      ...sizes,
      precision: exact ? 'exact' : 'bounded',
      bound_low: ks.low,
      bound_high: ks.high,
      threshold: KS_MIN_D,
      verdict: ksVerdict(ks.low, p),
    }),
    metricResult('drift', subject, 'ks', ks.low, {
      ...sizes,
      convention: 'iid',
      precision: exact ? 'exact' : 'bounded',
      bound_low: ks.low,
      bound_high: ks.high,
      p_value: p,
      reason: 'p of independent rows',
    }),
    // In standard deviations of the reference, so that features compare; a constant reference has none.
    inUnits(subject, 'wasserstein', distance, spread, reference, sizes),
    metricResult('drift', subject, 'mann_whitney', larger.value, {
      ...sizes,
      precision: larger.low === larger.high ? 'exact' : 'bounded',
      bound_low: larger.low,
      bound_high: larger.high,
      reason: 'probability that a current value is the larger one',
    }),
    ...squares(subject, reference, current, spread, sizes),
    ...distances(subject, parts, known),
  ]
}

/** Bins that are empty on both sides say nothing; half a count in each would make two constants differ. */
function occupied([a, b]: readonly [readonly number[], readonly number[]]): [number[], number[]] {
  const isUsed = (_: number, i: number) => a[i]! + b[i]! > 0
  return [a.filter(isUsed), b.filter(isUsed)]
}

const psiOf = (a: readonly number[], b: readonly number[]) => (a.length > 1 ? psi(a, b) : 0)

/**
 * A bin of several values that holds more of them than a tenth: what moves within it is not seen by distances over bins.
 *
 * @returns a sentence that says so
 */
function fullBin(sample: BinnedSample): string | undefined {
  const n = sampleSize(sample)
  const i = sample.counts.findIndex(
    (count, at) => count > n / PSI_BINS && sample.lows[at] !== sample.highs[at],
  )
  return i === -1
    ? undefined
    : `one bin holds ${((100 * sample.counts[i]!) / n).toFixed(0)} % of the values, between ${short(sample.lows[i]!)} and ${short(sample.highs[i]!)}`
}

/** Values of a coarsely counted piece are placed as the others lie. */
function guessed(samples: readonly BinnedSample[]): string | undefined {
  const share = unplacedShare(samples)
  return share > 0
    ? `${(100 * share).toPrecision(2)} % of the values were counted coarsely, and are placed as the others lie`
    : undefined
}

const short = (x: number) => String(Number(x.toPrecision(8)))

/** A distance in units that are themselves known within bounds only. */
function inUnits(
  subject: string,
  metric: string,
  { value, low, high }: Bounded,
  unit: Spread,
  reference: BinnedSample,
  sizes: Pick<MetricResult, 'n_reference' | 'n_current'>,
): MetricResult {
  const isConstant = unit.high === 0
  return metricResult('drift', subject, metric, unit.value > 0 ? value / unit.value : null, {
    ...sizes,
    precision: low === high && unit.low === unit.high ? 'exact' : 'bounded',
    bound_low: isConstant ? null : low / unit.high,
    bound_high: unit.low > 0 && Number.isFinite(high) ? high / unit.low : null,
    reason:
      unit.value > 0
        ? ''
        : isConstant
          ? 'the reference is constant'
          : `the reference lies in one bin, between ${short(reference.lows[0]!)} and ${short(reference.highs.at(-1)!)}: its spread is not known`,
  })
}

/** Distances that square the difference of the distribution functions; the energy distance as of values over their spread. */
function squares(
  subject: string,
  reference: BinnedSample,
  current: BinnedSample,
  spread: Spread,
  sizes: Pick<MetricResult, 'n_reference' | 'n_current'>,
): MetricResult[] {
  const { cramerVonMises, andersonDarling, energy } = squaredDistances(reference, current)
  const one = { value: 1, low: 1, high: 1 }
  const root = {
    value: Math.sqrt(spread.value),
    low: Math.sqrt(spread.low),
    high: Math.sqrt(spread.high),
  }
  return [
    inUnits(subject, 'cramer_von_mises', cramerVonMises, one, reference, sizes),
    inUnits(subject, 'anderson_darling', andersonDarling, one, reference, sizes),
    inUnits(subject, 'energy', energy, root, reference, sizes),
  ]
}

/** Distances over the same bins as PSI. */
function distances(
  subject: string,
  [a, b]: readonly [readonly number[], readonly number[]],
  known: Pick<MetricResult, 'n_reference' | 'n_current' | 'precision'>,
): MetricResult[] {
  // What PSI is above its expectation under no change.
  const excess = psiOf(a, b) - (a.length - 1) * (1 / known.n_reference + 1 / known.n_current)
  return [
    metricResult('drift', subject, 'psi_excess', excess, known),
    metricResult('drift', subject, 'js_distance', jsDistance(a, b), known),
    metricResult('drift', subject, 'hellinger', hellinger(a, b), known),
    metricResult('drift', subject, 'kl', kullbackLeibler(a, b), known),
    metricResult('drift', subject, 'tv', totalVariation(a, b), known),
    metricResult('drift', subject, 'l_infinity', lInfinity(a, b), known),
  ]
}

const ksVerdict = (d: number, p: number): Verdict => (p < KS_P && d >= KS_MIN_D ? 'alarm' : 'ok')

/** Subjects whose D may lie on either side of the line that alarms: counts leave them open. */
export const undecidedKs = (results: readonly MetricResult[]): string[] =>
  results.filter(isUndecided).map(({ subject }) => subject)

const isUndecided = ({
  metric,
  convention,
  verdict,
  bound_high,
  n_reference,
  n_current,
}: MetricResult) =>
  metric === 'ks' &&
  convention === 'plumbline' &&
  verdict === 'ok' &&
  bound_high !== null &&
  ksVerdict(bound_high, ksPValue(bound_high, n_reference, n_current)) === 'alarm'

/** @param current of the same spans, every value a bin of its own; so the reference */
export function settledKs(
  results: readonly MetricResult[],
  current: WindowCounts,
  reference: WindowCounts,
): MetricResult[] {
  return results.map((f) => {
    const [a, b] = [reference.numeric.get(f.subject), current.numeric.get(f.subject)]
    if (!isUndecided(f) || !a || !b) return f
    const { low: d } = ksInterval(a, b)
    return {
      ...f,
      value: d,
      precision: 'exact',
      bound_low: d,
      bound_high: d,
      verdict: ksVerdict(d, ksPValue(d, sampleSize(a), sampleSize(b))),
      reason: [f.reason, 'settled from raw rows'].filter(Boolean).join('; '),
    }
  })
}

const absent = (subject: string, inReference: boolean, what: 'number' | 'value'): MetricResult =>
  unknown(subject, inReference ? `no ${what} in this window` : `no ${what} in the reference`)

const unknown = (subject: string, reason: string): MetricResult =>
  metricResult('drift', subject, 'psi', null, { verdict: 'incomplete', reason })

function missing(subject: string, current: WindowCounts, present: number): MetricResult {
  const size = effectiveOf(current)
  return metricResult(
    'quality',
    subject,
    'missing_ratio',
    size > 0 ? Math.max(0, 1 - present / size) : null,
    {
      n_current: size,
    },
  )
}

/** Names the reference; too little data makes any verdict incomplete, and a reference that is not the baseline gives none. */
function withReference(
  f: MetricResult,
  current: WindowCounts,
  reference: ReferenceData,
  minCount: number,
): MetricResult {
  const named = { ...f, reference: reference.name }
  if (!reference.baseline) return { ...named, verdict: 'none' }
  if (f.verdict === 'none' || f.verdict === 'incomplete') return named
  if (current.events < minCount)
    return {
      ...named,
      verdict: 'incomplete',
      reason: `${current.events} events, below min_count ${minCount}`,
    }
  if (reference.counts.events < minCount)
    return {
      ...named,
      verdict: 'incomplete',
      reason: `the reference has ${reference.counts.events} events, below min_count ${minCount}`,
    }
  return named
}
