/**
 * What is counted of predictions, per model, version, variant and time step of 15 minutes: every window, reference
 * and pair of versions is later a sum of these, whatever the number of events.
 */
import { ID_SEPARATOR } from '../../../schemas/fields.ts'
import { featureSubject, OWN_NUMBERS } from '../../events/subjects.ts'
import { canonical } from '../../events/fields.ts'
import type { Event } from '../../events/validator.ts'
import * as native from '../../clickhouse/native/block.ts'
import { perShape, fieldGetter, type FlatRecord } from '../../events/flat-record.ts'
import { monthsOf } from '../month-pieces.ts'
import type { TableRows } from '../table-rows.ts'
import { binnedApart } from './log-histogram.ts'
import { addSampled, SAMPLED_GRID, sampledCounts, type SampledCounts } from './weighted-counts.ts'

const STEP_SECONDS = 900

/** The time step an instant lies in, as epoch seconds. */
export const stepAt = (atMs: number) => Math.floor(atMs / 1000 / STEP_SECONDS) * STEP_SECONDS

const MAX_CATEGORY = 200
const modelIdOf = fieldGetter('model_id')
const modelVersionOf = fieldGetter('model_version')
const variantOf = fieldGetter('variant')
const shadowOf = fieldGetter('shadow')
const statusOf = fieldGetter('status')
const featuresOf = fieldGetter('features')
const predictionOf = fieldGetter('prediction')
const fractionOf = fieldGetter('sampling_fraction')
/** Of {@link OWN_NUMBERS}, those an event has. */
const ownNumbers = perShape((names) =>
  OWN_NUMBERS.map(({ field, subject }) => ({ at: names.indexOf(field), subject })).filter(
    ({ at }) => at >= 0,
  ),
)

/** Events that are counted together. */
interface Group {
  modelId: string
  modelVersion: string
  variant: string
  shadow: boolean
  step: number
  events: number
  errors: number
  duplicates: number
  subjects: Map<string, Subject>
  /** The subjects of the newest event's features, in their order: most events have the same. */
  newest: (Subject | undefined)[]
  /** Their names, where all of them were numbers. */
  newestNames: readonly string[] | undefined
  categories: Map<string, Map<string, number>>
  /** Features whose numbers are categories. */
  codes: ReadonlySet<string> | undefined
  /** Of those of its events that were drawn. */
  sampled: SampledCounts | undefined
}

/** The numbers of one feature in one group, as they came. */
interface Subject {
  group: Group
  name: string
  values: Float64Array
  length: number
}

export interface PredictionCounts {
  /** Forgets what was counted before; its memory is used again. */
  begin: () => void
  add: (event: Event, predictedAtMs: number) => void
  repeat: (event: Event, predictedAtMs: number) => void
  /** The months of the events, where they are too many for one insert ({@link monthsOf}). */
  months: () => number[] | undefined
  tables: () => TableRows[]
}

const MIN_VALUES = 256
/** Arrays of values that are kept for the next range. */
const MAX_SPARE = 1024

/**
 * @param codesOf subjects of a model whose numbers are categories by its file; none unless given
 */
export function predictionCounts(
  codesOf: (modelId: string) => ReadonlySet<string> = () => NO_CODES,
): PredictionCounts {
  const groups = new Map<string, Group>()
  const subjects: Subject[] = []
  const spare: Float64Array[] = []
  let last: Group | undefined
  const writers = [eventCounts(), numericCounts(subjects), categoryCounts()]

  function groupOf(event: Event, atMs: number): Group {
    const step = stepAt(atMs)
    const modelId = modelIdOf(event) as string
    const modelVersion = modelVersionOf(event) as string
    const variant = (variantOf(event) ?? '') as string
    const shadow = shadowOf(event) === true
    if (
      last !== undefined &&
      last.step === step &&
      last.modelId === modelId &&
      last.modelVersion === modelVersion &&
      last.variant === variant &&
      last.shadow === shadow
    )
      return last
    const key = [modelId, modelVersion, variant, shadow, step].join(ID_SEPARATOR)
    let group = groups.get(key)
    if (!group) {
      group = {
        modelId,
        modelVersion,
        variant,
        shadow,
        step,
        events: 0,
        errors: 0,
        duplicates: 0,
        subjects: new Map(),
        newest: [],
        newestNames: undefined,
        categories: new Map(),
        codes: someOf(codesOf(modelId)),
        sampled: undefined,
      }
      groups.set(key, group)
    }
    last = group
    return group
  }

  function subjectOf(group: Group, name: string): Subject {
    let subject = group.subjects.get(name)
    if (!subject) {
      subject = { group, name, values: spare.pop() ?? new Float64Array(MIN_VALUES), length: 0 }
      subjects.push(subject)
      group.subjects.set(name, subject)
    }
    return subject
  }

  function addCategory(group: Group, name: string, value: string) {
    let counts = group.categories.get(name)
    if (!counts) group.categories.set(name, (counts = new Map()))
    const category = categoryOf(value)
    counts.set(category, (counts.get(category) ?? 0) + 1)
  }

  function addFeatures(group: Group, { names, values, numeric }: FlatRecord) {
    const { newest, codes } = group
    if (numeric && names === group.newestNames) {
      for (let i = 0; i < names.length; i++) addNumber(newest[i]!, values[i] as number)
      return
    }
    for (let i = 0; i < names.length; i++) {
      const name = featureSubject(names[i]!)
      const value = values[i]
      if (typeof value === 'number' && !codes?.has(name)) {
        if (newest[i]?.name !== name) newest[i] = subjectOf(group, name)
        addNumber(newest[i]!, value)
      } else if (value !== null) addCategory(group, name, canonical(value))
    }
    group.newestNames = numeric && codes === undefined ? names : undefined
  }

  return {
    add: (event, atMs) => {
      const group = groupOf(event, atMs)
      group.events++
      if (statusOf(event) === 'error') group.errors++
      const features = featuresOf(event)
      if (features) addFeatures(group, features as FlatRecord)
      const prediction = predictionOf(event)
      if (typeof prediction === 'number') addNumber(subjectOf(group, '@prediction'), prediction)
      else if (prediction !== null && prediction !== undefined)
        addCategory(group, '@prediction', canonical(prediction))
      for (const { at, subject } of ownNumbers.of(event.names)) {
        const value = event.values[at]
        if (typeof value === 'number') addNumber(subjectOf(group, subject), value)
      }
      const fraction = fractionOf(event)
      if (typeof fraction === 'number' && fraction < 1)
        addSampled(
          (group.sampled ??= sampledCounts(group.codes)),
          event,
          fraction,
          OWN_NUMBERS,
          categoryOf,
        )
    },
    repeat: (event, atMs) => {
      groupOf(event, atMs).duplicates++
    },
    begin: () => {
      for (const { values } of subjects) if (spare.length < MAX_SPARE) spare.push(values)
      subjects.length = 0
      groups.clear()
      last = undefined
    },
    months: () => monthsOf([...groups.values()].map(({ step }) => 1000 * step)),
    tables: () => {
      const all = [...groups.values()]
      const of = monthsOf(all.map(({ step }) => 1000 * step))
      const months = of && { column: 'step', of }
      return writers.map((write) => {
        const rows = write(all)
        // Events are so few in number that their table is not partitioned.
        return rows.table === 'event_counts' ? rows : { ...rows, months }
      })
    },
  }
}

