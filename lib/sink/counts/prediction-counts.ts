/**
 * Counts predictions per model, version, variant and time bucket, of 15 minutes unless the model's
 * windows need 1 or 5: every window,
 * reference and pair of versions is later a sum of these, whatever the number of events.
 */
import { ID_SEPARATOR } from '../../../schemas/fields.ts'
import { featureSubject, OWN_NUMBERS } from '../../events/subjects.ts'
import { canonical } from '../../events/fields.ts'
import type { Event } from '../../events/validator.ts'
import { perShape, fieldGetter, type FlatRecord } from '../../events/flat-record.ts'
import { TIME_BUCKET_MS } from '../../models/windows.ts'
import { monthsOf } from '../month-pieces.ts'
import type { TableRows } from '../table-rows.ts'
import {
  categoryCounts,
  eventCounts,
  numericCounts,
  type Group,
  type Subject,
  type Writer,
} from './count-columns.ts'
import { addSampled, sampledCounts } from './weighted-counts.ts'

/** Begin of the time bucket an instant lies in, epoch seconds. @param bucketMs its length */
export const timeBucketOf = (atMs: number, bucketMs: number = TIME_BUCKET_MS): number =>
  (Math.floor(atMs / bucketMs) * bucketMs) / 1000

/** The time bucket of a model's counts, in milliseconds. */
export type BucketOf = (modelId: string) => number

const ALWAYS_LONGEST: BucketOf = () => TIME_BUCKET_MS

/** UTF-16 units of a category that are kept. */
const MAX_CATEGORY = 200
const modelIdOf = fieldGetter('model_id')
const modelVersionOf = fieldGetter('model_version')
const variantOf = fieldGetter('variant')
const shadowOf = fieldGetter('shadow')
const statusOf = fieldGetter('status')
const featuresOf = fieldGetter('features')
const predictionOf = fieldGetter('prediction')
const fractionOf = fieldGetter('sampling_fraction')
/** The index, in an event of these names, of each of {@link OWN_NUMBERS} that it has. */
const ownNumbers = perShape((names) =>
  OWN_NUMBERS.map(({ field, subject }) => ({ at: names.indexOf(field), subject })).filter(
    ({ at }) => at >= 0,
  ),
)

/** Counts the predictions of one range after another, in the same memory. */
export interface PredictionCounts {
  /** Forgets what was counted before; its memory is used again. */
  begin: () => void
  /** Counts an event that is stored. */
  add: (event: Event, predictedAtMs: number) => void
  /** Counts an event whose id was stored before: as a duplicate alone. */
  repeat: (event: Event, predictedAtMs: number) => void
  /** The months of the events, where they are too many for one insert ({@link monthsOf}). */
  months: () => number[] | undefined
  /** The rows of the three tables of counts; their columns are written again after `begin`. */
  tables: () => TableRows[]
}

const MIN_VALUES = 256
/** Arrays of values that are kept for the next range. */
const MAX_SPARE = 1024

/** What one range has been counted to, and memory of ranges before. */
interface Counting {
  codesOf: (modelId: string) => ReadonlySet<string>
  groups: Map<string, Group>
  /** The subjects of all groups. */
  subjects: Subject[]
  spare: Float64Array[]
  /** The group of the event before. */
  last: Group | undefined
  bucketOf: BucketOf
  /** The model of the event before, '' before the first, and its time bucket. */
  bucketModel: string
  bucketMs: number
}

/**
 * Makes an empty count.
 *
 * @param codesOf subjects of a model whose numbers are categories by its file; none unless given
 * @param bucketOf the time bucket of a model's counts; 15 minutes unless given
 */
export function predictionCounts(
  codesOf: (modelId: string) => ReadonlySet<string> = () => NO_CODES,
  bucketOf: BucketOf = ALWAYS_LONGEST,
): PredictionCounts {
  const counting: Counting = {
    codesOf,
    groups: new Map(),
    subjects: [],
    spare: [],
    last: undefined,
    bucketOf,
    bucketModel: '',
    bucketMs: TIME_BUCKET_MS,
  }
  // Events last: whoever sees them sees what else was counted of them.
  const writers = [numericCounts(counting.subjects), categoryCounts(), eventCounts()]
  return {
    begin: () => begin(counting),
    add: (event, atMs) => addEvent(counting, event, atMs),
    repeat: (event, atMs) => {
      groupOf(counting, event, atMs).duplicates++
    },
    months: () => monthsOf(timesOf(counting)),
    tables: () => tablesOf(counting, writers),
  }
}

