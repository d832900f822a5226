/**
 * Skew: whether production differs from the table that the model was trained on. Drift asks another
 * question, whether production differs from its own past; either may be so without the other. Pure.
 */
import { compareCategories } from '../../../../lib/sink/counts/compare-categories.ts'
import { categoryTotal } from '../../../../lib/sink/counts/category-counts.ts'
import { isFeature } from '../../../../lib/events/subjects.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { ksInterval } from '../../../../lib/stats/distances/ks.ts'
import { atOneResolution, sampleSize } from '../../../../lib/stats/samples/binned-sample.ts'
import { holm } from '../../../../lib/stats/window-tests/shift-test.ts'
import {
  distanceTail,
  shareTail,
  type DesignEffect,
} from '../../../../lib/stats/window-tests/skew-test.ts'
import { declaredKinds } from '../../data/declared-features.ts'
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import type { ReferenceData } from '../../data/reference.ts'
import { effectiveOf, missingOf, valuesOf, type WindowCounts } from '../../data/window-data.ts'
import type { WindowInput } from '../../data/window-input.ts'
import { NOT_DRIFT } from '../drift.ts'
import { FAMILY_SHARES, pValueVerdict, windowAlphaOf } from '../thresholds.ts'
import { baselineOf } from '../window-levels.ts'
import { noiseOfProduction, type NoiseOfProduction } from './production-noise.ts'

/**
 * The smallest difference that matters: of two distribution functions (D), of the share of a
 * category, of the share of missing values.
 */
export const SMALLEST_SKEW = 0.05
/** What skew has of the budget of drift, where there is a table; drift has the rest. */
export const SKEW_SHARE = 0.25

/** The table that skew is asked against; undefined where there is none. */
export const trainedOn = ({ references }: Pick<WindowInput, 'references'>) =>
  references.find(({ isTrainedOn }) => isTrainedOn)

/** One comparison, before it is corrected for the others. */
interface Tested {
  result: MetricResult
  /** p at the least and at the largest difference that the counts leave open. */
  p: number
  pOfHigh: number
  /** What is known of how production varies, in words. */
  noise: string
}

/** Results of skew of one cohort, and a row for every table that could not be read. */
export function evaluateSkew(input: WindowInput, model: Model): MetricResult[] {
  const table = trainedOn(input)
  const unread = input.isSlice ? [] : [...(input.unread ?? [])]
  const failed = unread.map(([reference, reason]) =>
    metricResult('drift', '', 'skew', null, { verdict: 'incomplete', reason, reference }),
  )
  if (!table) return failed
  const few = tooFew(input.counts, table, model.windows.min_count)
  const tested = skewTests(input, table, model)
  const alpha = windowAlphaOf(model, input.window) * FAMILY_SHARES.drift * SKEW_SHARE
  const corrected = (p: readonly number[]) => holm(p, p.length * input.cohorts)
  const low = corrected(tested.flatMap(({ p }) => p))
  const high = corrected(tested.flatMap(({ pOfHigh }) => pOfHigh))
  return [
    ...failed,
    ...tested.map(({ result, p, noise }, i) => {
      const own = { ...result, reference: table.name, p_value: p, p_adjusted: low[i]! }
      if (few !== undefined) return { ...own, verdict: 'incomplete' as const, reason: few }
      return decided(own, { least: low[i]!, most: high[i]! }, alpha, noise)
    }),
    ...absentFeatures(input, table),
  ]
}

/**
 * The verdict of a difference of which only bounds are known: an alarm where even the least that it
 * can be is one, `incomplete` where the most that it can be is one and the least is not.
 */
function decided(
  result: MetricResult,
  adjusted: { least: number; most: number },
  alpha: number,
  noise: string,
): MetricResult {
  const verdict = pValueVerdict(adjusted.least, alpha)
  const isOpen = verdict === 'ok' && pValueVerdict(adjusted.most, alpha) !== 'ok'
  const matters = `${SMALLEST_SKEW} matters`
  return {
    ...result,
    verdict: isOpen ? 'incomplete' : verdict,
    reason: [
      isOpen
        ? `${result.reason}: the counts leave open whether it matters (${matters})`
        : `${result.reason}; ${matters}`,
      noise,
      `alarm at an adjusted p of ${alpha.toPrecision(2)}`,
    ].join('; '),
  }
}

function tooFew(current: WindowCounts, table: ReferenceData, minCount: number): string | undefined {
  if (current.events < minCount) return `${current.events} events, below min_count ${minCount}`
  const { events } = table.counts
  return events < minCount
    ? `${table.name} has ${events} rows, below min_count ${minCount}`
    : undefined
}

function skewTests(input: WindowInput, table: ReferenceData, model: Model): Tested[] {
  const { counts } = input
  const noise = noiseOfProduction(baselineOf(input)?.windows)
  const kinds = declaredKinds(model)
  const subjects = new Set([...table.counts.numeric.keys(), ...table.counts.categories.keys()])
  return [...subjects].toSorted().flatMap((subject) => {
    if (NOT_DRIFT.has(subject) || !isSent(subject, input)) return []
    const before = valuesOf(table.counts, subject)
    const now = valuesOf(counts, subject)
    const numbers = before.numbers + now.numbers
    const isNumeric =
      (kinds.get(subject) ?? (numbers >= before.texts + now.texts ? 'numeric' : '')) === 'numeric'
    const found = isNumeric
      ? numericSkew(subject, table, counts, noise)
      : categorySkew(subject, table, counts, noise)
    return [...found, ...(isFeature(subject) ? missingSkew(subject, table, counts, noise) : [])]
  })
}

