/**
 * Reads what the next windows of a model hold, and what the references that move with them hold, by
 * one read: statements are what costs, not rows.
 *
 * What is read ahead is read after the counters by which a window is due, as what is read window by
 * window is: `ofOneState` sees what has changed since, and what it reads again is read anew.
 */
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, keyOf, spanGroups, type SpanGroups } from '../../data/cohort.ts'
import type { Due, StepCount } from '../../plan/due-windows.ts'
import type { PastWindow } from '../../plan/learning.ts'
import { pastWindows } from '../../plan/past-windows.ts'
import { referencesFor } from '../../plan/references.ts'
import { unslicedCohorts } from '../../queries/cohorts/present-cohorts.ts'
import type { Counts } from '../../queries/count-queries.ts'
import type { DriftQueries } from '../../queries/drift-queries.ts'
import type { Present } from '../../queries/event-totals.ts'
import { isSliced, withTotals } from '../../queries/window-counts.ts'
import { referenceReader } from '../load-reference.ts'
import type { ModelState } from '../model-state.ts'
import type { ReferenceCache } from './reference-cache.ts'

/** Windows of one read at most. */
const MAX_WINDOWS = 16
/** Features of all windows and cohorts of one read, about: some tens of megabytes of bins. */
const MAX_SUBJECTS = 4000
/** What is read lies within so many times the length of its windows. */
const MAX_SPREAD = 2

/** What was read of some spans; each is given once. */
interface Known {
  present?: Present[] | undefined
  isAttributed?: boolean | undefined
  /** Whether something was published of it. */
  isBegun?: boolean | undefined
  counts?: Map<string, Counts>
}

/** What one pass over a model reads by. */
interface PassParts {
  queries: DriftQueries
  cache: ReferenceCache
  model: Model
  steps: readonly StepCount[]
  state: ModelState
  past: { all: readonly PastWindow[] }
  /** As `WindowQuestion` has it: then nobody asks what was published of a new window. */
  isWhole: boolean
}

/** Reads ahead for one pass over a model. */
export interface ReadAhead {
  /** The questions; each answer that was read ahead is given once, all others are passed on. */
  queries: DriftQueries
  /** References by these questions. */
  references: ReturnType<typeof referenceReader>
  /**
   * Comes before the window at a position of those that are due is evaluated, in their order: reads
   * it and the next ones. A read that fails leaves each of them to be read by itself.
   */
  reach: (position: number) => Promise<void>
}

/**
 * @param due in the order of their ends
 * @returns a reader that begins with one window, and goes on with as many as their features allow
 */
export function readAhead(parts: PassParts, due: readonly Due[]): ReadAhead {
  const { queries, model } = parts
  const known = new Map<string, Known>()
  /** Where the last read began, and the position after it. */
  let [begun, reached] = [0, 0]
  /** Features of what was asked for since the last read. */
  let subjects = 0
  const knownOf = (spans: readonly Window[], asked: string) =>
    asked === model.modelId ? known.get(nameOf(spans)) : undefined

  const present: DriftQueries['present'] = async (question) =>
    taken(knownOf(question.spans, question.modelId), 'present') ?? queries.present(question)
  const isAttributed: DriftQueries['isAttributed'] = async (question) =>
    taken(knownOf([question.window], question.modelId), 'isAttributed') ??
    queries.isAttributed(question)
  const latestResults: DriftQueries['latestResults'] = async (question) =>
    taken(knownOf([question.window], question.modelId), 'isBegun') === false
      ? new Map()
      : queries.latestResults(question)
  const counts: DriftQueries['counts'] = async (asked, spans, c, events) => {
    const ofSpans = isSliced(c) || c.withShadows ? undefined : knownOf(spans, asked)?.counts
    const own = ofSpans?.get(keyOf(c))
    ofSpans?.delete(keyOf(c))
    const found = own
      ? withTotals(own, events ?? (await present({ modelId: asked, spans })), c)
      : await queries.counts(asked, spans, c, events)
    subjects += found.numeric.size + found.categories.size
    return found
  }

  // Something has changed: nothing that was read before it is given any more.
  const progress: DriftQueries['progress'] = (models) => {
    known.clear()
    return queries.progress(models)
  }

  const asked = { ...queries, present, isAttributed, latestResults, counts, progress }
  const references = referenceReader(asked, parts.cache)
  return {
    queries: asked,
    references,
    reach: async (position) => {
      if (position < reached) return
      const most = subjects === 0 ? 1 : (MAX_SUBJECTS * (position - begun)) / subjects
      const next = nextWindows(due, position, Math.min(MAX_WINDOWS, most))
      ;[begun, reached, subjects] = [position, position + next.length, 0]
      known.clear()
      const groups = groupsOf({ ...parts, references }, next.filter(holdsNews))
      // What cannot be read is told of when it is read by itself.
      const found = groups ? await readGroups(parts, groups).catch(() => []) : []
      for (const [spans, one] of found) known.set(nameOf(spans), one)
    },
  }
}

