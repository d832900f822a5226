/** Which past windows a model is compared with. Pure. */
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { MIN_WINDOWS } from '../data/reference.ts'
import {
  completeApart,
  learnedBefore,
  nameOfRenewed,
  overlaps,
  promotionBefore,
  renewalFor,
  type Past,
  type PastWindow,
} from './learning.ts'
import { TABLE_SPAN, uploadedId, type PutReference } from './stored-references.ts'

const DEFAULT_WINDOWS = 4

/** A reference of one window: where its events lie, or under which id they are counted. */
export interface ReferenceSpans {
  name: string
  kind: PutReference['kind']
  /** Verdicts of drift come from it. */
  baseline: boolean
  /** Verdicts of skew come from it: it is the table that production is held against. */
  isTrainedOn?: boolean
  spans: Window[]
  /** Only this version's predictions; all when undefined. */
  modelVersion?: string | undefined
  /** How often the reference was put over HTTP; 1 of one that the model file declares. */
  revision: number
  /** The model under which its counts stand; the model itself when undefined. */
  countedAs?: string | undefined
}

/**
 * The spans of every reference of a model for one window; a reference that has no span yet is left
 * out.
 */
export function referencesFor(window: Window, model: Model, past: Past): ReferenceSpans[] {
  const all: Record<string, PutReference> = { ...past.put, ...model.references }
  const renewal = renewalFor(window, model, past)
  const training = trainingTable(window, model, past)
  const declared = Object.entries(all).flatMap(([name, reference]) => {
    const own = spansOf(name, reference, window, model, past)
    const isOwn = reference.kind !== 'table'
    const baseline = isOwn && (reference.baseline ?? false) && renewal === undefined
    const spans = baseline && own.length > 0 ? withAccepted(own, past.accepted, window) : own
    const promoted =
      reference.kind === 'since_promotion' ? promotionBefore(window, past) : undefined
    return spans.length === 0
      ? []
      : [
          {
            name,
            kind: reference.kind,
            baseline,
            ...(name === training && { isTrainedOn: true }),
            spans,
            modelVersion: promoted?.version ?? versionOf(reference),
            revision: revisionOf(name, reference, past),
            countedAs:
              reference.kind === 'uploaded' || reference.kind === 'table'
                ? uploadedId(model.modelId, name, revisionOf(name, reference, past))
                : undefined,
          },
        ]
  })
  if (!renewal) return declared
  const own = learnedBefore(window, renewal.at, { of: MIN_WINDOWS, model, past })
  if (own.length === 0) return declared
  const accepted = past.accepted.filter(({ start }) => start >= renewal.at)
  const spans = withAccepted(own, accepted, window)
  return [
    ...declared,
    {
      name: nameOfRenewed(renewal),
      kind: 'since_promotion',
      baseline: true,
      spans,
      modelVersion: undefined,
      revision: 1,
    },
  ]
}

/** Rows of a table have no version, whatever version they trained. */
const versionOf = ({ kind, model_version }: PutReference) =>
  kind === 'table' ? undefined : model_version

/** How often a reference was put, or its table read. */
const revisionOf = (name: string, { kind, revision }: PutReference, { put }: Past) =>
  (kind === 'table' ? put[name]?.revision : revision) ?? 1

/** Whether a table has been read as it is now. */
const isRead = (name: string, { put, unread }: Past) =>
  put[name]?.kind === 'table' && unread?.has(name) !== true

/**
 * The table that production is held against: the one with `baseline: true`, else the first of the
 * model file, else the first that was put. None while another version leads than the one it
 * trained.
 */
function trainingTable(window: Window, model: Model, past: Past): string | undefined {
  const tables = ([, { kind }]: [string, PutReference]) => kind === 'table'
  const declared = Object.entries(model.references).filter(tables)
  const put = Object.entries(past.put)
    .filter(tables)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  const found = declared.find(([, { baseline }]) => baseline) ?? declared[0] ?? put[0]
  const version = found?.[1].model_version
  if (version === undefined) return found?.[0]
  return promotionBefore(window, past)?.version === version ? found![0] : undefined
}

function spansOf(
  name: string,
  reference: PutReference,
  window: Window,
  model: Model,
  past: Past,
): Window[] {
  const isComplete = (p: PastWindow) => p.events >= model.windows.min_count
  switch (reference.kind) {
    case 'fixed':
    case 'uploaded':
      return [{ start: Date.parse(reference.from!), end: Date.parse(reference.to!) }]
    case 'table':
      return isRead(name, past) ? [TABLE_SPAN] : []
    case 'first': {
      const span = past.frozen.get(name)
      const of = reference.windows ?? MIN_WINDOWS
      // A baseline that is not whole yet, or that stands beside its own windows, is what it has
      // learned so far.
      if (of > 1 && (!span || overlaps(span, window)))
        return learnedBefore(window, -Infinity, { of, model, past })
      // The reference itself is not evaluated against itself.
      return span && span.start !== window.start ? [span] : []
    }
    case 'version':
      return [{ start: 0, end: window.start }]
    case 'season': {
      const season = durationMs(model.windows.season!)
      const phases = Array.from(
        { length: reference.windows ?? DEFAULT_WINDOWS },
        (_, i) => (i + 1) * season,
      )
      const wanted = new Set(phases.map((back) => `${window.start - back}-${window.end - back}`))
      return past.windows
        .filter((p) => wanted.has(`${p.start}-${p.end}`))
        .filter(isComplete)
        .map(({ start, end }) => ({ start, end }))
    }
    case 'since_promotion': {
      const promoted = promotionBefore(window, past)
      const of = reference.windows ?? MIN_WINDOWS
      // Whole windows of the version, the first ones: once there are so many they stay.
      return promoted ? learnedBefore(window, promoted.at, { of, model, past }) : []
    }
    case 'previous':
    case 'trailing': {
      const wanted = reference.kind === 'previous' ? 1 : (reference.windows ?? DEFAULT_WINDOWS)
      const chosen: Window[] = []
      // The newest go first: the last ones of years of windows are looked at.
      for (let i = past.windows.length - 1; i >= 0 && chosen.length < wanted; i--) {
        const p = past.windows[i]!
        if (p.end > window.start || p.alarmed || !isComplete(p)) continue
        const { start, end } = p
        if (chosen.every((other) => end <= other.start)) chosen.push({ start, end })
      }
      return chosen
    }
  }
}

function withAccepted(spans: Window[], accepted: readonly Window[], window: Window): Window[] {
  const joined = [...spans]
  for (const { start, end } of accepted.toSorted((a, b) => a.start - b.start)) {
    const isApart = [...joined, window].every((other) => end <= other.start || start >= other.end)
    if (isApart) joined.push({ start, end })
  }
  return joined
}

/**
 * The spans on which `first` references are to be frozen now: from the first complete window to as
 * many as each asks for.
 *
 * @param past ascending by end
 */
export function toFreeze(
  model: Model,
  past: readonly PastWindow[],
  frozen: ReadonlyMap<string, Window>,
): { name: string; window: Window }[] {
  return Object.entries(model.references).flatMap(([name, reference]) => {
    if (reference.kind !== 'first' || frozen.has(name)) return []
    const of = reference.windows ?? MIN_WINDOWS
    const learned = completeApart(model, past, of, () => true)
    return learned.length < of
      ? []
      : [{ name, window: { start: learned[0]!.start, end: learned.at(-1)!.end } }]
  })
}
