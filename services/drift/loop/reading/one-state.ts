/**
 * Facts of one revision are read from one state: what has been read while a window or what it is
 * compared with changed is read again.
 */
import { bucketMs, type Window } from '../../../../lib/models/windows.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Learning } from '../../data/window-input.ts'
import { stepsWithin, type Due, type StepCount } from '../../plan/due-windows.ts'
import type { ReferenceSpans } from '../../plan/references.ts'
import type { DriftQueries } from '../../queries/drift-queries.ts'

/**
 * Readings of a window at most; the last one is published however it ends, under the counters from
 * before it, so that the window is due again.
 */
const MAX_READINGS = 3

/** What asks once more, for a model whose steps were counted before. */
interface Parts {
  queries: Pick<DriftQueries, 'state' | 'progress'>
  model: Model
  steps: readonly StepCount[]
}

/** What was found of a window, and the spans that it was compared with. */
interface Found {
  spans: readonly Window[]
}

/** A reading, and the question that it answers: with the counters that its facts have. */
interface OneState<T, Q> {
  found: T
  question: Q
}

/**
 * Reads until nothing has changed meanwhile, {@link MAX_READINGS} times at most.
 *
 * Counts of events are stored after everything else of an offset range, and a window is due again
 * when they change: what a range in flight brings into a reading is told of by the next one.
 *
 * @param read reads and evaluates; writes nothing
 */
export async function ofOneState<P extends Parts, Q extends { due: Due }, T extends Found>(
  parts: P,
  question: Q,
  read: (parts: P, question: Q) => Promise<T>,
): Promise<OneState<T, Q>> {
  let asked = { parts, question }
  for (let reading = 1; ; reading++) {
    const found = await read(asked.parts, asked.question)
    const isLast = reading === MAX_READINGS
    if (isLast || (await isUnchanged(asked.parts, asked.question, found)))
      return { found, question: asked.question }
    asked = await askedAnew(asked.parts, asked.question)
  }
}

async function isUnchanged(
  { queries, model, steps }: Parts,
  { due }: { due: Due },
  { spans }: Found,
): Promise<boolean> {
  const window = { start: due.start, end: due.end }
  const now = await queries.state({ model, window, spans })
  const before = sumOf(steps, spans, model)
  return (
    now.events === due.events &&
    now.changes === due.changes &&
    now.referenceEvents === before.events &&
    now.referenceChanges === before.changes
  )
}

/**
 * The spans of the model's own events that a window is compared with: tables and uploads stand under
 * names of their own, and nothing comes into them.
 */
export const comparedSpans = ({
  spans,
  learning,
}: {
  spans: readonly ReferenceSpans[]
  learning: Learning | undefined
}): Window[] => [
  ...spans.flatMap((reference) => (reference.countedAs === undefined ? reference.spans : [])),
  ...(learning?.before && !learning.before.isTrainedOn ? learning.before.spans : []),
]

/** Sum of the steps that reach into the spans, each once. */
function sumOf(steps: readonly StepCount[], spans: readonly Window[], { windows }: Model) {
  const inside = stepsWithin(steps, spans, bucketMs(windows))
  return inside.reduce(
    (sum, { events, changes }) => ({
      events: sum.events + events,
      changes: sum.changes + changes,
    }),
    { events: 0, changes: 0 },
  )
}

/** Asks a question again, of what is stored now. */
async function askedAnew<P extends Parts, Q extends { due: Due }>(parts: P, question: Q) {
  const { queries, model } = parts
  const { steps } = (await queries.progress([model])).get(model.modelId)!
  const { start, end } = question.due
  const own = steps.filter(({ step }) => step >= start && step < end)
  const sum = (of: 'events' | 'changes') => own.reduce((total, step) => total + step[of], 0)
  const due = { ...question.due, events: sum('events'), changes: sum('changes') }
  return { parts: { ...parts, steps }, question: { ...question, due } }
}
