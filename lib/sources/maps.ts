/**
 * Maps of an event (features, attributes, scores): of an object, a list with names, a list of names
 * and values, columns by list or pattern, or named one by one. Pure.
 */
import type { SourceField, SourceMapPart } from '../../schemas/source.ts'
import type { FieldKind } from '../../schemas/fields.ts'
import { FlatRecord, perShape } from '../events/flat-record.ts'
import { conversionTo, type Convert } from './conversions.ts'
import { missingPath, shown, type Faults } from './faults.ts'
import { fits, globProblem } from './globs.ts'
import { child, isPath, MISSING, namesOf, pathReader, type Path, type Scope } from './paths.ts'
import {
  add,
  addFlat,
  append,
  columnsOf,
  MAX_MEMBERS,
  noMembers,
  take,
  type Members,
} from './members.ts'
import { checkedPath, valueReader, type Compiling, type ReadValue, type Target } from './values.ts'

type ReadPart = (scope: Scope, into: Members, faults: Faults) => void

/** Makes the reader of a map. What is wrong with `spec` becomes a problem. */
export function mapReader(spec: SourceField, target: Target, of: Compiling): ReadValue {
  const { key, name, field } = target
  const parts = Array.isArray(spec) ? spec : [spec]
  const readers = parts.map((part, i) =>
    partReader(part as SourceMapPart | string, partTarget(target, Array.isArray(spec), i), of),
  )
  const convert = conversionTo(field.kind, of.isCsv)
  // Maps of texts and of numbers hold no null: a member without a value goes.
  const keepsNull = field.kind === 'features'
  // Messages mostly have the same names: then the array of names is one for all of them.
  const shape = perShape((names) => ({ names, areDistinct: new Set(names).size === names.length }))
  if (readers.length === 0) of.problems.push(`${key} must name at least one part`)
  const keeps = { null: keepsNull, numbers: field.kind !== 'strings' }
  return (scope, faults) => {
    const into = noMembers()
    for (const read of readers) read(scope, into, faults)
    const { names, areDistinct } = shape.of(into.names)
    if (!areDistinct) faults.push(`${name} gives a name twice`)
    return converted({ names, values: into.values }, { convert, keeps, isCsv: of.isCsv })
  }
}

const partTarget = (target: Target, isList: boolean, at: number): Target =>
  isList ? { ...target, key: `${target.key}[${at}]` } : target

/** How the values of a map become those of its field. */
interface Conversion {
  convert: Convert
  /** Whether the map may hold null, and whether a number stays one. */
  keeps: { null: boolean; numbers: boolean }
  isCsv: boolean
}

function converted(
  { names, values }: { names: readonly string[]; values: unknown[] },
  { convert, keeps, isCsv }: Conversion,
): FlatRecord {
  let holes = 0
  let isNumeric = true
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value === 'number' && keeps.numbers) {
      isNumeric &&= Number.isFinite(value)
      continue
    }
    const isNone = value === null || value === undefined || (isCsv && value === '')
    const own = isNone ? null : convert(value)
    values[i] = own
    if (own === null) holes++
    else isNumeric &&= Number.isFinite(own)
  }
  if (holes === 0 || keeps.null) return new FlatRecord(names, values, holes === 0 && isNumeric)
  const kept = names.map((_, i) => i).filter((i) => values[i] !== null)
  return new FlatRecord(
    kept.map((i) => names[i]!),
    kept.map((i) => values[i]),
    isNumeric,
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
  const found = foundAt(path, part.optional === true, target.name)
  if (part.names !== undefined) return listReader(found, () => part.names)
  if (part.columns !== undefined) return columnsReader(found, part.columns, target, of)
  if (part.key !== undefined) return pairsReader(found, part.key, part.value ?? 'value')
  return membersReader(found, part, target, of)
}

/** Where a part looks, and whether nothing may be there. */
interface Found {
  path: Path
  read: (scope: Scope) => unknown
  mayLack: boolean
  name: string
}

const foundAt = (path: Path, mayLack: boolean, name: string): Found => ({
  path,
  read: pathReader(path),
  mayLack,
  name,
})

/** The value of a part, or undefined and, unless it may lack, a fault. */
function valueAt({ path, read, mayLack, name }: Found, scope: Scope, faults: Faults): unknown {
  const value = read(scope)
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
      if (lacks.length === 0) append(into, own, value ?? null)
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
    for (let i = 0; i < names.length && into.names.length < MAX_MEMBERS; i++)
      append(into, names[i]!, list[i])
  }
}

function columnsReader(found: Found, columns: string, target: Target, of: Compiling): ReadPart {
  const at = checkedPath(columns, `${target.key}.columns`, of)
  if (!at) return () => {}
  const naming = foundAt(at, found.mayLack, found.name)
  return (scope, into, faults) => {
    const names = valueAt(naming, scope, faults)
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
      append(into, name, given)
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
  const ownName = (name: string) =>
    strip !== '' && name.startsWith(strip) ? name.slice(strip.length) : name
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
  const wantedOf = (names: readonly string[]) =>
    list ?? names.filter(isWanted).slice(0, MAX_MEMBERS)
  const wanted = perShape(wantedOf)
  const columns = perShape((names) => columnsOf(names, wantedOf(names), ownName))
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
    if (object instanceof FlatRecord && !flatten && before === 0)
      take(into, object, columns.of(object.names))
    else
      for (const name of wanted.of(namesOf(object))) {
        const value = child(object, name)
        if (value === MISSING) continue
        if (flatten) addFlat(into, ownName(name), value, 0)
        else add(into, ownName(name), value)
      }
    if (into.names.length === before && !found.mayLack)
      faults.push(
        `${found.path.text} has none of ${(list ?? match ?? ['any member']).slice(0, 8).join(', ')} (${found.name})`,
      )
  }
}

const asList = (given: string | string[] | undefined) =>
  typeof given === 'string' ? [given] : given
