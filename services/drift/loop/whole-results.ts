/**
 * Results of a window as a whole that are read apart from its counts: what of its slices is
 * evaluated, and which producer or version is unlike the others, and which features the model leans on.
 */
import type { MetricResult } from '../data/metric-results.ts'
import { covers, type ReferenceData, type ReferenceWindows } from '../data/reference.ts'
import type { UnitKind, UnitValues } from '../data/unit-values.ts'
import type { WindowInput } from '../data/window-input.ts'
import type { FeatureAttribution } from '../data/attributions.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { evaluateTasks, TASKS_SHARE } from '../evaluate/agents/agent-tasks.ts'
import { evaluateAttributions } from '../evaluate/attribution-drift.ts'
import { evaluateExplorationShare } from '../evaluate/exploration.ts'
import { evaluateOddOneOut } from '../evaluate/cohorts/odd-one-out.ts'
import { cohortsEvaluated } from '../evaluate/cohorts/told.ts'
import {
  learningReason,
  NO_REFERENCE,
  PART_OF_REFERENCE,
  whileLearning,
} from '../evaluate/learning.ts'
import { SENDERS_SHARE } from '../evaluate/silence/senders.ts'
import { THROUGHPUT_SHARE } from '../evaluate/silence/throughput.ts'
import { overridden, windowAlphaOf } from '../evaluate/thresholds.ts'
import { withLevels } from '../evaluate/window-levels.ts'
import type { WindowReaderParts, WindowReading } from './window-input.ts'

/** Windows of the baseline that tell how much units differ, the newest ones. */
const MAX_WINDOWS = 20
/**
 * Events drawn of a window: of one that is compared as many as of each of the baseline, which then
 * tell how much units of this size differ.
 */
const DRAWN = 5000
/** Events whose tasks are read of a window, about. */
const TASK_EVENTS = 500_000

/**
 * Reads and evaluates what the inputs of a window say beside its counts; nothing is read where no
 * producer is named and one version alone answered.
 */
export async function wholeResults(
  parts: WindowReaderParts,
  reading: WindowReading,
  input: WindowInput,
): Promise<MetricResult[]> {
  const { model, queries } = parts
  const { completeness } = reading
  const results = [
    ...cohortsEvaluated(reading.cohorts),
    ...(await oddOnesOfEach(parts, reading, input)),
    ...(model.exploration
      ? evaluateExplorationShare(
          await queries.explorationCounts({ modelId: model.modelId, window: input.window }),
          model.exploration,
        )
      : []),
    ...(await attributionResults(parts, reading, input)),
    ...(await taskResults(parts, input)),
  ]
  return results.map((result) => ({ ...overridden(result, model.overrides), completeness }))
}

/** Producers, where they are named, and versions, where there are several. */
async function oddOnesOfEach(
  parts: WindowReaderParts,
  reading: WindowReading,
  input: WindowInput,
): Promise<MetricResult[]> {
  const { model, state } = parts
  if (!model.cohorts.odd_one_out) return []
  const answering = reading.present.filter(({ shadow }) => !shadow)
  const versions = new Set(answering.map(({ version }) => version))
  const kinds: UnitKind[] = [
    ...(state.isProducing ? (['producer'] as const) : []),
    ...(versions.size > 1 ? (['version'] as const) : []),
  ]
  const results: MetricResult[][] = []
  for (const kind of kinds)
    results.push(await oddOnes(parts, reading, input, { kind, kinds: kinds.length }))
  return results.flat()
}

