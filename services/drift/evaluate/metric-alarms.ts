/**
 * Performance, operations and feedback evaluated on a budget: a number alarms when it is worse than
 * those of the reference's windows by more than these differ, and by more than matters, in one
 * window or in several together. Pure. The method is told in `docs/alarms.md`.
 */
import { covers, MIN_WINDOWS, type ReferenceData } from '../data/reference.ts'
import { levelTail, type Level } from '../../../lib/stats/window-tests/level-test.ts'
import {
  byItself,
  evidenceTail,
  isLasting,
  jointEvidence,
  levelEvidence,
  type LevelEvidence,
} from '../../../lib/stats/window-tests/level-evidence.ts'
import { holm } from '../../../lib/stats/window-tests/shift-test.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { isEvaluated, type MetricResult } from '../data/metric-results.ts'
import { joined, levelReason } from './reasons/reasons.ts'
import {
  levelKey,
  sizeOf,
  standardErrorOf,
  type LevelHistory,
  type PastLevel,
} from '../data/past-metrics.ts'
import { fallScale, hasScale, isMeaning, questionOf, scaleOf, sharesOf } from './metric-scales.ts'
import type { Scale } from './metric-scales.ts'
import { coveredTwice } from './reference-series.ts'
import { FAMILY_SHARES, pValueVerdict, marked } from './thresholds.ts'

/** What verdicts on a number depend on besides the number and its history. */
export interface LevelRules {
  window: Window
  /** Share of windows that may alarm by chance, over all families. */
  windowAlpha: number
  /** Cohorts (versions, variants, slices) that are evaluated beside this one, this one included. */
  cohorts: number
  /** Interim looks at which performance of the window is evaluated. */
  looks: number
  minCount: number
}

/** Families whose numbers are evaluated by those of the reference's windows. */
export type LevelFamily = 'performance' | 'operations' | 'feedback'

/** A number with the windows it is seen against, the tested one last. */
interface Series {
  result: MetricResult
  scale: Scale
  reference: readonly PastLevel[]
  since: readonly PastLevel[]
}

interface Tested extends Series {
  evidence: LevelEvidence
  p: number
  pAdjusted: number
}

/**
 * Gives the verdicts of one family by the noise between windows. Performance that cannot be
 * evaluated so keeps its fixed default, and its reason says so; operations have no fixed default.
 *
 * @param results of one family
 */
export function withLevelVerdicts(
  results: readonly MetricResult[],
  family: LevelFamily,
  reference: ReferenceData | undefined,
  history: LevelHistory,
  rules: LevelRules,
): MetricResult[] {
  if (!reference || covers(reference.spans, rules.window)) return [...results]
  const canBeEvaluated = evaluable(results)
  const series = results.flatMap((result) =>
    canBeEvaluated(result) ? (seriesOf(result, history, rules) ?? []) : [],
  )
  const alpha = rules.windowAlpha * FAMILY_SHARES[family]
  const tested = new Map(testedOf(series, reference, alpha, rules).map((one) => [one.result, one]))
  return results.map((result) => {
    const found = tested.get(result)
    if (!found) return marked(result, `fewer than ${MIN_WINDOWS} reference windows hold it`)
    const { p, pAdjusted } = found
    const verdict = pValueVerdict(pAdjusted, alpha)
    const key = levelKey(result)
    const [before, since] = [history.reference.get(key) ?? [], history.since.get(key) ?? []]
    return {
      ...result,
      p_value: p,
      p_adjusted: pAdjusted,
      threshold: null,
      reference: reference.name,
      verdict,
      reason: joined(
        verdict !== 'ok' && lastingReason(found),
        levelReason(result, verdict, before, since),
      ),
    }
  })
}

/**
 * Selects the results that can have a verdict. Performance has one where the fixed default gave one
 * to any of its metrics, so that ground truth is enough. Calibration of a part of the score is only
 * shown.
 */
function evaluable(results: readonly MetricResult[]): (result: MetricResult) => boolean {
  const hasTruth = results.some(isEvaluated)
  return (result) =>
    result.value !== null &&
    result.convention === 'plumbline' &&
    (result.method === 'observed' || result.method === 'weighted') &&
    hasScale(result.metric) &&
    (result.family !== 'performance' ||
      isEvaluated(result) ||
      (hasTruth && isMeaning(result.metric)))
}

