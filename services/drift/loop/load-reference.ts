/**
 * Reads what windows are compared with: the merged counts, truth and rows of a reference, kept
 * while they stay the same.
 */
import type { ReferenceData, Drawn, ShorterSeries } from '../data/reference.ts'
import { largest } from '../../../lib/stats/samples/extremes.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { bucketMs, type Window } from '../../../lib/models/windows.ts'
import { asDeclared } from '../data/declared-features.ts'
import { lossModel } from '../evaluate/estimates/estimated-loss.ts'
import { multivariateReference } from '../evaluate/multivariate-drift.ts'
import type { DriftQueries } from '../queries/drift-queries.ts'
import { referenceWindows, windowsWithin } from '../evaluate/reference-series.ts'
import type { ReferenceSpans } from '../plan/references.ts'
import { cutInto } from '../plan/shorter-windows.ts'
import { stepsWithin, type StepCount } from '../plan/due-windows.ts'
import { ALL, keyOf, type Cohort } from '../data/cohort.ts'
import type { TruthReader } from '../queries/outcomes/read-once.ts'
import { impliesLabels } from '../queries/outcomes/labelled-outcomes.ts'
import { noOutcomes } from '../data/window-data.ts'
import { createReferenceCache, type ReferenceCache } from './reading/reference-cache.ts'

/** Each costs a forest; more of them tell the noise no better. */
const MAX_SAMPLED_WINDOWS = 20

/** What the name of a reading depends on, beside the reference. */
interface Named {
  scope: Cohort
  /** Up to here all events are thought to have come. */
  completeUntil: number
  /** Size of shorter windows that tell the noise while a baseline is learned. */
  shorter?: string | undefined
}

interface Asked extends Named {
  outcomesOf: TruthReader
}

/**
 * Reads references, and keeps what was read while no event or outcome of its spans changes.
 *
 * @param cache of this reader alone unless given
 */
export function referenceReader(
  queries: DriftQueries,
  cache: ReferenceCache = createReferenceCache(),
) {
  const look = (
    model: Model,
    reference: ReferenceSpans,
    inside: readonly StepCount[],
    asked: Named,
  ) => {
    const keyFor = keysOf(model, reference, inside, asked)
    // What a baseline holds is more than an informing reference of the same spans needs.
    const known =
      cache.get(keyFor(true)) ?? (reference.baseline ? undefined : cache.get(keyFor(false)))
    return { keyFor, known }
  }
  const insideOf = (model: Model, { spans }: ReferenceSpans, steps: readonly StepCount[]) =>
    stepsWithin(steps, spans, bucketMs(model.windows))
  return {
    rowsOf: (model: Model, window: Window) => rowsOf(queries, model, window),
    /** Whether it has been read, and need not be read again. */
    isKnown: (
      model: Model,
      reference: ReferenceSpans,
      steps: readonly StepCount[],
      asked: Named,
    ): boolean =>
      look(model, reference, insideOf(model, reference, steps), asked).known !== undefined,
    data: async (
      model: Model,
      reference: ReferenceSpans,
      steps: readonly StepCount[],
      asked: Asked,
    ): Promise<ReferenceData> => {
      const inside = insideOf(model, reference, steps)
      const { keyFor, known } = look(model, reference, inside, asked)
      if (known) return { ...known, ...namedBy(reference) }
      const data = await readReference(queries, model, { reference, inside, asked })
      cache.keep(keyFor(reference.baseline), data)
      return { ...data, ...namedBy(reference) }
    },
  }
}

/** What a reference is to a window, whatever is read of it. */
const namedBy = ({ name, baseline, isTrainedOn = false }: ReferenceSpans) => ({
  name,
  baseline,
  isTrainedOn,
})

/** A name for what is read of a reference: it changes with the events and outcomes of its spans. */
function keysOf(
  model: Model,
  reference: ReferenceSpans,
  inside: readonly StepCount[],
  { scope, completeUntil, shorter }: Named,
): (isBaseline: boolean) => string {
  const state = inside.reduce((sum, s) => sum + s.events + s.changes * 1_000_003, 0)
  const end = largest(reference.spans.map((span) => span.end))
  // Each reading finds more negatives that a missing label implies, until the youngest prediction
  // has come of age.
  const implied = impliesLabels(model)
    ? Math.min(completeUntil, end + durationMs(model.labels.horizon))
    : 0
  return (isBaseline) =>
    JSON.stringify([
      model.modelId,
      model.revision,
      reference.spans,
      reference.countedAs,
      state,
      implied,
      keyOf(scope),
      scope.slice?.rest?.except,
      isBaseline,
      shorter,
    ])
}

interface ReferenceQuestion {
  reference: ReferenceSpans
  /** Time buckets of its spans. */
  inside: readonly StepCount[]
  asked: Asked
}

