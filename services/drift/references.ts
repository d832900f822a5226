/** Which past windows a model is compared with. Pure. */
import type { EpisodeWindow } from './episodes.ts'
import { durationMs } from '../../lib/durations.ts'
import type { Model } from '../../lib/models.ts'
import type { ModelReference } from '../../schemas/model.ts'
import type { Window } from '../../lib/windows.ts'

const DEFAULT_WINDOWS = 4

/** A window that has been judged, as references see it. */
export interface PastWindow extends EpisodeWindow {
  events: number
  /** Some drift verdict of it is an alarm. */
  alarmed: boolean
}

/** A reference that no model file declares: the first window, frozen, or what someone put over HTTP. */
export interface StoredReference {
  modelId: string
  name: string
  kind: 'first' | 'fixed' | 'version'
  span: Window
  modelVersion: string
}

/** Those put over HTTP, as a model file would declare them. */
export function putReferences(
  stored: readonly StoredReference[],
  modelId: string,
): Record<string, ModelReference> {
  return Object.fromEntries(
    stored
      .filter((reference) => reference.modelId === modelId && reference.kind !== 'first')
      .map(({ name, kind, span, modelVersion }) => [
        name,
        kind === 'version'
          ? { kind, model_version: modelVersion }
          : {
              kind,
              from: new Date(span.start).toISOString(),
              to: new Date(span.end).toISOString(),
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
  judge: boolean
  spans: Window[]
  /** Only this version's predictions; all when undefined. */
  modelVersion?: string | undefined
}

/**
 * The spans of every reference of a model for one window; a reference that has no span yet is left out.
 *
 * @param accepted windows that a person called normal: they join the judging reference
 * @param put references made over HTTP; those of the model file come first
 * @param frozen spans of `first` references that were frozen earlier, by name
 * @param past windows that end before `window` starts or are it, in any order
 */
export function referencesFor(
  window: Window,
  model: Model,
  past: readonly PastWindow[],
  frozen: ReadonlyMap<string, Window>,
  accepted: readonly Window[] = [],
  put: Readonly<Record<string, ModelReference>> = {},
): ReferenceSpans[] {
  return Object.entries({ ...put, ...model.references }).flatMap(([name, reference]) => {
    const own = spansOf(name, reference, window, model, past, frozen)
    const spans = reference.judge && own.length > 0 ? withAccepted(own, accepted, window) : own
    return spans.length === 0
      ? []
      : [{ name, judge: reference.judge ?? false, spans, modelVersion: reference.model_version }]
  })
}

function spansOf(
  name: string,
  reference: ModelReference,
  window: Window,
  model: Model,
  past: readonly PastWindow[],
  frozen: ReadonlyMap<string, Window>,
): Window[] {
  switch (reference.kind) {
    case 'fixed':
      return [{ start: Date.parse(reference.from!), end: Date.parse(reference.to!) }]
    case 'first': {
      const span = frozen.get(name)
      // The reference itself is not judged against itself.
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
      return past
        .filter((p) =>
          phases.some((back) => p.start === window.start - back && p.end === window.end - back),
        )
        .filter((p) => p.events >= model.windows.min_count)
        .map(({ start, end }) => ({ start, end }))
    }
    case 'previous':
    case 'trailing': {
      const wanted = reference.kind === 'previous' ? 1 : (reference.windows ?? DEFAULT_WINDOWS)
      const complete = past
        .filter((p) => p.end <= window.start && p.events >= model.windows.min_count && !p.alarmed)
        .toSorted((a, b) => b.end - a.end)
      const chosen: Window[] = []
      for (const { start, end } of complete) {
        if (chosen.length === wanted) break
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

/** The windows on which `first` references are to be frozen now: the first complete one, by end. */
export function toFreeze(
  model: Model,
  past: readonly PastWindow[],
  frozen: ReadonlyMap<string, Window>,
): { name: string; window: Window }[] {
  const first = past
    .filter((p) => p.events >= model.windows.min_count)
    .toSorted((a, b) => a.end - b.end)[0]
  if (!first) return []
  return Object.entries(model.references)
    .filter(([name, reference]) => reference.kind === 'first' && !frozen.has(name))
    .map(([name]) => ({ name, window: { start: first.start, end: first.end } }))
}