/** The number beside those it is compared with; undefined where they are too few. */
function seriesOf(
  result: MetricResult,
  history: LevelHistory,
  { window, minCount }: LevelRules,
): Series | undefined {
  if (sizeOf(result) < minCount) return undefined
  const key = levelKey(result)
  const scale = scaleOf(
    result,
    (history.reference.get(key) ?? []).filter(({ size }) => size >= minCount),
  )
  if (!scale) return undefined
  const usable = (past: readonly PastLevel[] = []) =>
    past.filter(({ value, size }) => size >= minCount && Number.isFinite(scale.of(value, size)))
  const reference = usable(history.reference.get(key))
  const now = {
    ...window,
    value: result.value!,
    size: sizeOf(result),
    standardError: standardErrorOf(result),
    alarmed: false,
  }
  if (reference.length < MIN_WINDOWS || usable([now]).length === 0) return undefined
  return { result, scale, reference, since: [...usable(history.since.get(key)), now] }
}

/**
 * Tests numbers by the questions they answer: metrics that ask one question share one test, and the
 * correction counts questions. A metric of a question alarms with it, if it would by itself.
 */
function testedOf(
  series: readonly Series[],
  reference: ReferenceData,
  alpha: number,
  { cohorts, looks }: LevelRules,
): Tested[] {
  const questions = [...Map.groupBy(series, ({ result }) => questionOf(result).name).values()].map(
    (members) => ({ members, question: questionOf(members[0]!.result) }),
  )
  const weights = questions.map(({ question }) => question.weight)
  const total = weights.reduce((sum, weight) => sum + weight, 0) * cohorts * looks
  const answers = questions.map(({ members, question }) => {
    const shares = sharesOf(
      question,
      members.map(({ result }) => result.metric),
    )
    const evidence = members.map((own, i) =>
      evidenceOf(own, reference, (alpha * question.weight * shares[i]!) / total),
    )
    return { members, evidence, p: evidenceTail(jointEvidence(evidence, shares)) }
  })
  const adjusted = holm(
    answers.map(({ p }) => p),
    total,
    weights,
  )
  return answers.flatMap(({ members, evidence, p: joint }, q) =>
    members.map((own, i): Tested => {
      const p = evidenceTail(evidence[i]!)
      const pAdjusted = Math.min(1, adjusted[q]! * Math.max(1, p / joint))
      return { ...own, evidence: evidence[i]!, p, pAdjusted }
    }),
  )
}

/** @param alpha of this number alone */
function evidenceOf(
  { result, scale: plain, reference, since }: Series,
  { windows }: ReferenceData,
  alpha: number,
): LevelEvidence {
  const scale = fallScale(plain, result.metric, reference)
  // Phases count windows that have the number.
  const season =
    windows?.season &&
    coveredTwice(
      windows.season.length,
      reference.map(({ start }) => windows.phaseOf(start)),
    )
  const toLevel = (past: PastLevel): Level => ({
    value: scale.of(past.value, past.size),
    size: past.size,
    standardError: scale.error(past),
    phase: season ? windows.phaseOf(past.start) : 0,
  })
  const { leastEffect, worse } = scale
  const subject = { reference: reference.map(toLevel), leastEffect, worse }
  const evidence =
    result.family === 'performance' &&
    levelEvidence({ ...subject, history: since.map(toLevel), alpha }, season)
  if (evidence) return evidence
  const calm = since.slice(since.findLastIndex(({ alarmed }) => alarmed) + 1)
  return byItself(levelTail({ ...subject, history: calm.map(toLevel) }, season))
}

/** What a verdict rests on that no single window shows; '' where the window does. */
function lastingReason({ evidence, reference, since, result }: Tested): string {
  if (!isLasting(evidence)) return ''
  const recent = since.slice(-evidence.windows)
  const now = meanOf(recent)
  const size = recent.reduce((sum, own) => sum + own.size, 0)
  const error = Math.hypot(...recent.map((own) => (own.size * own.standardError) / size))
  const interval = [now - 1.96 * error, now + 1.96 * error].map((x) => x.toPrecision(3))
  const name = [result.metric, result.subject].filter(Boolean).join(' of ')
  return `${name} is ${now.toPrecision(3)} [${interval.join(', ')}] over the last ${evidence.windows} windows where the baseline's was ${meanOf(reference).toPrecision(3)}`
}

/** Mean over windows, each with as much weight as cases stand behind it. */
function meanOf(levels: readonly PastLevel[]): number {
  const total = levels.reduce((sum, { size }) => sum + size, 0)
  return levels.reduce((sum, { size, value }) => sum + size * value, 0) / total
}
