/**
 * Maps of an event (features, attributes, scores): of an object, a list with names, a list of names
 * and values, columns by list or pattern, or named one by one. Pure.
 */
import type { SourceField, SourceMapPart } from '../../schemas/source.ts'
import { MAX_FEATURES, type FieldKind } from '../../schemas/fields.ts'
import { FlatRecord, perShape } from '../events/flat-record.ts'
import { conversionTo, type Convert } from './conversions.ts'
import { missingPath, shown, type Faults } from './faults.ts'
import { fits, globProblem } from './globs.ts'
import { child, isPath, MISSING, namesOf, readPath, type Path, type Scope } from './paths.ts'
import { checkedPath, valueReader, type Compiling, type ReadValue, type Target } from './values.ts'

/** Members of the map that is made now. */
interface Members {
  names: string[]
  values: unknown[]
}

type ReadPart = (scope: Scope, into: Members, faults: Faults) => void

/** Objects within objects that `flatten` goes into. */
const MAX_FLAT_DEPTH = 8
/** Members that are gathered before the validator says that they are too many. */
const MAX_MEMBERS = MAX_FEATURES + 1

/** Makes the reader of a map. What is wrong with `spec` becomes a problem. */
export function mapReader(spec: SourceField, target: Target, of: Compiling): ReadValue {
  const { key, name, field } = target
  const parts = Array.isArray(spec) ? spec : [spec]
  const readers = parts.map((part, i) =>
    partReader(part as SourceMapPart | string, partTarget(target, Array.isArray(spec), i), of),
  )
  const convert = conversionTo(field.kind, of.isCsv)
  // Of maps of texts and of numbers a member without a value goes: they hold no null.
  const keepsNull = field.kind === 'features'
  // Messages mostly have the same names: then the array of names is one for all of them.
  const shape = perShape((names) => ({ names, areDistinct: new Set(names).size === names.length }))
  if (readers.length === 0) of.problems.push(`${key} must name at least one part`)
  return (scope, faults) => {
    const into: Members = { names: [], values: [] }
    for (const read of readers) read(scope, into, faults)
    const { names, areDistinct } = shape.of(into.names)
    if (!areDistinct) faults.push(`${name} gives a name twice`)
    return converted({ names, values: into.values }, convert, keepsNull, of.isCsv)
  }
}

const partTarget = (target: Target, isList: boolean, at: number): Target =>
  isList ? { ...target, key: `${target.key}[${at}]` } : target

function converted(
  { names, values }: { names: readonly string[]; values: unknown[] },
  convert: Convert,
  keepsNull: boolean,
  isCsv: boolean,
): FlatRecord {
  let holes = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    const isNone = value === null || value === undefined || (isCsv && value === '')
    values[i] = isNone ? null : convert(value)
    if (values[i] === null) holes++
  }
  if (holes === 0 || keepsNull)
    return new FlatRecord(names, values, holes === 0 && values.every(Number.isFinite))
  const kept = names.map((_, i) => i).filter((i) => values[i] !== null)
  const rest = kept.map((i) => values[i])
  return new FlatRecord(
    kept.map((i) => names[i]!),
    rest,
    rest.every(Number.isFinite),
  )
}

function partReader(part: SourceMapPart | string, target: Target, of: Compiling): ReadPart {
  const { key } = target
  if (typeof part === 'string') {
    if (!isPath(part)) of.problems.push(`${key} must be a path, such as $.features, or a mapping`)
    return partReader({ path: isPath(part) ? part : '$item' }, target, of)
  }
  const kinds = ['list', 'match', 'names', 'columns', 'key', 'fields'] as const
  const given = kinds.filter((kind) => part[kind] !== undefined)
  if (given.length > 1) of.problems.push(`${key} has ${given.join(' and ')}, and may have one`)
  if (part.value !== undefined && part.key === undefined)
    of.problems.push(`${key}.value goes with key: the members that hold name and value`)
  if (given[0] === 'fields') return namedReader(part, target, of)
  const path = checkedPath(part.path ?? '$item', `${key}.path`, of)
  if (!path) return () => {}
  const found = { path, mayLack: part.optional === true, name: target.name }
  if (part.names !== undefined) return listReader(found, () => part.names)
  if (part.columns !== undefined) return columnsReader(found, part.columns, target, of)
  if (part.key !== undefined) return pairsReader(found, part.key, part.value ?? 'value')
  return membersReader(found, part, target, of)
}

/** Where a part looks, and whether nothing may be there. */
interface Found {
  path: Path
  mayLack: boolean
  name: string
}

/** The value of a part, or undefined and, unless it may lack, a fault. */
function valueAt({ path, mayLack, name }: Found, scope: Scope, faults: Faults): unknown {
  const value = readPath(path, scope)
  if (value !== MISSING && value !== null) return value
  if (!mayLack) faults.push(missingPath([path], scope, name))
  return undefined
}

