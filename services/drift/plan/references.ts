/** Which past windows a model is compared with. Pure. */
import type { EpisodeWindow } from './episodes.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import type { ModelReference } from '../../../schemas/model.ts'
import type { Window } from '../../../lib/models/windows.ts'

const DEFAULT_WINDOWS = 4

/** A window that has been evaluated, as references see it. */
export interface PastWindow extends EpisodeWindow {
  events: number
  /** Some drift verdict of it is an alarm. */
  alarmed: boolean
}

/** A reference that no model file declares: the first window, frozen, or what someone put over HTTP. */
export interface StoredReference {
  modelId: string
  name: string
  kind: 'first' | 'fixed' | 'version' | 'uploaded'
  span: Window
  modelVersion: string
  revision: number
}

/** As a model file would declare it, or uploaded. */
export interface PutReference extends Omit<ModelReference, 'kind'> {
  kind: ModelReference['kind'] | 'uploaded'
  revision?: number
}

/** Those put over HTTP. */
export function putReferences(
  stored: readonly StoredReference[],
  modelId: string,
): Record<string, PutReference> {
  return Object.fromEntries(
    stored
      .filter((reference) => reference.modelId === modelId && reference.kind !== 'first')
      .map(({ name, kind, span, modelVersion, revision }) => [
        name,
        kind === 'version'
          ? { kind, model_version: modelVersion, revision }
          : {
              kind,
              from: new Date(span.start).toISOString(),
              to: new Date(span.end).toISOString(),
              revision,
            },
      ]),
  )
}

/** Spans of the first windows that were frozen, by name. */
export const frozenSpans = (stored: readonly StoredReference[], modelId: string) =>
  new Map(
    stored
      .filter((reference) => reference.modelId === modelId && reference.kind === 'first')
      .map(({ name, span }) => [name, span]),
  )

export interface ReferenceSpans {
  name: string
  baseline: boolean
  spans: Window[]
  /** Only this version's predictions; all when undefined. */
  modelVersion?: string | undefined
  /** How often the reference was put over HTTP; 1 of one that the model file declares. */
  revision: number
  /** The model under which its counts stand; the model itself when undefined. */
  countedAs?: string | undefined
}

/** Under which the counts of an uploaded reference stand; no event can have it, since ids hold no control characters. */
export const uploadedId = (modelId: string, name: string, revision: number) =>
  `${modelId}\nreference\n${name}\n${revision}`

/** What is known of a model besides its file. */
export interface Past {
  /** EvaluatedWindow windows, ascending by end. */
  windows: readonly PastWindow[]
  /** Spans of `first` references that were frozen earlier, by name. */
  frozen: ReadonlyMap<string, Window>
  /** Windows that a person called normal: they join the baseline. */
  accepted: readonly Window[]
  /** References made over HTTP; those of the model file come first. */
  put: Readonly<Record<string, PutReference>>
  /** When each version was first served to more than its shadow, ascending. */
  promotions: readonly Promotion[]
}

export interface Promotion {
  version: string
  at: number
}

/** The spans of every reference of a model for one window; a reference that has no span yet is left out. */
export function referencesFor(window: Window, model: Model, past: Past): ReferenceSpans[] {
  const all: Record<string, PutReference> = { ...past.put, ...model.references }
  return Object.entries(all).flatMap(([name, reference]) => {
    const own = spansOf(name, reference, window, model, past)
    const spans =
      reference.baseline && own.length > 0 ? withAccepted(own, past.accepted, window) : own
    const promoted =
      reference.kind === 'since_promotion' ? promotionBefore(window, past) : undefined
    return spans.length === 0
      ? []
      : [
          {
            name,
            baseline: reference.baseline ?? false,
            spans,
            modelVersion: promoted?.version ?? reference.model_version,
            revision: reference.revision ?? 1,
            countedAs:
              reference.kind === 'uploaded'
                ? uploadedId(model.modelId, name, reference.revision ?? 1)
                : undefined,
          },
        ]
  })
}

const promotionBefore = (window: Window, { promotions }: Past) =>
  promotions.findLast(({ at }) => at < window.end)

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
    case 'first': {
      const span = past.frozen.get(name)
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
      // Whole windows of the version, the first ones: once there are so many they stay.
      return promoted === undefined
        ? []
        : past.windows
            .filter((p) => p.start >= promoted.at && p.end <= window.start && isComplete(p))
            .slice(0, reference.windows ?? DEFAULT_WINDOWS)
            .map(({ start, end }) => ({ start, end }))
    }
    case 'previous':
    case 'trailing': {
      const wanted = reference.kind === 'previous' ? 1 : (reference.windows ?? DEFAULT_WINDOWS)
      const chosen: Window[] = []
      // From the newest one back: of years of windows the last ones are looked at.
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
 * The windows on which `first` references are to be frozen now: the first complete one.
 *
 * @param past ascending by end
 */
export function toFreeze(
  model: Model,
  past: readonly PastWindow[],
  frozen: ReadonlyMap<string, Window>,
): { name: string; window: Window }[] {
  const names = Object.entries(model.references)
    .filter(([name, reference]) => reference.kind === 'first' && !frozen.has(name))
    .map(([name]) => name)
  if (names.length === 0) return []
  const first = past.find((p) => p.events >= model.windows.min_count)
  return first
    ? names.map((name) => ({ name, window: { start: first.start, end: first.end } }))
    : []
}
