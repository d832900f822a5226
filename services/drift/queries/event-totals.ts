/** How many events some spans hold, by version and variant. */
import type { ClickHouse, Params } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { ALL, paramsOf, within, type Cohort } from '../data/cohort.ts'

/** Events of one version and variant. */
export interface Present {
  version: string
  variant: string
  shadow: boolean
  events: number
  errors: number
  duplicates: number
  /** Of its events, as {@link Weights}. */
  weight: number
  squares: number
  errorWeight: number
}

interface PresentRow extends Record<
  'model' | 'version' | 'variant' | 'events' | 'errors' | 'duplicates',
  string
> {
  shadow: boolean
  weight: number
  squares: number
  error_weight: number
}

const presentOf = ({
  version,
  variant,
  shadow,
  weight,
  squares,
  error_weight,
  ...sums
}: PresentRow): Present => ({
  version,
  variant,
  shadow,
  weight,
  squares,
  errorWeight: error_weight,
  events: Number(sums.events),
  errors: Number(sums.errors),
  duplicates: Number(sums.duplicates),
})

/** Of `event_counts`: {@link Weights}, and what the errors weigh. */
export const WEIGHTS =
  'sum(event_counts.events) + sum(extra_weight) AS weight, sum(event_counts.events) + sum(extra_squares) AS squares, sum(event_counts.errors) + sum(extra_errors) AS error_weight'

/** The parameters of a question that several models ask alike. */
export const ofModels = (
  asked: readonly { modelId: string }[],
  spans: readonly Window[],
  c: Cohort,
): Params => ({ ...paramsOf('', spans, c), models: asked.map(({ modelId }) => modelId) })

/** The sums of a cohort without a slice, as `scope` has it in SQL. */
export function totalsOf(present: readonly Present[], { modelVersion, variant }: Cohort) {
  const totals = { events: 0, errors: 0, errorWeight: 0, duplicates: 0, weight: 0, squares: 0 }
  for (const one of present) {
    const isIn = modelVersion === '' ? !one.shadow : one.version === modelVersion
    if (!isIn || (variant !== '' && one.variant !== variant)) continue
    totals.events += one.events
    totals.errors += one.errors
    totals.errorWeight += one.errorWeight
    totals.duplicates += one.duplicates
    totals.weight += one.weight
    totals.squares += one.squares
  }
  return totals
}

/**
 * Events of some spans by version and variant, one list a model, in the order of `asked`; the spans
 * are those of the first.
 */
export async function presentEvents(
  db: ClickHouse,
  asked: readonly { modelId: string; spans: readonly Window[] }[],
): Promise<Present[][]> {
  const rows = await db.query<PresentRow>(
    `SELECT model_id AS model, model_version AS version, variant, shadow, sum(events) AS events, sum(errors) AS errors, sum(duplicates) AS duplicates, ${WEIGHTS}
     FROM event_counts WHERE model_id IN {models:Array(String)} AND ${within('step')}
     GROUP BY model, version, variant, shadow ORDER BY model, version, variant, shadow`,
    ofModels(asked, asked[0]!.spans, ALL),
  )
  const byModel = Map.groupBy(rows, (row) => row.model)
  return asked.map(({ modelId }) => (byModel.get(modelId) ?? []).map(presentOf))
}
