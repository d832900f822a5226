/** Reads tables that are references: a slice of one, and what became of its rows. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { paramsOf, predictionScope, type Cohort } from '../../data/cohort.ts'
import type { OutcomeCounts, WindowCounts } from '../../data/window-data.ts'
import { TABLE_SPAN } from '../../plan/stored-references.ts'
import { readCounted } from '../count-queries.ts'
import { truthParams, truthSource } from '../outcomes/labelled-outcomes.ts'
import { readOutcomes } from '../outcomes/read-outcomes.ts'
import { rawCounts } from '../raw-counts.ts'

const TABLE = 'reference_rows'

/** Counts of a slice of a table; those of all its rows are kept as counts are. */
export async function slicedTable(db: ClickHouse, under: string, c: Cohort): Promise<WindowCounts> {
  const where = `WHERE model_id = {model:String}${predictionScope(c)}`
  const counted = rawCounts({ table: TABLE, where }, false)
  const [own] = await readCounted(db, paramsOf(under, [TABLE_SPAN], c), counted, false)
  return own!
}

/** A table that is a reference, by what its rows stand under. */
export interface TruthOfTable {
  model: Model
  under: string
  c: Cohort
  /** How many rows the cohort has. */
  rows: number
}

/** Outcomes of a cohort of a table's rows; what is not labelled means nothing there. */
export function truthOfTable(
  db: ClickHouse,
  { model, under, c, rows }: TruthOfTable,
): Promise<OutcomeCounts> {
  const own = { ...model, modelId: under, labels: { ...model.labels, absent_means: 'unknown' } }
  return readOutcomes(db, own, rows, {
    source: truthSource({ predictions: TABLE, outcomes: TABLE, isOneTable: true }, own, c),
    params: truthParams(own, [TABLE_SPAN], c, 0),
  })
}
