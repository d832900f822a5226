/** How far the inputs and outputs of a model have moved from a reference. Pure. */
import { isFeature } from '../../lib/subjects.ts'
import {
  alignBins,
  onOneGrid,
  sampleSize,
  type BinnedSample,
} from '../../lib/stats/binned-sample.ts'
import {
  categoryTotal,
  compareCategories,
  countOf,
  unseenDivergence,
  type Bounded,
  type CategoryCounts,
  type ComparedCategories,
} from '../../lib/category-counts.ts'
import { chiSquared } from '../../lib/stats/chi-squared.ts'
import { equiMassCounts } from '../../lib/stats/equi-mass-bins.ts'
import {
  hellinger,
  jsDistance,
  kullbackLeibler,
  lInfinity,
  mannWhitney,
  totalVariation,
} from '../../lib/stats/histogram-distances.ts'
import { ksInterval, ksPValue } from '../../lib/stats/ks.ts'
import { standardDeviation } from '../../lib/stats/moments.ts'
import { psi } from '../../lib/stats/psi.ts'
import {
  squaredDistances,
  type Bounded as BoundedDistance,
} from '../../lib/stats/squared-distances.ts'
import { wasserstein } from '../../lib/stats/wasserstein.ts'
import { fact, type Fact, type Verdict } from './facts.ts'
import { KS_LEAST_D, KS_P, psiAlarmLine, psiVerdict } from './rules.ts'
import { effectiveOf, type ReferenceData, valuesOf, type WindowCounts } from './window-data.ts'

const PSI_BINS = 10
/** Model outputs that are numbers but no inputs: judged as operations. */
const NOT_DRIFT = new Set(['@latency_ms', '@cost_usd', '@input_tokens', '@output_tokens'])

export function evaluateDrift(
  current: WindowCounts,
  reference: ReferenceData,
  minCount: number,
): Fact[] {
  const facts: Fact[] = []
  const numeric = new Set([...current.numeric.keys(), ...reference.counts.numeric.keys()])
  const categorical = new Set([...current.categories.keys(), ...reference.counts.categories.keys()])
  for (const subject of [...new Set([...numeric, ...categorical])].toSorted()) {
    if (NOT_DRIFT.has(subject)) continue
    // A subject that comes both as numbers and as text is what most of its reference values are.
    const before = valuesOf(reference.counts, subject)
    const now = valuesOf(current, subject)
    if (before.numbers + now.numbers >= before.texts + now.texts) {
      const a = reference.counts.numeric.get(subject)
      const b = current.numeric.get(subject)
      const own = a && b ? numericFacts(subject, a, b) : [absent(subject, a !== undefined)]
      for (const one of own) facts.push(one)
    } else {
      const a = reference.counts.categories.get(subject)
      const b = current.categories.get(subject)
      const own = a && b ? categoricalFacts(subject, a, b) : [absent(subject, a !== undefined)]
      for (const one of own) facts.push(one)
    }
    if (isFeature(subject)) facts.push(missing(subject, current, now.numbers + now.texts))
  }
  return facts.map((f) => withReference(f, current, reference, minCount))
}

function numericFacts(subject: string, a: BinnedSample, b: BinnedSample): Fact[] {
  const [reference, current] = onOneGrid([a, b]) as [BinnedSample, BinnedSample]
  const n = sampleSize(reference)
  const m = sampleSize(current)
  const sizes = { n_reference: n, n_current: m }
  const parts = equiMassCounts(reference, current, PSI_BINS)
  const value = psi(...parts)
  const line = psiAlarmLine(parts[0].length, n, m)
  const ks = ksInterval(reference, current)
  const exact = ks.low === ks.high
  const p = ksPValue(ks.low, n, m)
  const distance = wasserstein(reference, current)
  const larger = mannWhitney(alignBins(reference, current))
  const spread = standardDeviation(reference)
  return [
    fact('drift', subject, 'psi', value, {
      ...sizes,
      threshold: line,
      verdict: psiVerdict(value, line),
      reason: `${parts[0].length} bins of equal mass in the reference`,
    }),
    fact('drift', subject, 'ks', ks.low, {
      ...sizes,
      precision: exact ? 'exact' : 'bounded',
      bound_low: ks.low,
      bound_high: ks.high,
      threshold: KS_LEAST_D,
      verdict: ksVerdict(ks.low, p),
    }),
    fact('drift', subject, 'ks', ks.low, {
      ...sizes,
      convention: 'iid',
      precision: exact ? 'exact' : 'bounded',
      bound_low: ks.low,
      bound_high: ks.high,
      p_value: p,
      reason: 'p of independent rows',
    }),
    // In standard deviations of the reference, so that features compare; a constant reference has none.
    fact('drift', subject, 'wasserstein', spread > 0 ? distance.value / spread : null, {
      ...sizes,
      precision: distance.low === distance.high ? 'exact' : 'bounded',
      bound_low: spread > 0 ? distance.low / spread : null,
      bound_high: spread > 0 ? distance.high / spread : null,
      reason: spread > 0 ? '' : 'the reference is constant',
    }),
    fact('drift', subject, 'mann_whitney', larger.value, {
      ...sizes,
      precision: larger.low === larger.high ? 'exact' : 'bounded',
      bound_low: larger.low,
      bound_high: larger.high,
      reason: 'probability that a current value is the larger one',
    }),
    ...squares(subject, reference, current, spread, sizes),
    ...distances(subject, parts, n, m),
  ]
}

