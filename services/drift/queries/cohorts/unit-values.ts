/**
 * What single producers and versions answered in some spans: of events that are drawn by their ids,
 * so that the cost does not grow with the window.
 */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, paramsOf, spanOf, within } from '../../data/cohort.ts'
import type { UnitCounts, UnitKind, UnitNumbers, UnitValues } from '../../data/unit-values.ts'
import { rawValues } from '../raw-counts.ts'

/** Units of one span that are read, those with the most events. */
const MAX_UNITS = 50
/** Subjects of one unit that are read. */
const MAX_SUBJECTS = 200
/** Classes that are compared, the most frequent ones of the spans. */
const MAX_CLASSES = 5

/** Units of a model in some spans. */
export interface UnitQuestion {
  modelId: string
  kind: UnitKind
  /** Disjoint, at least one. */
  spans: readonly Window[]
  /** Events of all spans together. */
  events: number
  /** Events drawn of one span, about. */
  drawn: number
}

const UNIT: Readonly<Record<UnitKind, string>> = {
  producer: 'producer',
  version: 'toString(model_version)',
}

/** Reads the units of each span; empty where no event names a unit. */
export async function unitValues(
  db: ClickHouse,
  { modelId, kind, spans, events, drawn }: UnitQuestion,
): Promise<UnitValues> {
  const params = {
    ...paramsOf(modelId, spans, ALL),
    every: Math.max(1, Math.ceil(events / (drawn * spans.length))),
  }
  const unit = UNIT[kind]
  const where = `WHERE model_id = {model:String} AND ${within('predicted_at')} AND NOT shadow AND ${unit} != '' AND sipHash64(prediction_id) % {every:UInt64} = 0`
  const keys = { span: spanOf('predicted_at'), unit }
  const counts = await db.query<CountRow>(countsSql(keys, where), params)
  if (counts.length === 0) return { numbers: [], counts: [] }
  // Ranks hold for any scale, and one value far out moves them no more than any other.
  const place = `OVER (PARTITION BY span, subject ORDER BY x)`
  const placeDown = `OVER (PARTITION BY span, subject ORDER BY x DESC)`
  const numbers = await db.query<NumberRow>(
    `SELECT toUInt32(span) AS span, unit, subject, count() AS size, avg(x) AS mean, avg(place) AS mean_rank, varPopStable(place) AS rank_variance FROM (
       SELECT span, unit, subject, x, count() OVER (PARTITION BY span, subject) AS n,
         (toFloat64(rank() ${place}) + n - toFloat64(rank() ${placeDown})) / (2 * n) AS place
       FROM (${rawValues(keys, { table: 'predictions', where })}))
     GROUP BY span, unit, subject ORDER BY span, size DESC, unit, subject
     LIMIT ${MAX_SUBJECTS * MAX_UNITS} BY span`,
    params,
  )
  return { numbers: numbers.map(numbersOf), counts: counts.map(countsOf) }
}

interface CountRow {
  span: number
  unit: string
  events: string
  version: string
  having: Record<string, string>
}

const countsSql = ({ span, unit }: Record<'span' | 'unit', string>, where: string) => `
  WITH (SELECT topK(${MAX_CLASSES})(assumeNotNull(prediction)) FROM predictions ${where} AND isNotNull(prediction) AND isNull(prediction_number)) AS classes
  SELECT toUInt32(${span}) AS span, ${unit} AS unit, count() AS events, toString(topK(1)(model_version)[1]) AS version,
    sumMap(CAST(mapFromArrays(own, arrayMap(x -> toUInt64(1), own)), 'Map(String, UInt64)')) AS having
  FROM (SELECT *, arrayDistinct(arrayConcat(
      if(status = 'error', ['error'], []),
      if(isNull(prediction_number) AND has(classes, ifNull(prediction, '')), [concat('class ', assumeNotNull(prediction))], []),
      arrayMap(name -> concat('feature ', name), arraySlice(arraySort(arrayFilter((name, value) -> isNotNull(value), mapKeys(features), mapValues(features))), 1, ${MAX_SUBJECTS})))) AS own
    FROM predictions ${where})
  GROUP BY span, unit ORDER BY span, events DESC, unit LIMIT ${MAX_UNITS} BY span`

const countsOf = ({ span, unit, events, version, having }: CountRow): UnitCounts => ({
  span: span - 1,
  unit,
  events: Number(events),
  version,
  having: Object.fromEntries(Object.entries(having).map(([name, n]) => [name, Number(n)])),
})

interface NumberRow {
  span: number
  unit: string
  subject: string
  size: string
  mean: number
  mean_rank: number
  rank_variance: number
}

const numbersOf = (row: NumberRow): UnitNumbers => ({
  span: row.span - 1,
  unit: row.unit,
  subject: row.subject,
  size: Number(row.size),
  mean: row.mean,
  meanRank: row.mean_rank,
  rankVariance: row.rank_variance,
})