/** Tasks of a language model's application, by the baseline's windows. */
async function taskResults(
  { queries, model }: WindowReaderParts,
  input: WindowInput,
): Promise<MetricResult[]> {
  if (model.task !== 'llm') return []
  const every = Math.max(1, Math.ceil(input.counts.events / TASK_EVENTS))
  const tasks = await queries.tasks({ modelId: model.modelId, window: input.window, every })
  if (!tasks) return []
  const share = (input.usual === undefined ? 1 : 1 - THROUGHPUT_SHARE - SENDERS_SHARE) * TASKS_SHARE
  // Versions and slices have no tasks of their own, and share none of what may alarm by chance.
  const whole = { ...input, cohorts: 1 }
  return withLevels(evaluateTasks(tasks), 'operations', whole, model, share).map((result) =>
    whileLearning(result, input.learning),
  )
}

/** Attributions of the window beside those of the baseline's windows. */
async function attributionResults(
  { queries, model }: WindowReaderParts,
  { baseline }: WindowReading,
  { counts, window, learning }: WindowInput,
): Promise<MetricResult[]> {
  const { modelId } = model
  if (!(await queries.isAttributed({ modelId, window }))) return []
  const current = await queries.attributions({
    modelId,
    spans: [window],
    every: everyOf(counts.events),
  })
  const without = withoutVerdict(learning, baseline, window)
  const reference = baseline?.windows
    ? await onceOfBaseline(attributionsRead, baseline.windows, 'all', (spans) =>
        queries.attributions({
          modelId,
          spans,
          every: everyOf(baseline.counts.events / baseline.windows!.windows.length),
        }),
      )
    : []
  return evaluateAttributions(current, reference, {
    windowAlpha: windowAlphaOf(model, window),
    minCount: model.windows.min_count,
    reference: baseline?.name ?? '',
    without,
  })
}

const everyOf = (events: number) => Math.max(1, Math.ceil(events / DRAWN))

/** Why a window has no verdict beside its baseline; '' where it has one. */
function withoutVerdict(
  learning: WindowInput['learning'],
  baseline: ReferenceData | undefined,
  window: WindowInput['window'],
): string {
  if (learning) return learningReason(learning)
  if (!baseline) return NO_REFERENCE
  return covers(baseline.spans, window) ? PART_OF_REFERENCE : ''
}

async function oddOnes(
  { queries, model }: WindowReaderParts,
  { baseline }: WindowReading,
  { counts, window, learning }: WindowInput,
  { kind, kinds }: { kind: UnitKind; kinds: number },
): Promise<MetricResult[]> {
  const { modelId } = model
  const current = await queries.unitValues({
    modelId,
    kind,
    spans: [window],
    events: counts.events,
    drawn: DRAWN,
  })
  const without = withoutVerdict(learning, baseline, window)
  return evaluateOddOneOut(
    current,
    baseline?.windows && without === '' && current.counts.length > 1
      ? await onceOfBaseline(unitsRead, baseline.windows, kind, (spans) =>
          queries.unitValues({
            modelId,
            kind,
            spans,
            events: (baseline.counts.events * spans.length) / baseline.windows!.windows.length,
            drawn: DRAWN,
          }),
        )
      : undefined,
    {
      kind,
      kinds,
      windowAlpha: windowAlphaOf(model, window),
      reference: baseline?.name ?? '',
      without,
    },
  )
}

/** What was read of baselines; a baseline whose events change is another object. */
type ReadOnce<T> = WeakMap<ReferenceWindows, Map<string, Promise<T>>>
const unitsRead: ReadOnce<UnitValues> = new WeakMap()
const attributionsRead: ReadOnce<FeatureAttribution[]> = new WeakMap()

/** Reads once for all windows that are compared with the same baseline; a failure is not kept. */
function onceOfBaseline<T>(
  kept: ReadOnce<T>,
  windows: ReferenceWindows,
  what: string,
  read: (spans: readonly Window[]) => Promise<T>,
): Promise<T> {
  const known = kept.get(windows) ?? new Map<string, Promise<T>>()
  kept.set(windows, known)
  const found = known.get(what) ?? read(windows.windows.slice(-MAX_WINDOWS))
  known.set(what, found)
  found.catch(() => known.delete(what))
  return found
}
