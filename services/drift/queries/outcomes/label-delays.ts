/** How long labels took, and the label horizons that were learned from that. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, cohortCondition, paramsOf, spanOf, sqlTime, within } from '../../data/cohort.ts'
import type { LearnedHorizon, WindowDelays } from '../../plan/label-horizon.ts'

/** Delays are told apart in eighths of an octave, from a second on: 9 % at most. */
const MIN_DELAY_MS = 1000
const UPTO = `toUInt64(ceil(${MIN_DELAY_MS} * exp2(ceil(8 * log2(greatest(delay, ${MIN_DELAY_MS}) / ${MIN_DELAY_MS})) / 8)))`

/**
 * How long the labels of some windows took, from `predicted_at` to their arrival. Windows that were
 * first evaluated long after they ended are left out: of an import the delays say when it was made.
 *
 * @param asked `windows`, ascending by end, of which no two overlap; `slackMs`: within how long
 *   after its end a window was evaluated that came when it happened
 * @returns in the same order; windows without labels are left out
 * @throws what ClickHouse throws
 */
export async function labelDelays(
  db: ClickHouse,
  { modelId, windows, slackMs }: { modelId: string; windows: readonly Window[]; slackMs: number },
): Promise<WindowDelays[]> {
  if (windows.length === 0) return []
  const params = paramsOf(modelId, windows, ALL)
  const came = await db.query<{ end: string }>(
    `SELECT toUnixTimestamp64Milli(window_end) AS end FROM window_revisions
     WHERE model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''
       AND window_start IN {starts:Array(DateTime64(3, 'UTC'))} AND window_end IN {ends:Array(DateTime64(3, 'UTC'))}
     GROUP BY window_start, window_end HAVING toUnixTimestamp64Milli(min(computed_at)) - end <= {slack:Int64}`,
    { ...params, slack: slackMs },
  )
  const live = new Set(came.map(({ end }) => Number(end)))
  const rows = await db.query<{ span: number; upto: string; labels: string }>(
    `SELECT span, ${UPTO} AS upto, count() AS labels FROM (
       SELECT ${spanOf('predicted_at')} AS span, toUnixTimestamp64Milli(label_received_at) - toUnixTimestamp64Milli(predicted_at) AS delay
       FROM outcome_revisions FINAL
       WHERE model_id = {model:String} AND ${within('predicted_at')}${cohortCondition(ALL)} AND name = 'label' AND isNotNull(label)
       SETTINGS do_not_merge_across_partitions_select_final = 1)
     GROUP BY span, upto ORDER BY span, upto`,
    params,
  )
  const bySpan = Map.groupBy(rows, ({ span }) => span)
  return windows.flatMap(({ end }, i) => {
    const delays = (bySpan.get(i + 1) ?? []).map(({ upto, labels }) => ({
      uptoMs: Number(upto),
      labels: Number(labels),
    }))
    return live.has(end) && delays.length > 0 ? [{ end, delays }] : []
  })
}

type HorizonRow = { model: string; windows: number } & Record<
  'horizon' | 'delay' | 'labels',
  string
>

/** What was learned of some models, by id; those of which nothing was learned are left out. */
export async function learnedHorizons(
  db: ClickHouse,
  models: readonly string[],
): Promise<Map<string, LearnedHorizon>> {
  if (models.length === 0) return new Map()
  const rows = await db.query<HorizonRow>(
    `SELECT model_id AS model, horizon_ms AS horizon, delay_p99_ms AS delay, labels, windows FROM label_horizons
     WHERE model_id IN {models:Array(String)} ORDER BY horizon_ms DESC LIMIT 1 BY model_id`,
    { models },
  )
  return new Map(
    rows.map(({ model, horizon, delay, labels, windows }) => [
      model,
      {
        horizonMs: Number(horizon),
        delayP99Ms: Number(delay),
        labels: Number(labels),
        windows,
      },
    ]),
  )
}

/** Keeps what was learned; the same horizon again is a no-op. `at` is epoch milliseconds. */
export const keepHorizon = (
  db: ClickHouse,
  modelId: string,
  { horizonMs, delayP99Ms, labels, windows }: LearnedHorizon,
  at: number,
): Promise<void> =>
  db.insertRows(
    'label_horizons',
    [
      {
        model_id: modelId,
        horizon_ms: horizonMs,
        delay_p99_ms: delayP99Ms,
        labels,
        windows,
        learned_at: sqlTime(at),
      },
    ],
    `label_horizon\u0001${modelId}\u0001${horizonMs}`,
  )
