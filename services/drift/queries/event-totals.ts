/** How many events some spans hold, by version and variant. */
import type { ClickHouse, Params } from '../../../lib/clickhouse/port.ts'
import type { Window } from '../../../lib/models/windows.ts'
import type { Weights } from '../data/sampling.ts'
import type { Counted } from './raw-counts.ts'
import { ALL, groupsOf, paramsOf, within, type Cohort, type SpanGroups } from '../data/cohort.ts'

/** Events of one version and variant. */
export interface Present {
  version: string
  variant: string
  shadow: boolean
  events: number
  errors: number
  duplicates: number
  /** Weight of its events, as {@link Weights}. */
  weight: number
  squares: number
  errorWeight: number
}

interface PresentRow extends Record<
  'model' | 'version' | 'variant' | 'events' | 'errors' | 'duplicates',
  string
> {
  span: number
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

/** Columns made from `event_counts`: {@link Weights}, and what the errors weigh. */
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

/** Events by model, group of spans, version and variant. */
async function presentRows(
  db: ClickHouse,
  params: Params,
  group: string,
): Promise<Map<string, PresentRow[]>> {
  const rows = await db.query<PresentRow>(
    `SELECT model_id AS model, toUInt32(${group}) AS span, model_version AS version, variant, shadow, sum(events) AS events, sum(errors) AS errors, sum(duplicates) AS duplicates, ${WEIGHTS}
     FROM event_counts WHERE model_id IN {models:Array(String)} AND ${within('step')}
     GROUP BY model, span, version, variant, shadow ORDER BY model, version, variant, shadow`,
    params,
  )
  return Map.groupBy(rows, (row) => row.model)
}

/**
 * Events of some spans by version and variant, one list a model, in the order of `asked`; the spans
 * are those of the first.
 */
export async function presentEvents(
  db: ClickHouse,
  asked: readonly { modelId: string; spans: readonly Window[] }[],
): Promise<Present[][]> {
  const byModel = await presentRows(db, ofModels(asked, asked[0]!.spans, ALL), '1')
  return asked.map(({ modelId }) => (byModel.get(modelId) ?? []).map(presentOf))
}

/**
 * Reads what is present in each group of spans by itself: one list of groups a model, in the order
 * of `asked`.
 */
export async function presentOfGroups(
  db: ClickHouse,
  asked: readonly { modelId: string }[],
  { spans, groups, memberships }: SpanGroups,
): Promise<Present[][][]> {
  const params = { ...ofModels(asked, spans, ALL), groups: memberships }
  const byModel = await presentRows(db, params, `arrayJoin(${groupsOf('step')})`)
  return asked.map(({ modelId }) => {
    const byGroup = Map.groupBy(byModel.get(modelId) ?? [], ({ span }) => span)
    return groups.map((_, i) => (byGroup.get(i + 1) ?? []).map(presentOf))
  })
}

/** How many spans are counted apart; all as one otherwise. */
export const spanCount = (params: Params, bySpan: boolean) =>
  bySpan ? (params['starts'] as string[]).length : 1

/** Totals of the events of one span. */
interface TotalRow extends Weights {
  span: number
  events: string
  errors: string
  error_weight: number
}

/** Reads how many events and errors each span has, weighted and not; zeros for an empty span. */
export async function readTotals(
  db: ClickHouse,
  params: Params,
  { totals }: Pick<Counted, 'totals'>,
  bySpan: boolean,
) {
  const rows = await db.query<TotalRow>(totals, params)
  return Array.from({ length: spanCount(params, bySpan) }, (_, i) => {
    const row = rows.find(({ span }) => span === i + 1)
    return {
      events: Number(row?.events ?? 0),
      errors: Number(row?.errors ?? 0),
      errorWeight: row?.error_weight ?? 0,
      duplicates: 0,
      weight: row?.weight ?? 0,
      squares: row?.squares ?? 0,
    }
  })
}
