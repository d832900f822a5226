/**
 * Attributes may come apart from their predictions, and then must be joined to them wherever they
 * are read.
 */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { withLateAttributes } from '../data/cohort.ts'
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