/** Gives what was read, once. */
function taken<K extends keyof Known>(own: Known | undefined, key: K): Known[K] | undefined {
  const value = own?.[key]
  delete own?.[key]
  return value
}

const nameOf = (spans: readonly Window[]) => spans.map(({ start, end }) => `${start}-${end}`).join()

/** Whether a window's inputs are to be evaluated, not its labels alone. */
const holdsNews = ({ events, previous }: Due) => events > 0 && previous?.events !== events

/** Due windows from a position on that are disjoint and near one another, at least one. */
function nextWindows(due: readonly Due[], position: number, most: number): Due[] {
  const first = due[position]!
  const found = [first]
  let length = first.end - first.start
  for (const window of due.slice(position + 1)) {
    length += window.end - window.start
    const isNear = window.end - first.start <= MAX_SPREAD * length
    if (found.length + 1 > most || window.start < found.at(-1)!.end || !isNear) break
    found.push(window)
  }
  return found
}

/**
 * The windows, each a group, and the references that they are shown beside, where the windows before
 * them raise no alarm; a reference that turns out to be another one is read by itself.
 */
function groupsOf(
  { model, state, steps, past, references }: PassParts & Pick<ReadAhead, 'references'>,
  due: readonly Due[],
): SpanGroups | undefined {
  const before = pastWindows(past.all)
  const groups = due.map(({ start, end }) => [{ start, end }])
  for (const { start, end, events } of due) {
    const spans = referencesFor({ start, end }, model, { ...state, windows: before.all })
    for (const reference of spans) {
      const { baseline, modelVersion, countedAs } = reference
      if (baseline || modelVersion !== undefined || countedAs !== undefined) continue
      const asked = { scope: ALL, completeUntil: state.completeUntil }
      if (references.isKnown(model, reference, steps, asked)) continue
      // What is given once is read for one: the window itself, where it is another one's reference.
      const isRead = groups.some((group) => nameOf(group) === nameOf(reference.spans))
      if (!isRead && spanGroups([...groups, reference.spans])) groups.push(reference.spans)
    }
    before.put({ start, end, events, alarmed: false, worst: 'ok', episode: '' })
  }
  return groups.length < 2 ? undefined : spanGroups(groups)
}

/** Reads events, attributions, and the counts of all cohorts that some of the groups have. */
async function readGroups(
  { queries, model: { modelId }, isWhole }: PassParts,
  of: SpanGroups,
): Promise<(readonly [readonly Window[], Known])[]> {
  const present = await queries.presentOfGroups({ modelId, of })
  const windows = of.groups.flatMap(([span, ...more]) => (more.length === 0 ? [span!] : []))
  const attributed = await queries.attributedWindows({ modelId, windows })
  const begun =
    isWhole || windows.length < 2 ? [] : await queries.begunWindows({ modelId, windows })
  const cohorts = unslicedCohorts(present.flat())
  const counts = await queries.countsOfGroups({ modelId, of, cohorts })
  return of.groups.map((spans, i) => [
    spans,
    {
      present: present[i],
      isAttributed: spans.length === 1 ? attributed[windows.indexOf(spans[0]!)] : undefined,
      isBegun: spans.length === 1 ? begun[windows.indexOf(spans[0]!)] : undefined,
      counts: new Map(cohorts.map((c, j) => [keyOf(c), counts[i]![j]!])),
    },
  ])
}
