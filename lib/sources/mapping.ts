/**
 * The core of a source: (source, message) → events, or which path was missing. Pure; every bound of
 * what a message may become is here.
 */
import type { TObject } from 'typebox'
import { factsOf } from '../../schemas/fields.ts'
import { AttributesV1 } from '../../schemas/events/attributes.v1.ts'
import { InferenceV1 } from '../../schemas/events/inference.v1.ts'
import { LabelV1 } from '../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import type { SourceEvent, SourceFile } from '../../schemas/source.ts'
import { fieldsOf } from '../events/fields.ts'
import { FlatRecord } from '../events/flat-record.ts'
import { alternativesOf, MAX_EVENT_BYTES } from '../events/rejections.ts'
import { didYouMean } from '../runtime/nearest-name.ts'
import { shown, type Faults } from './faults.ts'
import { filterOf, type Filter } from './filters.ts'
import { mapReader } from './maps.ts'
import { embeddedParts, type ParseParts } from './embedded.ts'
import {
  ALL,
  child,
  MISSING,
  namesOf,
  parsePath,
  readPath,
  type Path,
  type Scope,
} from './paths.ts'
import { valueReader, type Compiling, type ReadValue, type Target } from './values.ts'
import { fieldProblems } from './problems.ts'

/** What a message may become. */
export type SourceEventType = SourceEvent['type']

/** The schema of each type of event. */
export const EVENT_SCHEMAS: Readonly<Record<SourceEventType, TObject>> = {
  prediction: PredictionV1,
  label: LabelV1,
  attributes: AttributesV1,
  inference: InferenceV1,
}

/** Events of one message at most, over all of its `each`. */
export const MAX_EVENTS = 10_000
/**
 * What the events of a message may hold in all, as a multiple of its bytes: a long text that
 * thousands of elements share is copied into each of them.
 */
const MAX_GROWTH = 64
const ROOM = 65_536

/** An event that a message became, not yet validated; or why it became none. */
export type SourceResult =
  | { type: SourceEventType; event: FlatRecord }
  | { type: SourceEventType; fault: string; code: 'unmapped' | 'too_large' }

/** What became of a message. */
export interface MappedMessage {
  results: SourceResult[]
  /** Why it became nothing, where filters left it out: of the first event type. */
  filtered: string | undefined
}

/** A message, decoded, and what its log or file says of it. */
export interface SourceMessage {
  body: unknown
  meta: Readonly<Record<string, unknown>>
  /** Size of the message as it came. */
  bytes: number
}

/** Maps messages of one source. */
export type MapMessage = (message: SourceMessage) => MappedMessage

/**
 * Makes the mapping of a source file.
 *
 * @param only events of this type; all where undefined
 * @returns the mapping, and every problem of the file as a sentence; with problems it must not be
 *   used
 */
export function compileSource(
  file: SourceFile,
  only?: SourceEventType,
): { map: MapMessage; problems: string[] } {
  const problems: string[] = []
  const parse = embeddedParts(file, problems)
  const plans = file.events
    .map((event, i) => planOf(event, `events[${i}]`, { problems, isCsv: file.format === 'csv' }))
    .filter(({ type }) => only === undefined || type === only)
  return { problems, map: (message) => mapped(message, plans, parse) }
}

/** How messages become events of one type. */
interface Plan {
  type: SourceEventType
  each: Path | undefined
  filter: Filter
  names: readonly string[]
  readers: readonly ReadValue[]
}

function planOf(
  event: SourceEvent,
  key: string,
  { problems, isCsv }: Pick<Compiling, 'problems' | 'isCsv'>,
): Plan {
  const of: Compiling = { problems, isCsv, hasEach: event.each !== undefined }
  const each = event.each === undefined ? undefined : eachOf(event.each, key, problems)
  const schema = EVENT_SCHEMAS[event.type]
  requireFields(event, schema, key, problems)
  const known = new Map(fieldsOf(schema).map((field) => [field.name, field]))
  const names: string[] = []
  const readers: ReadValue[] = []
  for (const [name, spec] of Object.entries(event.fields)) {
    const field = known.get(name)
    const at = `${key}.fields.${name}`
    if (!field) {
      problems.push(`${at} is no field of a ${event.type}${didYouMean(name, known.keys())}`)
      continue
    }
    const found = fieldProblems(spec, field, at)
    for (const problem of found) problems.push(problem)
    if (found.length > 0) continue
    const { rule } = factsOf(schema.properties[name]!)
    const target: Target = { key: at, name, field: { ...field, rule } }
    names.push(name)
    readers.push(field.isMap ? mapReader(spec, target, of) : valueReader(spec, target, of))
  }
  return { type: event.type, each, filter: filterOf(event, `${key}.where`, of), names, readers }
}

function requireFields(
  { type, fields }: SourceEvent,
  schema: TObject,
  key: string,
  problems: string[],
): void {
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(fields, name))
      problems.push(`${key}.fields must have ${name}: a ${type} needs it`)
  const alternatives = alternativesOf(schema)
  if (alternatives.length > 0 && !alternatives.some((name) => Object.hasOwn(fields, name)))
    problems.push(`${key}.fields must have ${alternatives.join(' or ')}: a ${type} needs one`)
}