function begin(counting: Counting): void {
  const { subjects, spare, groups } = counting
  for (const { values } of subjects) if (spare.length < MAX_SPARE) spare.push(values)
  subjects.length = 0
  groups.clear()
  counting.last = undefined
  counting.bucketModel = ''
}

function addEvent(counting: Counting, event: Event, atMs: number): void {
  const group = groupOf(counting, event, atMs)
  group.events++
  if (statusOf(event) === 'error') group.errors++
  const features = featuresOf(event)
  if (features) addFeatures(counting, group, features as FlatRecord)
  const prediction = predictionOf(event)
  if (typeof prediction === 'number')
    addNumber(subjectOf(counting, group, '@prediction'), prediction)
  else if (prediction !== null && prediction !== undefined)
    addCategory(group, '@prediction', canonical(prediction))
  for (const { at, subject } of ownNumbers.of(event.names)) {
    const value = event.values[at]
    if (typeof value === 'number') addNumber(subjectOf(counting, group, subject), value)
  }
  const fraction = fractionOf(event)
  if (typeof fraction === 'number' && fraction < 1)
    addSampled((group.sampled ??= sampledCounts(group.codes)), event, fraction, categoryOf)
}

const timesOf = ({ groups }: Counting) => [...groups.values()].map(({ bucket }) => 1000 * bucket)

function tablesOf(counting: Counting, writers: readonly Writer[]): TableRows[] {
  const all = [...counting.groups.values()]
  const of = monthsOf(timesOf(counting))
  const months = of && { column: 'step', of }
  return writers.map((write) => {
    const rows = write(all)
    // Events are so few in number that their table is not partitioned.
    return rows.table === 'event_counts' ? rows : { ...rows, months }
  })
}

/** The group of an event; made where the event is its first. */
function groupOf(counting: Counting, event: Event, atMs: number): Group {
  const { last, groups } = counting
  const modelId = modelIdOf(event) as string
  // Most events are of the model of the one before.
  if (modelId !== counting.bucketModel) {
    counting.bucketModel = modelId
    counting.bucketMs = counting.bucketOf(modelId)
  }
  const bucket = timeBucketOf(atMs, counting.bucketMs)
  const modelVersion = modelVersionOf(event) as string
  const variant = (variantOf(event) ?? '') as string
  const shadow = shadowOf(event) === true
  if (
    last !== undefined &&
    last.bucket === bucket &&
    last.modelId === modelId &&
    last.modelVersion === modelVersion &&
    last.variant === variant &&
    last.shadow === shadow
  )
    return last
  const key = [modelId, modelVersion, variant, shadow, bucket].join(ID_SEPARATOR)
  let group = groups.get(key)
  if (!group) {
    group = {
      modelId,
      modelVersion,
      variant,
      shadow,
      bucket,
      bucketMs: counting.bucketMs,
      events: 0,
      errors: 0,
      duplicates: 0,
      subjects: new Map(),
      newest: [],
      newestNames: undefined,
      categories: new Map(),
      nulls: undefined,
      codes: someOf(counting.codesOf(modelId)),
      sampled: undefined,
    }
    groups.set(key, group)
  }
  counting.last = group
  return group
}

function subjectOf({ subjects, spare }: Counting, group: Group, name: string): Subject {
  let subject = group.subjects.get(name)
  if (!subject) {
    subject = { group, name, values: spare.pop() ?? new Float64Array(MIN_VALUES), length: 0 }
    subjects.push(subject)
    group.subjects.set(name, subject)
  }
  return subject
}

function addCategory(group: Group, name: string, value: string): void {
  let counts = group.categories.get(name)
  if (!counts) group.categories.set(name, (counts = new Map()))
  const category = categoryOf(value)
  counts.set(category, (counts.get(category) ?? 0) + 1)
}

function addFeatures(counting: Counting, group: Group, features: FlatRecord): void {
  const { names, values, numeric } = features
  const { newest, codes } = group
  if (numeric && names === group.newestNames) {
    for (let i = 0; i < names.length; i++) addNumber(newest[i]!, values[i] as number)
    return
  }
  for (let i = 0; i < names.length; i++) {
    const name = featureSubject(names[i]!)
    const value = values[i]
    if (typeof value === 'number' && !codes?.has(name)) {
      if (newest[i]?.name !== name) newest[i] = subjectOf(counting, group, name)
      addNumber(newest[i]!, value)
    } else if (value !== null) addCategory(group, name, canonical(value))
    else (group.nulls ??= new Set()).add(name)
  }
  group.newestNames = numeric && codes === undefined ? names : undefined
}

const NO_CODES: ReadonlySet<string> = new Set()
const someOf = (codes: ReadonlySet<string>) => (codes.size > 0 ? codes : undefined)

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
