/** References that no model file declares, as they are stored. Pure. */
import type { ModelReference } from '../../../schemas/model-references.ts'
import { TIME_BUCKET_MS, type Window } from '../../../lib/models/windows.ts'

/**
 * A reference that no model file declares: the first window, frozen, or what someone put over HTTP.
 */
export interface StoredReference {
  modelId: string
  name: string
  kind: 'first' | 'fixed' | 'version' | 'uploaded' | 'table'
  span: Window
  modelVersion: string
  revision: number
  /** Hash of a table's content and of how it was read; '' where it is no table. */
  content?: string
  /** What was read of a table, in words; '' where it is no table. */
  note?: string
  /** Who put it, where it is written; absent where the service did by itself. */
  actor?: string
}

/** Rows of a table have no time of their own: all of them count at one, before any event. */
export const TABLE_SPAN: Window = {
  start: Date.UTC(1990, 0, 1),
  end: Date.UTC(1990, 0, 1) + TIME_BUCKET_MS,
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
          : kind === 'table'
            ? { kind, revision }
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

/**
 * Under which the counts of an uploaded reference stand; no event can have it, since ids hold no
 * control characters.
 */
export const uploadedId = (modelId: string, name: string, revision: number) =>
  `${modelId}\nreference\n${name}\n${revision}`
