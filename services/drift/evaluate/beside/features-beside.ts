/** Every feature of two sides, what moved most first, with pictures of the first ones. Pure. */
import type { FeatureBeside } from '../../../../schemas/http/side-by-side.ts'
import type { Kind } from '../../data/declared-features.ts'
import { distributionOf } from '../../data/distributions.ts'
import type { MetricResult } from '../../data/metric-results.ts'
import { effectiveOf, missingOf, valuesOf, type WindowCounts } from '../../data/window-data.ts'
import { evaluateDrift } from '../drift.ts'

/** Features of one answer. */
const MAX_FEATURES = 2000
/** Features with the distribution of both sides. */
const PICTURED = 40
const DIGITS = 6

/**
 * @param subject one feature alone; all unless given
 * @param kinds what subjects are by the model file
 */
export function featuresBeside(
  a: WindowCounts,
  b: WindowCounts,
  kinds: ReadonlyMap<string, Kind>,
  subject?: string,
): { features: FeatureBeside[]; leftOut: number } {
  const before = { name: 'a', baseline: true, spans: [], outcomes: undefined, counts: a }
  const results = evaluateDrift(b, before, 0, kinds)
  const bySubject = Map.groupBy(results, (result) => result.subject)
  const features = [...bySubject]
    .filter(([name]) => name !== '' && (subject === undefined || name === subject))
    .map(([name, own]) => featureOf(name, own, a, b))
    .toSorted((x, y) => movedBy(y) - movedBy(x) || (x.subject < y.subject ? -1 : 1))
  return {
    features: features
      .slice(0, MAX_FEATURES)
      .map((feature, i) => (i < PICTURED ? pictured(feature, a, b) : feature)),
    leftOut: Math.max(0, features.length - MAX_FEATURES),
  }
}

/** A value on one side alone moved more than any distance says. */
const movedBy = ({ psi, n_a, n_b }: FeatureBeside) =>
  psi.value ?? ((n_a === 0) === (n_b === 0) ? -1 : Infinity)

function featureOf(
  subject: string,
  results: readonly MetricResult[],
  a: WindowCounts,
  b: WindowCounts,
): FeatureBeside {
  const of = (metric: string) =>
    results.find((one) => one.metric === metric && one.convention === 'plumbline')
  const [psi, ks, js] = [of('psi'), of('ks'), of('js_distance')]
  const n = (side: WindowCounts) => {
    const { numbers, texts } = valuesOf(side, subject)
    return numbers + texts
  }
  return {
    subject,
    psi: distanceOf(psi),
    ks: ks ? distanceOf(ks) : null,
    js_distance: js ? distanceOf(js) : null,
    n_a: n(a),
    n_b: n(b),
    missing_a: missingShare(a, subject),
    missing_b: missingShare(b, subject),
    reason: psi?.reason ?? '',
    shown: null,
  }
}

const distanceOf = (result: MetricResult | undefined): FeatureBeside['psi'] => ({
  value: result?.value ?? null,
  low: result?.bound_low ?? null,
  high: result?.bound_high ?? null,
  precision: result?.precision ?? 'exact',
})

function missingShare(side: WindowCounts, subject: string): number | null {
  const size = effectiveOf(side)
  return size > 0 ? missingOf(side, subject) / size : null
}

function pictured(feature: FeatureBeside, a: WindowCounts, b: WindowCounts): FeatureBeside {
  const shown = distributionOf(feature.subject, b, a)
  const rounded = (share: number) => Number(share.toFixed(DIGITS))
  const bars = shown.bars.map((bar) => ({
    ...bar,
    current: rounded(bar.current),
    reference: bar.reference === null ? null : rounded(bar.reference),
  }))
  return { ...feature, shown: { ...shown, bars } }
}