/** Distances that square the difference of the distribution functions; the energy distance as of values over their spread. */
function squares(
  subject: string,
  reference: BinnedSample,
  current: BinnedSample,
  spread: number,
  sizes: Pick<Fact, 'n_reference' | 'n_current'>,
): Fact[] {
  const { cramerVonMises, andersonDarling, energy } = squaredDistances(reference, current)
  const of = (metric: string, { value, low, high }: BoundedDistance, unit = 1) =>
    fact('drift', subject, metric, unit > 0 ? value / unit : null, {
      ...sizes,
      precision: low === high ? 'exact' : 'bounded',
      bound_low: unit > 0 ? low / unit : null,
      bound_high: unit > 0 ? high / unit : null,
      reason: unit > 0 ? '' : 'the reference is constant',
    })
  return [
    of('cramer_von_mises', cramerVonMises),
    of('anderson_darling', andersonDarling),
    of('energy', energy, Math.sqrt(spread)),
  ]
}

/** Distances over the same bins as PSI. */
function distances(
  subject: string,
  [a, b]: readonly [readonly number[], readonly number[]],
  n: number,
  m: number,
): Fact[] {
  const sizes = { n_reference: n, n_current: m }
  // What PSI is above its expectation under no change.
  const excess = psi(a, b) - (a.length - 1) * (1 / n + 1 / m)
  return [
    fact('drift', subject, 'psi_excess', excess, sizes),
    fact('drift', subject, 'js_distance', jsDistance(a, b), sizes),
    fact('drift', subject, 'hellinger', hellinger(a, b), sizes),
    fact('drift', subject, 'kl', kullbackLeibler(a, b), sizes),
    fact('drift', subject, 'tv', totalVariation(a, b), sizes),
    fact('drift', subject, 'l_infinity', lInfinity(a, b), sizes),
  ]
}

const ksVerdict = (d: number, p: number): Verdict => (p < KS_P && d >= KS_LEAST_D ? 'alarm' : 'ok')

/** Subjects whose D may lie on either side of the line that alarms: counts leave them open. */
export const undecidedKs = (facts: readonly Fact[]): string[] =>
  facts.filter(isUndecided).map(({ subject }) => subject)

const isUndecided = ({ metric, convention, verdict, bound_high, n_reference, n_current }: Fact) =>
  metric === 'ks' &&
  convention === 'plumbline' &&
  verdict === 'ok' &&
  bound_high !== null &&
  ksVerdict(bound_high, ksPValue(bound_high, n_reference, n_current)) === 'alarm'