/** Counts of any reference; of a baseline its outcomes, scores, rows and windows too. */
async function readReference(
  queries: DriftQueries,
  model: Model,
  question: ReferenceQuestion,
): Promise<ReferenceData> {
  const { reference, inside, asked } = question
  if (reference.kind === 'table') return readTable(queries, model, question)
  const counted = await queries.counts(
    reference.countedAs ?? model.modelId,
    reference.spans,
    asked.scope,
  )
  const counts = asDeclared(counted, model)
  const known = {
    name: reference.name,
    baseline: reference.baseline,
    spans: reference.spans,
    counts,
  }
  if (!reference.baseline) return { ...known, outcomes: undefined }
  const windows = windowsWithin(reference.spans, model, inside)
  return {
    ...known,
    ...(await readBaselineOutcomes(queries, model, question, counts)),
    multivariate:
      model.multivariateRows > 0 && keyOf(asked.scope) === keyOf(ALL)
        ? multivariateReference(
            await rowsOfEach(queries, model, windows.length > 0 ? windows : reference.spans),
          )
        : undefined,
    windows: await readSeries(queries, model, windows, asked.scope),
    shorter: await readShorter(queries, model, question),
  }
}

/** Shorter windows of a baseline that is being learned; undefined where they are too few. */
async function readShorter(
  queries: DriftQueries,
  model: Model,
  { reference: { spans }, asked: { scope, shorter: size } }: ReferenceQuestion,
): Promise<ShorterSeries | undefined> {
  if (size === undefined) return undefined
  // What differs from part to part of a season is noise of the parts.
  const { season: _, ...declared } = model.windows
  const cut = { ...model, windows: { ...declared, size } }
  const windows = cutInto(size, spans, declared.timezone)
  const series = await readSeries(queries, cut, windows, scope)
  return series && { size, windows: series }
}

/** Counts of a table and what became of its rows: the windows of production tell the noise. */
async function readTable(
  queries: DriftQueries,
  model: Model,
  { reference, asked }: ReferenceQuestion,
): Promise<ReferenceData> {
  const { name, baseline, spans } = reference
  const under = reference.countedAs!
  const c = { ...ALL, ...(asked.scope.slice && { slice: asked.scope.slice }) }
  const counted = c.slice
    ? await queries.slicedTable(under, c)
    : await queries.counts(under, spans, c)
  const outcomes = await queries.truthOfTable({ model, under, c, rows: counted.events })
  return { name, baseline, spans, counts: asDeclared(counted, model), outcomes }
}

/** What a baseline knows of ground truth. */
async function readBaselineOutcomes(
  queries: DriftQueries,
  model: Model,
  { reference, inside, asked }: ReferenceQuestion,
  counts: ReferenceData['counts'],
): Promise<Pick<ReferenceData, 'outcomes' | 'scores' | 'losses'>> {
  const { scope, completeUntil, outcomesOf } = asked
  const { spans } = reference
  const hasTruth = inside.some((step) => step.changes > 0)
  const isWhole = scope.slice === undefined
  return {
    outcomes:
      !impliesLabels(model) && !hasTruth
        ? noOutcomes(counts.events)
        : await outcomesOf(spans, scope, { predictions: counts.events, completeUntil }),
    scores:
      model.scoreKind === 'probability' && counts.numeric.has('@score')
        ? await queries.scores(model, spans, scope, completeUntil)
        : undefined,
    losses:
      model.task === 'regression' && isWhole && hasTruth
        ? lossModel(await queries.scoredRows(model, spans, scope, true))
        : undefined,
  }
}

/** A baseline window by window; undefined where it has too few. */
async function readSeries(
  queries: DriftQueries,
  model: Model,
  windows: readonly Window[],
  scope: Cohort,
) {
  if (windows.length === 0) return undefined
  const counts = await queries.countsBySpan(model.modelId, windows, scope)
  return referenceWindows(
    windows,
    counts.map((own) => asDeclared(own, model)),
    model,
  )
}

async function rowsOf(
  queries: DriftQueries,
  { modelId, multivariateRows }: Model,
  window: Window,
): Promise<Drawn[]> {
  return multivariateRows > 0 ? queries.rows(modelId, window, multivariateRows) : []
}

/** Rows of the newest windows of a reference, those windows alone that have any. */
async function rowsOfEach(
  queries: DriftQueries,
  model: Model,
  windows: readonly Window[],
): Promise<Drawn[][]> {
  const rows: Drawn[][] = []
  for (const window of windows.slice(-MAX_SAMPLED_WINDOWS))
    rows.push(await rowsOf(queries, model, window))
  return rows.filter((own) => own.length > 0)
}
