/**
 * Attributes may come apart from their predictions, and then must be joined to them wherever they
 * are read.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { ALL, paramsOf, withLateAttributes, within } from '../data/cohort.ts'
import { readsOwn, type Slice } from '../data/slices.ts'
import { AS_STORED, type Tables } from './outcomes/labelled-outcomes.ts'

/** Whether attributes have ever come apart from their predictions. */
export const hasLateAttributes = async (db: ClickHouse): Promise<boolean> =>
  (await db.query('SELECT 1 FROM attributes LIMIT 1')).length > 0

/**
 * @param reads whether the question reads attributes, so that those that came late must be joined
 */
export const tablesOf = async (db: ClickHouse, reads: boolean): Promise<Tables> =>
  reads && (await hasLateAttributes(db))
    ? {
        predictions: withLateAttributes('predictions'),
        outcomes: withLateAttributes('outcome_revisions FINAL'),
      }
    : AS_STORED

/**
 * Tables of a slice. Outcomes keep attributes alone, so where a prediction of the spans has one of
 * the names as a feature, or the slice asks for what the model answered, predictions tell the slice.
 */
export async function tablesOfSlice(
  db: ClickHouse,
  modelId: string,
  spans: readonly Window[],
  slice: Slice,
): Promise<Tables> {
  const tables = await tablesOf(db, true)
  if (readsOwn(slice)) return tables
  const features = await db.query(
    `SELECT 1 FROM predictions WHERE model_id = {model:String} AND ${within('predicted_at')}
       AND arrayExists(name -> mapContains(features, name) AND NOT mapContains(attributes, name), {slice_names:Array(String)}) LIMIT 1`,
    paramsOf(modelId, spans, { ...ALL, slice }),
  )
  return { ...tables, attributesTell: features.length === 0 }
}