/** Lists within one another that `each` may go through. */
const MAX_LISTS = 3

function eachOf(text: string, key: string, problems: string[]): Path | undefined {
  try {
    const path = parsePath(text)
    if (path.root !== 'message') throw new Error('must begin with $.')
    const lists = path.steps.filter((step) => step === ALL).length
    if (lists > MAX_LISTS) throw new Error(`has more than ${MAX_LISTS} [*]`)
    // The last list may go without its star: `$.rows` is `$.rows[*]`.
    return path.steps.at(-1) === ALL ? { ...path, steps: path.steps.slice(0, -1) } : path
  } catch (error) {
    problems.push(`${key}.each: ${text} ${(error as Error).message}`)
    return undefined
  }
}

function mapped(
  { body, meta, bytes }: SourceMessage,
  plans: readonly Plan[],
  parse: ParseParts,
): MappedMessage {
  const results: SourceResult[] = []
  let filtered: string | undefined
  const scope: Scope = { message: body, item: body, place: 0, meta }
  const fault = parse(scope)
  if (fault !== undefined)
    return {
      results: plans.slice(0, 1).map(({ type }) => ({ type, fault, code: 'unmapped' })),
      filtered,
    }
  let left = MAX_GROWTH * bytes + ROOM
  for (const plan of plans) {
    scope.item = scope.message
    scope.place = 0
    const items = plan.each ? itemsOf(plan.each, scope) : [scope.message]
    if (typeof items === 'string') {
      // A message of another kind has no such list, and is not to blame.
      const why = plan.filter(scope)
      if (why === undefined) results.push({ type: plan.type, fault: items, code: 'unmapped' })
      else filtered ??= why
      continue
    }
    for (let place = 0; place < items.length; place++) {
      scope.item = items[place]
      scope.place = place
      const result = resultOf(plan, scope)
      if (typeof result === 'string') {
        filtered ??= result
        continue
      }
      left -= result.size
      if (results.length === MAX_EVENTS || left < 0) {
        const code = 'too_large'
        return { results: [{ type: plan.type, fault: tooMany(left), code }], filtered: undefined }
      }
      results.push(result.of)
    }
  }
  return { results, filtered: results.length === 0 ? (filtered ?? 'no element') : undefined }
}

const tooMany = (left: number) =>
  left < 0
    ? `the events of the message hold more than ${MAX_GROWTH} times its bytes`
    : `the message becomes more than ${MAX_EVENTS} events`

/** What became of one element, and how many bytes of JSON an event is, about; 0 for a fault. */
interface Sized {
  of: SourceResult
  size: number
}

/** One event, why it is none, or why it does not count. */
function resultOf({ type, filter, names, readers }: Plan, scope: Scope): Sized | string {
  const why = filter(scope)
  if (why !== undefined) return why
  const faults: Faults = []
  const values: unknown[] = []
  for (const read of readers) values.push(read(scope, faults))
  if (faults.length > 0) return { of: { type, fault: sentence(faults), code: 'unmapped' }, size: 0 }
  const event = new FlatRecord(names, values, false)
  const size = sizeOf(event)
  if (size <= MAX_EVENT_BYTES) return { of: { type, event }, size }
  const fault = `an event is larger than ${MAX_EVENT_BYTES} bytes`
  return { of: { type, fault, code: 'too_large' }, size: 0 }
}

const MAX_FAULTS = 5
const MAX_SENTENCE = 1000

function sentence(faults: Faults): string {
  const more = faults.length > MAX_FAULTS ? `; and ${faults.length - MAX_FAULTS} more` : ''
  return `${faults.slice(0, MAX_FAULTS).join('; ')}${more}`.slice(0, MAX_SENTENCE)
}

/** The elements that `each` names, or which path is missing. */
function itemsOf(each: Path, scope: Scope): readonly unknown[] | string {
  const star = each.steps.indexOf(ALL)
  if (star === -1) return listAt(each, scope)
  const outer = listAt({ ...each, steps: each.steps.slice(0, star) }, scope)
  if (typeof outer === 'string') return outer
  const rest: Path = { root: 'item', steps: each.steps.slice(star + 1), text: each.text }
  const items: unknown[] = []
  for (const item of outer) {
    const inner = itemsOf(rest, { ...scope, item })
    if (typeof inner === 'string') return inner
    for (const one of inner) items.push(one)
    if (items.length > MAX_EVENTS) break
  }
  return items
}

function listAt(path: Path, scope: Scope): readonly unknown[] | string {
  const value = readPath(path, scope)
  if (value === MISSING) return `no ${path.text} (each)`
  return Array.isArray(value)
    ? (value as unknown[])
    : `${path.text} is ${shown(value)} and no list (each)`
}

/** About as many bytes as an event has as JSON, seen without making it. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  if (Array.isArray(value)) {
    let size = 2
    for (const one of value) size += sizeOf(one)
    return size
  }
  let size = 2
  if (value instanceof FlatRecord) {
    const { names, values } = value
    for (let i = 0; i < names.length; i++) size += names[i]!.length + 4 + sizeOf(values[i])
    return size
  }
  for (const name of namesOf(value)) size += name.length + 4 + sizeOf(child(value, name))
  return size
}
