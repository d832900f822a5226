/**
 * What the labels of a window as a whole say beside its performance: in which cohorts the model has
 * become worst, and what its choices earned.
 */
import type { LossKind } from '../data/cohort-losses.ts'
import type { MetricResult } from '../data/metric-results.ts'
import { covers } from '../data/reference.ts'
import type { WindowInput } from '../data/window-input.ts'
import { evaluateCohortSearch } from '../evaluate/cohorts/search.ts'
import { evaluatePolicy } from '../evaluate/exploration.ts'
import { learningReason, NO_REFERENCE, PART_OF_REFERENCE } from '../evaluate/learning.ts'
import { overridden, windowAlphaOf } from '../evaluate/thresholds.ts'
import type { WindowReaderParts, WindowReading } from './window-input.ts'

/** Windows of the baseline that tell its noise, the newest ones. */
const MAX_WINDOWS = 20
/** Predictions drawn of the window, and of each window of the baseline, about. */
const DRAWN = 20_000
const DRAWN_OF_BASELINE = 5000

/** What a model that chooses actions earned; nothing of other models. */
export async function policyResults(
  { queries, model }: WindowReaderParts,
  { impliedUntil: completeUntil }: WindowReading,
  { outcomes, window, maturity }: WindowInput,
): Promise<MetricResult[]> {
  if (!model.exploration || outcomes.labelled === 0) return []
  const actions = await queries.loggedActions({ model, window, completeUntil })
  return evaluatePolicy(actions, maturity).map((result) => overridden(result, model.overrides))
}

/** The search of a window whose model file asks for it; nothing where no label has come. */
export async function searchResults(
  { queries, model }: WindowReaderParts,
  { baseline, impliedUntil }: WindowReading,
  input: WindowInput,
): Promise<MetricResult[]> {
  const { search } = model.cohorts
  const kind = lossKindOf(input)
  if (!search || !kind || model.task === 'ranking') return []
  const { window, counts } = input
  const of = { model, kind, completeUntil: impliedUntil }
  const current = await queries.cohortLosses(
    { ...of, spans: [window], every: everyOf(counts.events, DRAWN) },
    search,
  )
  const without = withoutVerdict(input, baseline)
  const spans = baseline?.windows?.windows.slice(-MAX_WINDOWS) ?? []
  const eventsOfEach = (baseline?.counts.events ?? 0) / (baseline?.windows?.windows.length ?? 1)
  const reference =
    without === '' && spans.length > 0 && current.cohorts.length > 0
      ? await queries.sameCohortLosses(
          { ...of, spans, every: everyOf(eventsOfEach, DRAWN_OF_BASELINE) },
          current,
        )
      : undefined
  const results = evaluateCohortSearch(current, reference, {
    kind,
    windowAlpha: windowAlphaOf(model, window),
    looks: model.labels.evaluate_at.length,
    reference: baseline?.name ?? '',
    without,
  })
  return results.map((result) => ({
    ...overridden(result, model.overrides),
    label_maturity: input.maturity,
  }))
}

const everyOf = (events: number, drawn: number) => Math.max(1, Math.ceil(events / drawn))

function lossKindOf({ outcomes }: WindowInput): LossKind | undefined {
  if (outcomes.labelled === 0) return undefined
  return outcomes.errors ? 'number' : outcomes.confusion ? 'class' : undefined
}

function withoutVerdict(
  { learning, window, maturity }: WindowInput,
  baseline: WindowReading['baseline'],
): string {
  if (learning) return learningReason(learning)
  if (!baseline) return NO_REFERENCE
  if (covers(baseline.spans, window)) return PART_OF_REFERENCE
  return maturity === 0 ? 'younger than the label horizon' : ''
}
