/** Reads what windows are compared with: the merged counts, truth and rows of a reference, kept while they stay the same. */
import type { ReferenceData, Drawn } from '../data/reference.ts'
import { largest } from '../../../lib/stats/samples/extremes.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { bucketMs, type Window } from '../../../lib/models/windows.ts'
import { asDeclared } from '../data/declared-features.ts'
import { lossModel } from '../evaluate/estimated-loss.ts'
import { multivariateReference } from '../evaluate/multivariate-drift.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { referenceWindows, windowsWithin } from '../evaluate/reference-series.ts'
import type { ReferenceSpans } from '../plan/references.ts'
import { stepsWithin, type StepCount } from '../plan/due-windows.ts'
import { ALL, keyOf, type Combination } from '../data/cohort.ts'
import type { TruthReader } from '../queries/outcomes/read-once.ts'
import { impliesLabels } from '../queries/outcomes/labelled-outcomes.ts'
import { noOutcomes } from '../data/window-data.ts'

/** Bins and categories of the references that are kept, some 50 bytes each; those that were not asked for longest give way. */
const MOST_KEPT = 150_000
/** What a reference takes beside them: its windows, truth and rows. */
const OWN_SIZE = 400
/** Each costs a forest; more of them tell the noise no better. */
const MOST_SAMPLED_WINDOWS = 20

interface Asked {
  scope: Combination
  /** Up to here all events are thought to have come. */
  passedUntil: number
  outcomesOf: TruthReader
}

/** References that were read, by what they were read from. */
export interface ReferenceCache {
  /** Makes it the one that was asked for last. */
  get: (key: string) => ReferenceData | undefined
  keep: (key: string, data: ReferenceData) => void
}

/** One for all judges of a process: a model is judged now by one of them, now by another. */
export function createReferenceCache(): ReferenceCache {
  const cache = new Map<string, ReferenceData>()
  let kept = 0
  return {
    get: (key) => {
      const data = cache.get(key)
      if (data) {
        cache.delete(key)
        cache.set(key, data)
      }
      return data
    },
    keep: (key, data) => {
      const before = cache.get(key)
      kept += sizeOf(data) - (before ? sizeOf(before) : 0)
      cache.set(key, data)
      for (const [oldest, other] of cache) {
        if (kept <= MOST_KEPT || oldest === key) break
        cache.delete(oldest)
        kept -= sizeOf(other)
      }
    },
  }
}

/** @param cache of this reader alone unless given */
export function referenceReader(
  queries: DriftQueries,
  cache: ReferenceCache = createReferenceCache(),
) {
  async function rowsOf({ modelId, multivariateRows }: Model, window: Window) {
    return multivariateRows > 0 ? queries.rows(modelId, window, multivariateRows) : []
  }

  /** Of the newest windows of a reference. */
  async function rowsOfEach(model: Model, windows: readonly Window[]) {
    const rows: Drawn[][] = []
    for (const window of windows.slice(-MOST_SAMPLED_WINDOWS))
      rows.push(await rowsOf(model, window))
    return rows.filter((own) => own.length > 0)
  }

  /** Counts of a reference, kept while no event or truth of its spans changes. */
  async function referenceData(
    model: Model,
    reference: ReferenceSpans,
    steps: readonly StepCount[],
    { scope, passedUntil, outcomesOf }: Asked,
  ): Promise<ReferenceData> {
    const inside = stepsWithin(steps, reference.spans, bucketMs(model.windows))
    const state = inside.reduce((sum, s) => sum + s.events + s.changes * 1_000_003, 0)
    const end = largest(reference.spans.map((span) => span.end))
    // Until its youngest prediction has come of age, each look finds more truth.
    const implied = impliesLabels(model)
      ? Math.min(passedUntil, end + durationMs(model.labels.horizon))
      : 0
    const keyFor = (judges: boolean) =>
      JSON.stringify([
        model.modelId,
        model.revision,
        reference.spans,
        reference.countedAs,
        state,
        implied,
        keyOf(scope),
        judges,
      ])
    // What a judging reference holds is more than an informing one of the same spans needs.
    for (const judges of reference.judge ? [true] : [true, false]) {
      const known = cache.get(keyFor(judges))
      if (known) return { ...known, name: reference.name, judge: reference.judge }
    }
    const counts = asDeclared(
      await queries.counts(reference.countedAs ?? model.modelId, reference.spans, scope),
      model,
    )
    const windows = reference.judge ? windowsWithin(reference.spans, model, inside) : []
    const isWhole = scope.slice === undefined
    const hasTruth = inside.some((step) => step.changes > 0)
    const isSampled = reference.judge && model.multivariateRows > 0 && keyOf(scope) === keyOf(ALL)
    const data: ReferenceData = {
      name: reference.name,
      judge: reference.judge,
      spans: reference.spans,
      counts,
      outcomes: !reference.judge
        ? undefined
        : !impliesLabels(model) && !hasTruth
          ? noOutcomes(counts.events)
          : await outcomesOf(reference.spans, scope, {
              predictions: counts.events,
              passedUntil,
            }),
      scores:
        reference.judge && model.scoreKind === 'probability' && counts.numeric.has('@score')
          ? await queries.scores(model, reference.spans, scope, passedUntil)
          : undefined,
      losses:
        reference.judge && model.task === 'regression' && isWhole && hasTruth
          ? lossModel(await queries.guesses(model, reference.spans, scope, true))
          : undefined,
      multivariate: isSampled
        ? multivariateReference(
            await rowsOfEach(model, windows.length > 0 ? windows : reference.spans),
          )
        : undefined,
      windows:
        windows.length === 0
          ? undefined
          : referenceWindows(
              windows,
              (await queries.countsBySpan(model.modelId, windows, scope)).map((own) =>
                asDeclared(own, model),
              ),
              model,
            ),
    }
    cache.keep(keyFor(reference.judge), data)
    return data
  }

  return { data: referenceData, rowsOf }
}

function sizeOf({ counts }: ReferenceData): number {
  let size = OWN_SIZE
  for (const { bins } of counts.numeric.values()) size += bins.length
  for (const categories of counts.categories.values()) size += categories.size
  return size
}