function namedReader(
  { fields = {}, optional }: SourceMapPart,
  target: Target,
  of: Compiling,
): ReadPart {
  const { key, name, field } = target
  const member = { ...field, valid: () => true, kind: memberKind(field.kind) }
  const readers = Object.entries(fields).map(([own, spec]) => ({
    own,
    read: valueReader(
      spec as SourceField,
      { key: `${key}.fields.${own}`, name: `${name}.${own}`, field: member },
      of,
    ),
  }))
  return (scope, into, faults) => {
    for (const { own, read } of readers) {
      const lacks: Faults = []
      const value = read(scope, lacks)
      if (lacks.length > 0 && optional !== true) for (const fault of lacks) faults.push(fault)
      if (lacks.length > 0) continue
      into.names.push(own)
      into.values.push(value ?? null)
    }
  }
}

const memberKind = (kind: FieldKind): FieldKind =>
  kind === 'strings' ? 'text' : kind === 'numbers' ? 'number' : 'scalar'

function listReader(
  found: Found,
  namesFor: (scope: Scope) => readonly string[] | undefined,
): ReadPart {
  return (scope, into, faults) => {
    const list = valueAt(found, scope, faults)
    if (list === undefined) return
    const names = namesFor(scope)
    if (names === undefined) return
    if (!Array.isArray(list)) {
      faults.push(`${found.path.text} is no list (${found.name})`)
      return
    }
    // Which one is missing, or too many, nobody knows.
    if (list.length !== names.length) {
      faults.push(
        `${found.path.text} has ${list.length} elements where ${names.length} are named (${found.name})`,
      )
      return
    }
    for (let i = 0; i < names.length && into.names.length < MAX_MEMBERS; i++) {
      into.names.push(names[i]!)
      into.values.push(list[i])
    }
  }
}

function columnsReader(found: Found, columns: string, target: Target, of: Compiling): ReadPart {
  const at = checkedPath(columns, `${target.key}.columns`, of)
  if (!at) return () => {}
  return (scope, into, faults) => {
    const names = valueAt({ ...found, path: at }, scope, faults)
    if (names === undefined) return
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
      faults.push(`${at.text} is no list of names (${found.name})`)
      return
    }
    listReader(found, () => names)(scope, into, faults)
  }
}

function pairsReader(found: Found, key: string, value: string): ReadPart {
  return (scope, into, faults) => {
    const list = valueAt(found, scope, faults)
    if (list === undefined) return
    if (!Array.isArray(list)) {
      faults.push(`${found.path.text} is no list (${found.name})`)
      return
    }
    for (const pair of list) {
      if (into.names.length >= MAX_MEMBERS) return
      const name = child(pair, key)
      const given = child(pair, value)
      if (typeof name !== 'string' || given === MISSING) {
        faults.push(`an element of ${found.path.text} lacks ${key} or ${value} (${found.name})`)
        return
      }
      into.names.push(name)
      into.values.push(given)
    }
  }
}

/** Members of an object: all, those of a list, or those that a pattern fits. */
function membersReader(
  found: Found,
  part: SourceMapPart,
  { key }: Target,
  of: Compiling,
): ReadPart {
  const { list, strip = '', flatten = false } = part
  const match = asList(part.match)
  const except = asList(part.except)
  for (const [name, patterns] of Object.entries({ match, except }))
    for (const pattern of patterns ?? []) {
      const problem = globProblem(pattern)
      if (problem) of.problems.push(`${key}.${name}: ${pattern} ${problem}`)
    }
  const isWanted = (name: string) =>
    (match === undefined || match.some((pattern) => fits(name, pattern))) &&
    !except?.some((pattern) => fits(name, pattern))
  const wanted = list
    ? { of: () => list }
    : perShape((names: readonly string[]) => names.filter(isWanted).slice(0, MAX_MEMBERS))
  return (scope, into, faults) => {
    const object = valueAt(found, scope, faults)
    if (object === undefined) return
    if (Array.isArray(object) || typeof object !== 'object') {
      faults.push(
        `${found.path.text} is ${shown(object)} and no object (${found.name})${Array.isArray(object) ? ': names or columns say what its elements are' : ''}`,
      )
      return
    }
    const before = into.names.length
    for (const name of wanted.of(namesOf(object))) {
      const value = child(object, name)
      if (value === MISSING) continue
      const own = strip !== '' && name.startsWith(strip) ? name.slice(strip.length) : name
      if (flatten) addFlat(into, own, value, 0)
      else add(into, own, value)
    }
    if (into.names.length === before && !found.mayLack)
      faults.push(
        `${found.path.text} has none of ${(list ?? match ?? ['any member']).slice(0, 8).join(', ')} (${found.name})`,
      )
  }
}

const asList = (given: string | string[] | undefined) =>
  typeof given === 'string' ? [given] : given

function add({ names, values }: Members, name: string, value: unknown): void {
  if (names.length >= MAX_MEMBERS) return
  names.push(name)
  values.push(value)
}

/** Members of objects become `outer.inner`, elements of lists `outer_0`. */
function addFlat(into: Members, name: string, value: unknown, depth: number): void {
  if (
    typeof value !== 'object' ||
    value === null ||
    value instanceof Date ||
    depth === MAX_FLAT_DEPTH
  ) {
    add(into, name, value)
    return
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && into.names.length < MAX_MEMBERS; i++)
      addFlat(into, `${name}_${i}`, value[i], depth + 1)
    return
  }
  for (const inner of namesOf(value)) {
    if (into.names.length >= MAX_MEMBERS) return
    addFlat(into, `${name}.${inner}`, child(value, inner), depth + 1)
  }
}
