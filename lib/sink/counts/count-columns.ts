/** The rows of the tables of counts, out of what one range of predictions was counted to. */
import * as native from '../../clickhouse/native/block.ts'
import { TIME_BUCKET_MS } from '../../models/windows.ts'
import type { TableRows } from '../table-rows.ts'
import { binned } from './log-histogram.ts'
import { gridOf, highKeys, lowKeys } from './stored-bins.ts'
import { SAMPLED_RESOLUTION, type SampledCounts } from './weighted-counts.ts'

/**
 * Events that are counted together: those of one model, version, variant, shadow flag and time
 * bucket.
 */
export interface Group {
  modelId: string
  modelVersion: string
  variant: string
  shadow: boolean
  /** Begin of the time bucket, epoch seconds. */
  bucket: number
  /** Its length. */
  bucketMs: number
  events: number
  errors: number
  /** Events whose id was stored before. */
  duplicates: number
  subjects: Map<string, Subject>
  /** The subjects of the newest event's features, in their order: most events have the same. */
  newest: (Subject | undefined)[]
  /** Their names, where all of them were numbers. */
  newestNames: readonly string[] | undefined
  /** Events by subject and category. */
  categories: Map<string, Map<string, number>>
  /** Features that some event names without a value. */
  nulls: Set<string> | undefined
  /** Features whose numbers are categories. */
  codes: ReadonlySet<string> | undefined
  /** What those of its events that were drawn stand for beside themselves. */
  sampled: SampledCounts | undefined
}

/** The numbers of one feature in one group, as they came: the first `length` of `values`. */
export interface Subject {
  group: Group
  name: string
  values: Float64Array
  length: number
}

/** Writes what was counted into the columns of its table, which are its own and are used again. */
export type Writer = (groups: readonly Group[]) => TableRows

const groupColumns = () => ({
  model_id: native.lowCardinality(),
  step: native.fixed("DateTime('UTC')"),
  model_version: native.lowCardinality(),
  variant: native.lowCardinality(),
  shadow: native.fixed('Bool'),
})

function setGroup(
  columns: ReturnType<typeof groupColumns>,
  row: number,
  end: number,
  group: Group,
) {
  columns.model_id.setRun(row, end, group.modelId)
  columns.step.setRun(row, end, group.bucket)
  columns.model_version.setRun(row, end, group.modelVersion)
  columns.variant.setRun(row, end, group.variant)
  columns.shadow.setRun(row, end, group.shadow ? 1 : 0)
}

/** Writes `event_counts`: a row a group. */
export function eventCounts(): Writer {
  const columns = {
    ...groupColumns(),
    events: native.fixed('UInt64'),
    errors: native.fixed('UInt64'),
    duplicates: native.fixed('UInt64'),
    extra_weight: native.fixed('Float64'),
    extra_squares: native.fixed('Float64'),
    extra_errors: native.fixed('Float64'),
    bucket_s: native.fixed('UInt16'),
  }
  return (groups) => {
    native.clear(columns)
    groups.forEach((group, row) => {
      setGroup(columns, row, row + 1, group)
      columns.events.set(row, group.events)
      columns.errors.set(row, group.errors)
      columns.duplicates.set(row, group.duplicates)
      if (group.bucketMs < TIME_BUCKET_MS) columns.bucket_s.set(row, group.bucketMs / 1000)
      if (!group.sampled) return
      columns.extra_weight.set(row, group.sampled.weight)
      columns.extra_squares.set(row, group.sampled.squares)
      columns.extra_errors.set(row, group.sampled.errors)
    })
    return { table: 'event_counts', columns, rows: groups.length }
  }
}

/**
 * Writes `numeric_counts`: a row a bin of each subject of each group.
 *
 * @param subjects of the groups; read when rows are written
 */
export function numericCounts(subjects: readonly Subject[]): Writer {
  const group = groupColumns()
  const columns = {
    ...group,
    subject: native.lowCardinality(),
    grid: native.fixed('UInt16'),
    bin: native.fixed('Int32'),
    bin_high: native.fixed('Int32'),
    count: native.fixed('UInt64'),
    total: native.fixed('Float64'),
    low: native.fixed('Float64'),
    high: native.fixed('Float64'),
    extra_weight: native.fixed('Float64'),
  }
  return (groups) => {
    native.clear(columns)
    let row = 0
    // Rows are in the order of the table's key: ClickHouse then has nothing to sort.
    for (const subject of subjects.toSorted((a, b) => compare(keyOf(a), keyOf(b)))) {
      const { resolution, bins, counts, totals, lows, highs } = binned(
        subject.values,
        subject.length,
      )
      const end = row + bins.length
      setGroup(group, row, end, subject.group)
      columns.subject.setRun(row, end, subject.name)
      columns.grid.setRun(row, end, gridOf(resolution))
      columns.bin.setCells(row, lowKeys(bins, resolution))
      const high = highKeys(bins, resolution)
      if (high) columns.bin_high.setCells(row, high)
      columns.count.setCells(row, counts)
      columns.total.setCells(row, totals)
      columns.low.setCells(row, lows)
      columns.high.setCells(row, highs)
      row = end
    }
    for (const own of groups)
      for (const [name, bins] of own.sampled?.numbers ?? [])
        for (const [bin, { weight, total, low, high }] of bins) {
          setGroup(group, row, row + 1, own)
          columns.subject.set(row, name)
          columns.grid.set(row, gridOf(SAMPLED_RESOLUTION))
          columns.bin.set(row, bin)
          columns.total.set(row, total)
          columns.low.set(row, low)
          columns.high.set(row, high)
          columns.extra_weight.set(row, weight)
          row++
        }
    return { table: 'numeric_counts', columns, rows: row }
  }
}

const keyOf = ({ group, name }: Subject) =>
  [
    group.modelId,
    group.bucket,
    name,
    group.modelVersion,
    group.variant,
    group.shadow ? 1 : 0,
  ] as const

function compare(a: ReturnType<typeof keyOf>, b: ReturnType<typeof keyOf>): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i]! < b[i]!) return -1
    if (a[i]! > b[i]!) return 1
  }
  return 0
}

/**
 * Writes `category_counts`: a row a category of each subject of each group, and a row that counts
 * nothing for a feature without any value, so that it is known to have been named.
 */
export function categoryCounts(): Writer {
  const columns = {
    ...groupColumns(),
    subject: native.lowCardinality(),
    category: native.strings(),
    count: native.fixed('UInt64'),
    extra_weight: native.fixed('Float64'),
  }
  return (groups) => {
    native.clear(columns)
    let row = 0
    for (const group of groups) {
      for (const [name, counts] of group.categories) {
        for (const [category, count] of counts) {
          setGroup(columns, row, row + 1, group)
          columns.subject.set(row, name)
          columns.category.set(row, category)
          columns.count.set(row, count)
          const extra = group.sampled?.categories.get(name)?.get(category)
          if (extra) columns.extra_weight.set(row, extra)
          row++
        }
      }
      for (const name of group.nulls ?? []) {
        if (group.subjects.has(name) || group.categories.has(name)) continue
        setGroup(columns, row, row + 1, group)
        columns.subject.set(row, name)
        columns.category.set(row, '')
        row++
      }
    }
    return { table: 'category_counts', columns, rows: row }
  }
}