/** @param current of the same spans, every value a bin of its own; so the reference */
export function settledKs(
  facts: readonly Fact[],
  current: WindowCounts,
  reference: WindowCounts,
): Fact[] {
  return facts.map((f) => {
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

function categoricalFacts(
  subject: string,
  reference: CategoryCounts,
  current: CategoryCounts,
): Fact[] {
  const compared = compareCategories(reference, current)
  const [a, b] = [compared.reference, compared.current]
  const n = categoryTotal(reference)
  const m = categoryTotal(current)
  const sizes = { n_reference: n, n_current: m, ...knownOf(compared) }
  const test = chiSquared(a, b)
  const cells = a.length + (compared.unseen ? 1 : 0)
  const value = (a.length > 1 ? psi(a, b) : 0) + unseenDivergence(compared)
  const line = psiAlarmLine(cells, n, m)
  const how = describeCells(compared)
  return [
    fact('drift', subject, 'psi', value, {
      ...sizes,
      threshold: line,
      verdict: psiVerdict(value, line),
      reason: how,
    }),
    ...(['plumbline', 'iid'] as const).map((convention) =>
      fact('drift', subject, 'chi_squared', test.statistic, {
        ...sizes,
        convention,
        p_value: convention === 'iid' ? test.p : null,
        reason: [
          convention === 'iid' ? 'p of independent rows' : `${test.degrees} degrees of freedom`,
          ...(compared.unseen ? [how] : []),
        ].join('; '),
      }),
    ),
    ...(cells > 1 ? categoricalDistances(subject, compared, sizes, value) : []),
    ...(isFeature(subject) ? [newCategoryRatio(subject, reference, current, compared, sizes)] : []),
  ]
}

/** Distances over the same cells as PSI, which of groups are no larger than those of their categories one by one. */
function categoricalDistances(
  subject: string,
  compared: ComparedCategories,
  sizes: Partial<Fact> & Pick<Fact, 'n_reference' | 'n_current'>,
  psiOfAll: number,
): Fact[] {
  const { reference: a, current: b, unseen, widest } = compared
  const { n_reference: n, n_current: m } = sizes
  const excess = psiOfAll - (a.length - (unseen ? 0 : 1)) * (1 / n + 1 / m)
  const least = (value: number) => (unseen ? { bound_low: value, bound_high: 1 } : {})
  const of = (metric: string, value: number, more: Partial<Fact> = {}) =>
    fact('drift', subject, metric, value, { ...sizes, ...more })
  const [js, root, tv] = [jsDistance(a, b), hellinger(a, b), totalVariation(a, b)]
  return [
    of('psi_excess', excess),
    of('js_distance', js, least(js)),
    of('hellinger', root, least(root)),
    of('kl', a.length > 1 ? kullbackLeibler(a, b) : 0),
    of('tv', tv, least(tv)),
    of('l_infinity', widest.value, certificate(widest)),
  ]
}

/** How well what is made of the cells is known: exactly, where each category is one. */
const knownOf = ({ unseen }: ComparedCategories): Pick<Fact, 'precision'> => ({
  precision: unseen ? 'bounded' : 'exact',
})

const certificate = ({ low, high }: Bounded): Partial<Fact> =>
  low === high ? { precision: 'exact' } : { precision: 'bounded', bound_low: low, bound_high: high }

const describeCells = ({ reference, named, categories, unseen }: ComparedCategories): string =>
  unseen
    ? `${categories} categories: ${named} by name, the rest in ${reference.length - named} groups by hash`
    : `${categories} categories`

function newCategoryRatio(
  subject: string,
  reference: CategoryCounts,
  current: CategoryCounts,
  { fresh, isCut }: ComparedCategories,
  sizes: Partial<Fact>,
): Fact {
  return fact('quality', subject, 'new_category_ratio', fresh.value, {
    ...sizes,
    ...certificate(fresh),
    reason: [
      ...(fresh.high > fresh.low
        ? ['estimated from the categories that both sides keep by name']
        : []),
      ...(fresh.value > 0 ? newCategories(reference, current, isCut) : []),
    ].join('; '),
  })
}

/** The most frequent ones that the reference surely does not have. */
function newCategories(
  reference: CategoryCounts,
  current: CategoryCounts,
  isCut: boolean,
): string[] {
  const fresh = [...current.keys()]
    .filter((name) => countOf(reference, name) === 0 && !reference.has(name))
    .toSorted((x, y) => current.get(y)! - current.get(x)! || (x < y ? -1 : 1))
  if (fresh.length === 0) return []
  const more = fresh.length > 5 ? ` and ${isCut ? 'more' : `${fresh.length - 5} more`}` : ''
  return [
    `new: ${fresh
      .slice(0, 5)
      .map((name) => name.slice(0, 40))
      .join(', ')}${more}`,
  ]
}

const absent = (subject: string, inReference: boolean): Fact =>
  fact('drift', subject, 'psi', null, {
    verdict: 'incomplete',
    reason: inReference ? 'no value in this window' : 'no value in the reference',
  })

function missing(subject: string, current: WindowCounts, present: number): Fact {
  const size = effectiveOf(current)
  return fact(
    'quality',
    subject,
    'missing_ratio',
    size > 0 ? Math.max(0, 1 - present / size) : null,
    {
      n_current: size,
    },
  )
}

/** Names the reference; too little data makes any verdict incomplete, and a reference that does not judge gives none. */
function withReference(
  f: Fact,
  current: WindowCounts,
  reference: ReferenceData,
  minCount: number,
): Fact {
  const named = { ...f, reference: reference.name }
  if (!reference.judge) return { ...named, verdict: 'none' }
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
