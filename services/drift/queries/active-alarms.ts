/** What is active of models, for routes, headlines and gauges: one reader of `active_alarms`. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import {
  activeAlarmsSql,
  type ActiveAlarm,
  type ActiveAlarmsQuestion,
} from '../../../schemas/active-alarms.ts'

/** Alarms, then warnings; within them the newest episode first. @throws what ClickHouse throws */
export const activeAlarms = (
  db: ClickHouse,
  question: ActiveAlarmsQuestion,
): Promise<ActiveAlarm[]> => db.query<ActiveAlarm>(...activeAlarmsSql(question))

/** Rows of one answer over HTTP. */
const MAX_SHOWN = 2000
/** Series of a scrape. */
const MAX_SERIES = 20_000
/** Alarms of each family of a model that its headline is made from. */
const MAX_OF_FAMILY = 100
/** Rows that headlines of all models are made from; of more, the newest. */
const MAX_OF_HEADLINES = 100_000

/** Those of every cohort, snoozed ones among them, of one model or of all (''). */
export const shownAlarms = (db: ClickHouse, modelId: string): Promise<ActiveAlarm[]> =>
  activeAlarms(db, { modelId, isWhole: false, withSnoozed: true, most: MAX_SHOWN })

/** Those of every cohort that nobody snoozed: the series of a scrape. */
export const activeSeries = (db: ClickHouse): Promise<ActiveAlarm[]> =>
  activeAlarms(db, { modelId: '', isWhole: false, withSnoozed: false, most: MAX_SERIES })

/** Those of models as a whole that nobody snoozed, by model; of one model, or of all (''). */
export async function alarmsOfHeadlines(
  db: ClickHouse,
  modelId: string,
): Promise<Map<string, ActiveAlarm[]>> {
  const rows = await activeAlarms(db, {
    modelId,
    isWhole: true,
    withSnoozed: false,
    most: MAX_OF_HEADLINES,
    mostOfFamily: MAX_OF_FAMILY,
  })
  return Map.groupBy(rows, ({ model_id: id }) => id)
}

/** How many alarms and warnings are active of each model as a whole; 64-bit counts are strings. */
export async function alarmCounts(
  db: ClickHouse,
  modelId: string,
): Promise<Map<string, { alarms: string; warnings: string }>> {
  const rows = await db.query<{ model_id: string; alarms: string; warnings: string }>(
    `SELECT model_id, countIf(severity = 'alarm') AS alarms, countIf(severity = 'warning') AS warnings
     FROM active_alarms WHERE ({model:String} = '' OR model_id = {model:String})
       AND NOT is_snoozed AND model_version = '' AND variant = '' AND slice_key = '' GROUP BY model_id`,
    { model: modelId },
  )
  return new Map(rows.map(({ model_id: id, ...counts }) => [id, counts]))
}
