/**
 * Members of a map that is being made. Maps in a row mostly have the same names: then the array of
 * names is the one of the map before, and is copied only where more is added. Pure.
 */
import { MAX_FEATURES } from '../../schemas/fields.ts'
import type { FlatRecord } from '../events/flat-record.ts'
import { child, namesOf } from './paths.ts'

/** Members of the map that is made now. */
export interface Members {
  names: readonly string[]
  values: unknown[]
  /** The names are an array of their own, which may be added to. */
  isOwn: boolean
}

/** Objects within objects that `flatten` goes into. */
const MAX_FLAT_DEPTH = 8
/** Members that are gathered before the validator says that they are too many. */
export const MAX_MEMBERS = MAX_FEATURES + 1

const NO_NAMES: readonly string[] = []

/** A map without members. */
export const noMembers = (): Members => ({ names: NO_NAMES, values: [], isOwn: false })

/** Members of a record by their places, and what the map calls them. */
interface Columns {
  places: readonly number[]
  names: readonly string[]
}

/** Finds wanted members among the names of a record; those that are not there are left out. */
export function columnsOf(
  names: readonly string[],
  wanted: readonly string[],
  ownName: (name: string) => string,
): Columns {
  const known = new Map(names.map((name, i) => [name, i]))
  const there = wanted.filter((name) => known.has(name)).slice(0, MAX_MEMBERS)
  return { places: there.map((name) => known.get(name)!), names: there.map(ownName) }
}

/** Takes members of a record into a map that has none: its names are those of the record before. */
export function take(into: Members, { values }: FlatRecord, { places, names }: Columns): void {
  into.names = names
  into.isOwn = false
  for (let i = 0; i < places.length; i++) into.values.push(values[places[i]!])
}

/** Adds a member, unless there are {@link MAX_MEMBERS}. */
export function add(into: Members, name: string, value: unknown): void {
  if (into.names.length < MAX_MEMBERS) append(into, name, value)
}

/** Adds a member. */
export function append(into: Members, name: string, value: unknown): void {
  if (!into.isOwn) {
    into.names = [...into.names]
    into.isOwn = true
  }
  ;(into.names as string[]).push(name)
  into.values.push(value)
}

/** Members of objects become `outer.inner`, elements of lists `outer_0`. */
export function addFlat(into: Members, name: string, value: unknown, depth: number): void {
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
