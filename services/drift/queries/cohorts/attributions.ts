/** Attributions that predictions carry, of events drawn by their ids. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import type { FeatureAttribution } from '../../data/attributions.ts'
import { ALL, paramsOf, spanOf, within } from '../../data/cohort.ts'
import { STANDS_FOR } from '../../data/sampling.ts'

/** Features of one span that are read, those with the largest attributions. */
const MAX_FEATURES = 200

/**
 * Which windows of each model carry attributions, in the order of the questions.
 *
 * @param windows disjoint
 */
export async function attributedWindows(
  db: ClickHouse,
  asked: readonly { modelId: string }[],
  windows: readonly Window[],
): Promise<boolean[][]> {
  const rows = await db.query<{ model: string; span: number }>(
    `SELECT DISTINCT model_id AS model, toUInt32(${spanOf('predicted_at')}) AS span FROM predictions WHERE model_id IN {models:Array(String)} AND ${within('predicted_at')} AND notEmpty(attributions)`,
    { ...paramsOf('', windows, ALL), models: asked.map(({ modelId }) => modelId) },
  )
  const found = Map.groupBy(rows, ({ model }) => model)
  return asked.map(({ modelId }) => {
    const spans = new Set((found.get(modelId) ?? []).map(({ span }) => span))
    return windows.map((_, i) => spans.has(i + 1))
  })
}

/** Spans of a model whose attributions are asked for. */
export interface AttributionQuestion {
  modelId: string
  /** Disjoint, at least one. */
  spans: readonly Window[]
  /** Every so manyth event is read. */
  every: number
}

/** Mean absolute attributions by span and feature, shadows left out. */
export async function attributionsOf(
  db: ClickHouse,
  { modelId, spans, every }: AttributionQuestion,
): Promise<FeatureAttribution[]> {
  const where = `WHERE model_id = {model:String} AND ${within('predicted_at')} AND NOT shadow AND notEmpty(attributions) AND sipHash64(prediction_id) % {every:UInt64} = 0`
  const rows = await db.query<{
    span: string
    feature: string
    total: number
    weight: number
    events: string
  }>(
    `SELECT span, feature, total, weight, events FROM (
       SELECT ${spanOf('predicted_at')} AS span, feature, sum(${STANDS_FOR} * abs(attribution)) AS total FROM predictions
       ARRAY JOIN mapKeys(attributions) AS feature, mapValues(attributions) AS attribution ${where} GROUP BY span, feature) AS own
     INNER JOIN (SELECT ${spanOf('predicted_at')} AS span, sum(${STANDS_FOR}) AS weight, count() AS events FROM predictions ${where} GROUP BY span) AS all USING (span)
     ORDER BY span, total DESC, feature LIMIT ${MAX_FEATURES} BY span`,
    { ...paramsOf(modelId, spans, ALL), every },
  )
  return rows.map(({ span, feature, total, weight, events }) => ({
    span: Number(span) - 1,
    feature,
    meanAbsolute: total / weight,
    events: Number(events),
  }))
}
