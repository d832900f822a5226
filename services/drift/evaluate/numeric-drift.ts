/** How far one numeric subject has moved from a reference. Pure. */
import {
  alignBins,
  atOneResolution,
  unplacedShare,
  sampleSize,
  type BinnedSample,
  type SharedBin,
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
import type { Interval } from '../../../lib/stats/intervals/proportions.ts'
import { spreadOf, type Spread } from '../../../lib/stats/samples/moments.ts'
import { psi } from '../../../lib/stats/distances/psi.ts'
import { squaredDistances, type Bounded } from '../../../lib/stats/distances/squared-distances.ts'
import { wasserstein } from '../../../lib/stats/distances/wasserstein.ts'
import { metricResult, type MetricResult, type Verdict } from '../data/metric-results.ts'
import { KS_MIN_D, KS_P, psiAlarmLine, psiVerdict } from './thresholds.ts'

const PSI_BINS = 10

/**
 * Drift results of one numeric subject: PSI and distances over ten bins of equal mass in the
 * reference, KS, Wasserstein, rank and squared distances. Bounds are given where the bins of the
 * two samples leave a value open; no result is named after its reference yet.
 */
export function numericResults(
  subject: string,
  referenceSample: BinnedSample,
  currentSample: BinnedSample,
): MetricResult[] {
  const [reference, current] = atOneResolution([referenceSample, currentSample]) as [
    BinnedSample,
    BinnedSample,
  ]
  const sizes: Sizes = { n_reference: sampleSize(reference), n_current: sampleSize(current) }
  const imprecise = fullBin(reference) ?? fullBin(current) ?? coarseShare([reference, current])
  const known = { ...sizes, precision: imprecise ? ('bounded' as const) : ('exact' as const) }
  const parts = occupied(equiMassCounts(reference, current, PSI_BINS))
  const spread = spreadOf(reference)
  const bins = alignBins(reference, current)
  return [
    psiResult(subject, parts, known, imprecise),
    ...ksResults(subject, ksInterval(reference, current, bins), sizes),
    // The unit is the standard deviation of the reference, so that features compare.
    inUnits(
      subject,
      'wasserstein',
      wasserstein(reference, current, bins),
      spread,
      reference,
      sizes,
    ),
    rankResult(subject, bins, unplacedShare([reference, current]), sizes),
    ...squares(subject, reference, squaredDistances(reference, current, bins), spread, sizes),
    ...distances(subject, parts, known),
  ]
}

type Sizes = Pick<MetricResult, 'n_reference' | 'n_current'>
/** Counts of the reference and of the window over the same bins. */
type Parts = readonly [readonly number[], readonly number[]]

/** Bins that are not empty on both sides; half a count in those would make two constants differ. */
function occupied([a, b]: Parts): Parts {
  const isUsed = (_: number, i: number) => a[i]! + b[i]! > 0
  return [a.filter(isUsed), b.filter(isUsed)]
}

/** PSI, 0 where one bin holds everything. */
const psiOf = (a: readonly number[], b: readonly number[]) => (a.length > 1 ? psi(a, b) : 0)

/**
 * @param imprecise why the counts of the bins are not exact, a sentence; undefined where they are
 */
function psiResult(
  subject: string,
  parts: Parts,
  known: Sizes & Pick<MetricResult, 'precision'>,
  imprecise: string | undefined,
): MetricResult {
  const value = psiOf(...parts)
  const line = psiAlarmLine(parts[0].length, known.n_reference, known.n_current)
  const bins =
    parts[0].length === 1
      ? 'one bin holds all values of both'
      : `${parts[0].length} bins of equal mass in the reference`
  return metricResult('drift', subject, 'psi', value, {
    ...known,
    threshold: line,
    verdict: psiVerdict(value, line),
    reason: [bins, ...(imprecise ? [imprecise] : [])].join('; '),
  })
}

/** D with its verdict, and D with the p value that independent rows would give. */
function ksResults(subject: string, ks: Interval, sizes: Sizes): MetricResult[] {
  const p = ksPValue(ks.low, sizes.n_reference, sizes.n_current)
  const known = {
    ...sizes,
    precision: ks.low === ks.high ? ('exact' as const) : ('bounded' as const),
    bound_low: ks.low,
    bound_high: ks.high,
  }
  return [
    metricResult('drift', subject, 'ks', ks.low, {
      ...known,
      threshold: KS_MIN_D,
      verdict: ksVerdict(ks.low, p),
    }),
    metricResult('drift', subject, 'ks', ks.low, {
      ...known,
      convention: 'iid',
      p_value: p,
      reason: 'p of independent rows',
    }),
  ]
}

/**
 * The probability that a current value is larger than one of the reference (Mann-Whitney).
 *
 * @param slack share of the values that were placed by estimate
 */
function rankResult(
  subject: string,
  bins: readonly SharedBin[],
  slack: number,
  sizes: Sizes,
): MetricResult {
  const ranks = mannWhitney(bins)
  const low = Math.max(0, ranks.low - slack)
  const high = Math.min(1, ranks.high + slack)
  return metricResult('drift', subject, 'mann_whitney', ranks.value, {
    ...sizes,
    precision: low === high ? 'exact' : 'bounded',
    bound_low: low,
    bound_high: high,
    reason: 'probability that a current value is the larger one',
  })
}

/**
 * A sentence about a bin of several values that holds more than a tenth of them: distances over
 * bins do not see what moves within it. Undefined where there is no such bin.
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

/** A sentence about values of a coarsely counted piece, which are placed as the others lie. */
function coarseShare(samples: readonly BinnedSample[]): string | undefined {
  const share = unplacedShare(samples)
  return share > 0
    ? `${(100 * share).toPrecision(2)} % of the values were counted coarsely, and are placed as the others lie`
    : undefined
}

const short = (x: number) => String(Number(x.toPrecision(8)))

/** A distance in a unit that is itself known within bounds only; null where the unit is 0. */
function inUnits(
  subject: string,
  metric: string,
  { value, low, high }: Bounded,
  unit: Spread,
  reference: BinnedSample,
  sizes: Sizes,
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

/**
 * Distances that square the difference of the distribution functions; the energy distance is that
 * of values divided by their spread.
 */
function squares(
  subject: string,
  reference: BinnedSample,
  { cramerVonMises, andersonDarling, energy }: ReturnType<typeof squaredDistances>,
  spread: Spread,
  sizes: Sizes,
): MetricResult[] {
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
  [a, b]: Parts,
  known: Pick<MetricResult, 'n_reference' | 'n_current' | 'precision'>,
): MetricResult[] {
  // PSI minus its expectation where nothing changed.
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

/** The verdict of D by the fixed default, with the p of independent rows. */
export const ksVerdict = (d: number, p: number): Verdict =>
  p < KS_P && d >= KS_MIN_D ? 'alarm' : 'ok'