const NO_CODES: ReadonlySet<string> = new Set()
const someOf = (codes: ReadonlySet<string>) => (codes.size > 0 ? codes : undefined)

/** Writes what was counted into the columns of its table, which are its own and are used again. */
type Writer = (groups: readonly Group[]) => TableRows

const categoryOf = (value: string) =>
  value.length > MAX_CATEGORY ? Array.from(value).slice(0, MAX_CATEGORY).join('') : value

function addNumber(subject: Subject, value: number) {
  if (subject.length === subject.values.length) {
    const wider = new Float64Array(4 * subject.length)
    wider.set(subject.values)
    subject.values = wider
  }
  subject.values[subject.length++] = value
}

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
  columns.step.setRun(row, end, group.step)
  columns.model_version.setRun(row, end, group.modelVersion)
  columns.variant.setRun(row, end, group.variant)
  columns.shadow.setRun(row, end, group.shadow ? 1 : 0)
}

function eventCounts(): Writer {
  const columns = {
    ...groupColumns(),
    events: native.fixed('UInt64'),
    errors: native.fixed('UInt64'),
    duplicates: native.fixed('UInt64'),
    extra_weight: native.fixed('Float64'),
    extra_squares: native.fixed('Float64'),
    extra_errors: native.fixed('Float64'),
  }
  return (groups) => {
    native.clear(columns)
    groups.forEach((group, row) => {
      setGroup(columns, row, row + 1, group)
      columns.events.set(row, group.events)
      columns.errors.set(row, group.errors)
      columns.duplicates.set(row, group.duplicates)
      if (!group.sampled) return
      columns.extra_weight.set(row, group.sampled.weight)
      columns.extra_squares.set(row, group.sampled.squares)
      columns.extra_errors.set(row, group.sampled.errors)
    })
    return { table: 'event_counts', columns, rows: groups.length }
  }
}

function numericCounts(subjects: readonly Subject[]): Writer {
  const group = groupColumns()
  const columns = {
    ...group,
    subject: native.lowCardinality(),
    grid: native.fixed('UInt16'),
    bin: native.fixed('Int32'),
    count: native.fixed('UInt64'),
    total: native.fixed('Float64'),
    low: native.fixed('Float64'),
    high: native.fixed('Float64'),
    extra_weight: native.fixed('Float64'),
  }
  return (groups) => {
    native.clear(columns)
    let row = 0
    // In the order of the table's key: ClickHouse then has nothing to sort.
    for (const subject of subjects.toSorted((a, b) => compare(keyOf(a), keyOf(b)))) {
      for (const piece of binnedApart(subject.values, subject.length)) {
        const end = row + piece.bins.length
        setGroup(group, row, end, subject.group)
        columns.subject.setRun(row, end, subject.name)
        columns.grid.setRun(row, end, piece.grid)
        columns.bin.setCells(row, piece.bins)
        columns.count.setCells(row, piece.counts)
        columns.total.setCells(row, piece.totals)
        columns.low.setCells(row, piece.lows)
        columns.high.setCells(row, piece.highs)
        row = end
      }
    }
    for (const own of groups)
      for (const [name, bins] of own.sampled?.numbers ?? [])
        for (const [bin, { weight, total, low, high }] of bins) {
          setGroup(group, row, row + 1, own)
          columns.subject.set(row, name)
          columns.grid.set(row, SAMPLED_GRID)
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
    group.step,
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

function categoryCounts(): Writer {
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
    }
    return { table: 'category_counts', columns, rows: row }
  }
}
