/** What is active of models, for routes, headlines and gauges: one reader of `active_alarms`. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { FAMILIES_BY_GRAVITY } from '../../../lib/models/alarm-sentences.ts'
import { keyOf } from '../data/cohort.ts'
import type { Family } from '../data/metric-results.ts'
import type { ActiveKey } from '../evaluate/silence/ended.ts'
import {
  activeAlarmsSql,
  type ActiveAlarm,
  type ActiveAlarmsQuestion,
} from '../../../schemas/active-alarms.ts'

/** Alarms, then warnings; within them the newest episode first. @throws what ClickHouse throws */
const activeAlarms = (db: ClickHouse, question: ActiveAlarmsQuestion): Promise<ActiveAlarm[]> =>
  db.query<ActiveAlarm>(...activeAlarmsSql(question))

const named = (modelId: string) => (modelId === '' ? [] : [modelId])

/** Rows of one answer over HTTP. */
const MAX_SHOWN = 2000
/** Series of a scrape. */
const MAX_SERIES = 20_000
/** Alarms of each family of a model that its headline is made from. */
const MAX_OF_FAMILY = 100
/** Rows that headlines of all models are made from; of more, the newest. */
const MAX_OF_HEADLINES = 100_000

/** Those of every cohort, snoozed ones among them, of these models; of all where undefined. */
export const shownAlarms = async (
  db: ClickHouse,
  models: readonly string[] | undefined,
): Promise<ActiveAlarm[]> =>
  models?.length === 0
    ? []
    : activeAlarms(db, {
        models: models ?? [],
        isWhole: false,
        withSnoozed: true,
        most: MAX_SHOWN,
      })

/**
 * Those of every cohort that nobody snoozed, for the series of a scrape: of each model the gravest,
 * of the model as a whole first, alarms before warnings.
 *
 * @param most of each model
 */
export const activeSeries = (db: ClickHouse, most: number): Promise<ActiveAlarm[]> =>
  activeAlarms(db, {
    models: [],
    isWhole: false,
    withSnoozed: false,
    most: MAX_SERIES,
    gravest: { ofModel: most, families: FAMILIES_BY_GRAVITY },
  })

/** How many alarms or warnings of a model as a whole are active; a 64-bit count as a string. */
export interface ActiveCount {
  model_id: string
  severity: 'alarm' | 'warning'
  n: string
}

/** How many alarms and warnings of each model as a whole are active that nobody snoozed. */
export const activeCounts = (db: ClickHouse): Promise<ActiveCount[]> =>
  db.query(
    `SELECT model_id, severity, count() AS n FROM active_alarms
     WHERE NOT is_snoozed AND model_version = '' AND variant = '' AND slice_key = ''
     GROUP BY model_id, severity ORDER BY model_id, severity LIMIT ${MAX_SERIES}`,
  )

/** How many alarms and warnings of a model as a whole are active; 64-bit counts are strings. */
interface Counts {
  alarms: string
  warnings: string
}

/** What headlines are made from, by model. */
export interface HeadlineAlarms {
  /** Those of models and their slices that nobody snoozed; of each family the first hundred. */
  active: ReadonlyMap<string, ActiveAlarm[]>
  /** All of each model as a whole. */
  counts: ReadonlyMap<string, Counts>
}

/** Reads what is active of one model, or of all (''). */
export async function alarmsOfHeadlines(db: ClickHouse, modelId: string): Promise<HeadlineAlarms> {
  const rows = await activeAlarms(db, {
    models: named(modelId),
    isWhole: false,
    withSnoozed: false,
    most: MAX_OF_HEADLINES,
    mostOfFamily: MAX_OF_FAMILY,
  })
  const ofAll = rows.filter(
    ({ model_version: version, variant }) => version === '' && variant === '',
  )
  const active = Map.groupBy(ofAll, ({ model_id: id }) => id)
  // The view is what costs: it is asked again only where rows were left out.
  const counts = isCut(rows) ? await countedAlarms(db, modelId) : countsOf(active)
  return { active, counts }
}

function isCut(rows: readonly ActiveAlarm[]): boolean {
  if (rows.length >= MAX_OF_HEADLINES) return true
  const families = Map.groupBy(rows, ({ model_id, family }) => `${family} ${model_id}`)
  return [...families.values()].some((own) => own.length >= MAX_OF_FAMILY)
}

function countsOf(active: HeadlineAlarms['active']): Map<string, Counts> {
  const count = (alarms: readonly ActiveAlarm[], wanted: ActiveAlarm['severity']) =>
    String(alarms.filter((one) => one.slice_key === '' && one.severity === wanted).length)
  return new Map(
    [...active].map(([id, own]): [string, Counts] => [
      id,
      { alarms: count(own, 'alarm'), warnings: count(own, 'warning') },
    ]),
  )
}

async function countedAlarms(db: ClickHouse, modelId: string): Promise<Map<string, Counts>> {
  const rows = await db.query<{ model_id: string; alarms: string; warnings: string }>(
    `SELECT model_id, countIf(severity = 'alarm') AS alarms, countIf(severity = 'warning') AS warnings
     FROM active_alarms WHERE ({model:String} = '' OR model_id = {model:String})
       AND NOT is_snoozed AND model_version = '' AND variant = '' AND slice_key = '' GROUP BY model_id`,
    { model: modelId },
  )
  return new Map(rows.map(({ model_id: id, ...counts }) => [id, counts]))
}

/** Alarms of a model that an evaluation may end; of more, the others end with a later one. */
const MAX_ENDING = 10_000

/** The newest verdict of one metric of a cohort. */
interface NewestRow {
  model: string
  version: string
  variant: string
  key: string
  value: string
  family: Family
  metric: string
  subject: string
  reference: string
  end: string
}

/**
 * What alarmed last of each model, by cohort (`keyOf`), in the order of `models`. Read from the
 * newest verdicts themselves, at a fifth of what the view costs: those that somebody dismissed are
 * among them, and cohorts that have left.
 */
export async function activeByCohort(
  db: ClickHouse,
  models: readonly string[],
): Promise<Map<string, ActiveKey[]>[]> {
  const rows = await db.query<NewestRow>(
    `SELECT model_id AS model, model_version AS version, variant, slice_key AS key, slice_value AS value,
       family, metric, subject, n.reference AS reference, toUnixTimestamp64Milli(n.window_end) AS end
     FROM (
       SELECT model_id, model_version, variant, slice_key, slice_value, family, metric, subject, argMaxMerge(newest) AS n
       FROM newest_verdicts WHERE model_id IN {models:Array(String)}
       GROUP BY model_id, model_version, variant, slice_key, slice_value, family, metric, subject
       HAVING n.verdict IN ('alarm', 'warning')
     ) ORDER BY end DESC, model, version, variant, key, value, family, metric, subject LIMIT ${MAX_ENDING}`,
    { models },
  )
  const own = Map.groupBy(rows, ({ model }) => model)
  return models.map(
    (model) =>
      new Map(
        [...Map.groupBy(own.get(model) ?? [], cohortKeyOf)].map(([key, alarms]) => [
          key,
          alarms.map(({ family, metric, subject, reference, end }) => ({
            family,
            metric,
            subject,
            reference,
            windowEnd: Number(end),
          })),
        ]),
      ),
  )
}

const cohortKeyOf = ({ version, variant, key, value }: NewestRow) =>
  keyOf({ modelVersion: version, variant, ...(key !== '' && { slice: { key, value } }) })
