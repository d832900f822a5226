/**
 * Counts of events that were refused for an expectation: they are no rows of `predictions`, and
 * windows count them beside those.
 */
import * as native from '../../../lib/clickhouse/native/block.ts'
import { fieldGetter } from '../../../lib/events/flat-record.ts'
import type { Event } from '../../../lib/events/validator.ts'
import { timeBucketOf } from '../../../lib/sink/counts/prediction-counts.ts'
import type { TableRows } from '../../../lib/sink/table-rows.ts'

const modelIdOf = fieldGetter('model_id')
const modelVersionOf = fieldGetter('model_version')
const variantOf = fieldGetter('variant')
const shadowOf = fieldGetter('shadow')
const fractionOf = fieldGetter('sampling_fraction')

/** Counts of one rule in one time bucket. */
interface Refused {
  modelId: string
  step: number
  rule: string
  modelVersion: string
  variant: string
  shadow: boolean
  refused: number
  weight: number
}

/** Counts of one range of events, as rows of `expectation_refusals`. */
export interface RefusalCounts {
  /** Forgets all counts. */
  begin: () => void
  /** Counts an event that was refused for a rule and predicted at `atMs`, epoch milliseconds. */
  add: (event: Event, rule: string, atMs: number) => void
  /** The counts as a table, valid until the next call of `table`. */
  table: () => TableRows
}

/** Counts that are empty. */
export function refusalCounts(): RefusalCounts {
  const counts = new Map<string, Refused>()
  const columns = createColumns()
  return {
    begin: () => counts.clear(),
    add: (event, rule, atMs) => {
      const own = groupOf(event, rule, atMs)
      const key = JSON.stringify(Object.values(own))
      const known = counts.get(key) ?? { ...own, refused: 0, weight: 0 }
      counts.set(key, known)
      known.refused++
      known.weight += 1 / ((fractionOf(event) as number | null | undefined) ?? 1)
    },
    table: () => {
      fill(columns, counts.values())
      return { table: 'expectation_refusals', columns, rows: counts.size }
    },
  }
}

const groupOf = (event: Event, rule: string, atMs: number) => ({
  modelId: modelIdOf(event) as string,
  step: timeBucketOf(atMs),
  rule,
  modelVersion: (modelVersionOf(event) ?? '') as string,
  variant: (variantOf(event) ?? '') as string,
  shadow: shadowOf(event) === true,
})

const createColumns = () => ({
  model_id: native.lowCardinality(),
  step: native.fixed("DateTime('UTC')"),
  rule: native.strings(),
  model_version: native.lowCardinality(),
  variant: native.lowCardinality(),
  shadow: native.fixed('Bool'),
  refused: native.fixed('UInt64'),
  weight: native.fixed('Float64'),
})

function fill(columns: ReturnType<typeof createColumns>, all: Iterable<Refused>): void {
  native.clear(columns)
  let row = 0
  for (const one of all) {
    columns.model_id.set(row, one.modelId)
    columns.step.set(row, one.step)
    columns.rule.set(row, one.rule)
    columns.model_version.set(row, one.modelVersion)
    columns.variant.set(row, one.variant)
    columns.shadow.set(row, one.shadow ? 1 : 0)
    columns.refused.set(row, one.refused)
    columns.weight.set(row, one.weight)
    row++
  }
}