/** Whether production knows a subject: the window has it, or the windows before had. */
function isSent(subject: string, input: WindowInput): boolean {
  const before = baselineOf(input)?.counts
  return [input.counts, before].some(
    (counts) => counts?.numeric.has(subject) === true || counts?.categories.has(subject) === true,
  )
}

/** Features of the table that production has never sent: told once, never alarmed. */
function absentFeatures(input: WindowInput, table: ReferenceData): MetricResult[] {
  const { numeric, categories } = table.counts
  const absent = [...new Set([...numeric.keys(), ...categories.keys()])].filter(
    (subject) => isFeature(subject) && !isSent(subject, input),
  )
  if (absent.length === 0) return []
  const named = absent.toSorted().slice(0, MAX_NAMED)
  const more = absent.length > named.length ? ` and ${absent.length - named.length} more` : ''
  return [
    metricResult('drift', '', 'skew', null, {
      verdict: 'incomplete',
      reference: table.name,
      reason: `production sends no ${named.map((name) => name.slice(0, 40)).join(', ')}${more}, which ${table.name} has`,
    }),
  ]
}

const MAX_NAMED = 5

function numericSkew(
  subject: string,
  table: ReferenceData,
  counts: WindowCounts,
  noise: NoiseOfProduction,
): Tested[] {
  const [before, now] = [table.counts.numeric.get(subject), counts.numeric.get(subject)]
  if (!before || !now || sampleSize(before) === 0 || sampleSize(now) === 0) return []
  const [a, b] = atOneResolution([before, now]) as [typeof before, typeof now]
  const { low, high } = ksInterval(a, b)
  const sizes = { n_reference: sampleSize(a), n_current: sampleSize(b) }
  const effect = noise.ofNumber(subject)
  // What does not matter decides nothing, however sure it is.
  const tail = (d: number) =>
    d < SMALLEST_SKEW ? 1 : distanceTail(d, sizes.n_reference, sizes.n_current, effect)
  const isExact = low === high
  const surely = isExact ? '' : ` (surely ${low.toFixed(3)} to ${high.toFixed(3)})`
  return [
    {
      result: metricResult('drift', subject, 'skew', low, {
        ...sizes,
        precision: isExact ? 'exact' : 'bounded',
        bound_low: low,
        bound_high: high,
        reason: `its distribution is ${low.toFixed(3)} from that of ${table.name}${surely}`,
      }),
      p: tail(low),
      pOfHigh: tail(high),
      noise: noiseInWords(effect),
    },
  ]
}

function categorySkew(
  subject: string,
  table: ReferenceData,
  counts: WindowCounts,
  noise: NoiseOfProduction,
): Tested[] {
  const [before, now] = [table.counts.categories.get(subject), counts.categories.get(subject)]
  const [n, m] = [categoryTotal(before), categoryTotal(now)]
  if (!before || !now || n === 0 || m === 0) return []
  const compared = compareCategories(before, now)
  const effect = noise.ofCategories(subject)
  const { widest } = compared
  // Cells that differ by less than what matters decide nothing.
  const cells = compared.reference
    .slice(0, compared.named)
    .map((count, i) => ({ count, size: n, now: { count: compared.current[i]!, size: m } }))
    .filter((cell) => Math.abs(cell.count / n - cell.now.count / m) >= SMALLEST_SKEW)
  const p = cells.reduce(
    (least, cell) => Math.min(least, compared.named * shareTail(cell, cell.now, effect)),
    1,
  )
  const isExact = widest.low === widest.high
  const surely = isExact ? '' : ` (surely ${widest.low.toFixed(3)} to ${widest.high.toFixed(3)})`
  return [
    {
      result: metricResult('drift', subject, 'skew', widest.value, {
        n_reference: n,
        n_current: m,
        precision: isExact ? 'exact' : 'bounded',
        bound_low: widest.low,
        bound_high: widest.high,
        reason: `the share of one category is ${widest.value.toFixed(3)} from that in ${table.name}${surely}`,
      }),
      p,
      // Categories that are not kept by name have no known share.
      pOfHigh: isExact || widest.high < SMALLEST_SKEW ? p : 0,
      noise: noiseInWords(effect),
    },
  ]
}

function missingSkew(
  subject: string,
  table: ReferenceData,
  counts: WindowCounts,
  noise: NoiseOfProduction,
): Tested[] {
  const before = { count: missingOf(table.counts, subject), size: effectiveOf(table.counts) }
  const now = { count: missingOf(counts, subject), size: effectiveOf(counts) }
  if (before.size === 0 || now.size === 0) return []
  const value = now.count / now.size - before.count / before.size
  const effect = noise.ofMissing(subject)
  const p = Math.abs(value) < SMALLEST_SKEW ? 1 : shareTail(before, now, effect)
  const percent = ({ count, size }: typeof now) => `${((100 * count) / size).toFixed(1)} %`
  return [
    {
      result: metricResult('drift', subject, 'missing_skew', value, {
        n_reference: before.size,
        n_current: now.size,
        reason: `missing in ${percent(now)}, in ${table.name} in ${percent(before)}`,
      }),
      p,
      pOfHigh: p,
      noise: noiseInWords(effect),
    },
  ]
}

const noiseInWords = ({ factor, meanSize }: DesignEffect): string =>
  meanSize === 0
    ? 'rows taken as independent, since how production varies is not known yet'
    : `windows of production vary ${factor.toPrecision(2)} times as much as independent rows`
