/** Events as JSON, without an object in between. Pure. */
import { FlatRecord } from '../../events/flat-record.ts'
import { plain } from '../conversions.ts'

/** The heads `"name":` of records that have their names in common. */
const heads = new WeakMap<readonly string[], string[]>()

function headsOf(names: readonly string[]): string[] {
  let known = heads.get(names)
  if (!known) heads.set(names, (known = names.map((name) => `${JSON.stringify(name)}:`)))
  return known
}

/** The JSON of a record; what is undefined is left out, what is no number is null. */
export function jsonOfRecord(record: FlatRecord): string {
  const { names, values } = record
  const of = headsOf(names)
  let json = ''
  for (let i = 0; i < names.length; i++) {
    const value = values[i]
    if (value === undefined) continue
    json += `${json === '' ? '{' : ','}${of[i]!}${jsonOf(value)}`
  }
  return json === '' ? '{}' : `${json}}`
}

function jsonOf(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null'
  if (value instanceof FlatRecord) return jsonOfRecord(value)
  // A whole number that no double holds stays one, for the validator to refuse.
  if (typeof value === 'bigint') return String(value)
  return JSON.stringify(typeof value === 'object' ? plain(value) : value) ?? 'null'
}
