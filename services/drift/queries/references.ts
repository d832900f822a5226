/** References that were frozen or put over HTTP, and what references depend on. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { sqlTime } from '../data/cohort.ts'
import { promotionsOf, type Promotion } from '../plan/promotions.ts'
import type { StoredReference } from '../plan/stored-references.ts'

interface ReferenceRow extends Record<
  'model' | 'name' | 'start' | 'end' | 'version' | 'content' | 'note',
  string
> {
  kind: StoredReference['kind']
  revision: number
}

const referenceOf = (row: ReferenceRow): StoredReference => ({
  modelId: row.model,
  name: row.name,
  kind: row.kind,
  span: { start: Number(row.start), end: Number(row.end) },
  modelVersion: row.version,
  revision: row.revision,
  content: row.content,
  note: row.note,
})

/** Stored references of some models, one list a model, in the order of `models`. */
export async function storedReferences(
  db: ClickHouse,
  models: readonly string[],
): Promise<StoredReference[][]> {
  const rows = await db.query<ReferenceRow>(
    `SELECT model_id AS model, name, kind, toUnixTimestamp64Milli(window_start) AS start, toUnixTimestamp64Milli(window_end) AS end, model_version AS version, revision, content, note
     FROM \`references\` FINAL WHERE model_id IN {models:Array(String)}`,
    { models },
  )
  const byModel = Map.groupBy(rows.map(referenceOf), ({ modelId }) => modelId)
  return models.map((model) => byModel.get(model) ?? [])
}

/**
 * Whose promotions are asked for, and the spans by which versions are told to lead, in
 * milliseconds.
 */
export interface PromotionQuestion {
  modelId: string
  length: number
}

/**
 * When versions of some models took over from one another, one list a model, in the order of
 * `asked`; all ask for one length.
 */
export async function promotionsOfEach(
  db: ClickHouse,
  asked: readonly PromotionQuestion[],
): Promise<Promotion[][]> {
  const { length } = asked[0]!
  const rows = await db.query<{ model: string; version: string; at: string; n: string }>(
    `SELECT model_id AS model, model_version AS version, intDiv(toUnixTimestamp(step) * 1000, {length:UInt64}) * {length:UInt64} AS at, sum(events) AS n FROM event_counts
     WHERE model_id IN {models:Array(String)} AND NOT shadow GROUP BY model, version, at ORDER BY model, at, version`,
    { models: asked.map(({ modelId }) => modelId), length },
  )
  const byModel = Map.groupBy(rows, ({ model }) => model)
  return asked.map(({ modelId }) => {
    const counts = (byModel.get(modelId) ?? []).map(({ version, at, n }) => ({
      start: Number(at),
      version,
      events: Number(n),
    }))
    return promotionsOf(counts, length)
  })
}

/** The newest revision of a reference that was put over HTTP; 0 where there is none. */
export async function referenceRevision(
  db: ClickHouse,
  modelId: string,
  name: string,
): Promise<number> {
  const [row] = await db.query<{ revision: number }>(
    'SELECT max(revision) AS revision FROM `references` WHERE model_id = {model:String} AND name = {name:String}',
    { model: modelId, name },
  )
  return row?.revision ?? 0
}

/**
 * Stores a revision of a reference; the same revision again is a no-op. `at` is epoch milliseconds.
 */
export const putReference = (
  db: ClickHouse,
  reference: StoredReference,
  at: number,
): Promise<void> =>
  db.insertRows(
    '`references`',
    [
      {
        model_id: reference.modelId,
        name: reference.name,
        kind: reference.kind,
        window_start: sqlTime(reference.span.start),
        window_end: sqlTime(reference.span.end),
        model_version: reference.modelVersion,
        revision: reference.revision,
        content: reference.content ?? '',
        note: reference.note ?? '',
        actor: reference.actor ?? '',
        frozen_at: sqlTime(at),
      },
    ],
    `reference\u0001${reference.modelId}\u0001${reference.name}\u0001${reference.revision}`,
  )

/**
 * Freezes the first window of a model as a reference, once: a later call changes nothing. `at` is
 * epoch milliseconds.
 */
export const freezeReference = (
  db: ClickHouse,
  { modelId, name, span }: { modelId: string; name: string; span: Window },
  at: number,
): Promise<void> =>
  db.insertRows(
    '`references`',
    [
      {
        model_id: modelId,
        name,
        kind: 'first',
        window_start: sqlTime(span.start),
        window_end: sqlTime(span.end),
        revision: 1,
        frozen_at: sqlTime(at),
      },
    ],
    `reference\u0001${modelId}\u0001${name}`,
  )
