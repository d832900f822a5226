/**
 * Results of a window as a whole that are read apart from its counts: what of its slices is
 * evaluated, and which producer or version is unlike the others.
 */
import type { MetricResult } from '../data/metric-results.ts'
import { covers, type ReferenceData, type ReferenceWindows } from '../data/reference.ts'
import type { UnitKind, UnitValues } from '../data/unit-values.ts'
import type { WindowInput } from '../data/window-input.ts'
import { evaluateOddOneOut } from '../evaluate/cohorts/odd-one-out.ts'
import { cohortsEvaluated } from '../evaluate/cohorts/told.ts'
import { learningReason, NO_REFERENCE, PART_OF_REFERENCE } from '../evaluate/learning.ts'
import { overridden, windowAlphaOf } from '../evaluate/thresholds.ts'
import type { WindowReaderParts, WindowReading } from './window-input.ts'

/** Windows of the baseline that tell how much units differ, the newest ones. */
const MAX_WINDOWS = 20
/**
 * Events drawn of a window: of one that is compared as many as of each of the baseline, which then
 * tell how much units of this size differ.
 */
const DRAWN = 5000

/**
 * Reads and evaluates what the inputs of a window say beside its counts; nothing is read where no
 * producer is named and one version alone answered.
 */
export async function wholeResults(
  parts: WindowReaderParts,
  reading: WindowReading,
  input: WindowInput,
): Promise<MetricResult[]> {
  const { model, state } = parts
  const { completeness, present } = reading
  const results = cohortsEvaluated(reading.cohorts)
  if (model.cohorts.odd_one_out) {
    const versions = new Set(present.filter(({ shadow }) => !shadow).map(({ version }) => version))
    const kinds: UnitKind[] = [
      ...(state.isProducing ? (['producer'] as const) : []),
      ...(versions.size > 1 ? (['version'] as const) : []),
    ]
    for (const kind of kinds)
      results.push(...(await oddOnes(parts, reading, input, { kind, kinds: kinds.length })))
  }
  return results.map((result) => ({ ...overridden(result, model.overrides), completeness }))
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
  const without = learning
    ? learningReason(learning)
    : !baseline
      ? NO_REFERENCE
      : covers(baseline.spans, window)
        ? PART_OF_REFERENCE
        : ''
  return evaluateOddOneOut(
    current,
    baseline && without === '' && current.counts.length > 1
      ? await unitsOfBaseline(queries, modelId, kind, baseline)
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

/** Units of baselines; a baseline whose events change is another object. */
const unitsRead = new WeakMap<ReferenceWindows, Map<UnitKind, Promise<UnitValues>>>()

/** Read once for all windows that are compared with the same baseline; a failure is not kept. */
async function unitsOfBaseline(
  queries: WindowReaderParts['queries'],
  modelId: string,
  kind: UnitKind,
  { windows, counts }: ReferenceData,
): Promise<UnitValues | undefined> {
  if (!windows) return undefined
  const known = unitsRead.get(windows) ?? new Map<UnitKind, Promise<UnitValues>>()
  unitsRead.set(windows, known)
  const spans = windows.windows.slice(-MAX_WINDOWS)
  const events = (counts.events * spans.length) / windows.windows.length
  const read = known.get(kind) ?? queries.unitValues({ modelId, kind, spans, events, drawn: DRAWN })
  known.set(kind, read)
  read.catch(() => known.delete(kind))
  return read
}
