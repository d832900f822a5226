/**
 * Facts of one revision are read from one state: what has been read while a window or what it is
 * compared with changed is read again.
 */
import { bucketMs, type Window } from '../../../lib/models/windows.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { stepsWithin, type StepCount } from '../plan/due-windows.ts'
import type { WindowQuestion, WindowReaderParts, WindowReading } from './window-input.ts'

/**
 * Readings of a window at most; the last one is published however it ends, under the counters from
 * before it, so that the window is due again.
 */
const MAX_READINGS = 3

/** What was found of a window, and the spans that it was compared with. */
interface Found {
  spans: readonly Window[]
}

/** A reading, and the question that it answers: with the counters that its facts have. */
export interface OneState<T> {
  found: T
  question: WindowQuestion
}

/**
 * Reads until nothing has changed meanwhile, {@link MAX_READINGS} times at most.
 *
 * Counts of events are stored after everything else of an offset range, and a window is due again
 * when they change: what a range in flight brings into a reading is told of by the next one.
 *
 * @param read reads and evaluates; writes nothing
 */
export async function ofOneState<P extends WindowReaderParts, T extends Found>(
  parts: P,
  question: WindowQuestion,
  read: (parts: P, question: WindowQuestion) => Promise<T>,
): Promise<OneState<T>> {
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
  { queries, model, steps }: WindowReaderParts,
  { due }: WindowQuestion,
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
}: Pick<WindowReading, 'spans' | 'learning'>): Window[] => [
  ...spans.flatMap((reference) => (reference.countedAs === undefined ? reference.spans : [])),
  ...(learning?.before && !learning.before.isTrainedOn ? learning.before.spans : []),
]

/** Of steps that reach into the spans, each once. */
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

/** The same question of what is stored now. */
async function askedAnew<P extends WindowReaderParts>(parts: P, question: WindowQuestion) {
  const { queries, model } = parts
  const { steps } = (await queries.progress([model])).get(model.modelId)!
  const { start, end } = question.due
  const own = steps.filter(({ step }) => step >= start && step < end)
  const sum = (of: 'events' | 'changes') => own.reduce((total, step) => total + step[of], 0)
  const due = { ...question.due, events: sum('events'), changes: sum('changes') }
  return { parts: { ...parts, steps }, question: { ...question, due } }
}
