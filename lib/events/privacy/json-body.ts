/**
 * Applies the privacy rules of a model to JSON of any shape: bodies of model servers, and events
 * that were refused. Pure.
 */
import { isObject } from '../fields.ts'
import { whyBeyond } from '../json/bounds.ts'
import { parseExactly } from '../json/exact-integers.ts'
import { scalarChange, type CompiledRules } from './field-changes.ts'

/** What is deeper or larger is not kept at all. */
const BOUNDS = { maxDepth: 64, maxMembers: 200_000 }
const GONE = Symbol('gone')

/** JSON text with what may be kept of it; '' where it is no JSON, or is beyond all bounds. */
export function redactedJson(rules: CompiledRules, text: string): string {
  if (whyBeyond(Buffer.from(text), BOUNDS)) return ''
  let value: unknown
  try {
    value = parseExactly(text)
  } catch {
    return ''
  }
  const kept = redacted(rules, '', value)
  return kept === GONE ? '' : JSON.stringify(kept, allDigits)
}

/** A whole number beyond 2^53 is written as it came. */
const allDigits = (_name: string, value: unknown): unknown =>
  typeof value === 'bigint' ? rawJson(String(value)) : value

/** The types of this TypeScript do not have it yet. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (text: string) => object }

/** @param name of the member that holds the value; '' where none does */
function redacted(rules: CompiledRules, name: string, value: unknown): unknown {
  if (Array.isArray(value)) return redactedList(rules, name, value)
  if (isObject(value)) return redactedObject(rules, value)
  return scalarChange(rules, value)
}

function redactedObject(rules: CompiledRules, value: Record<string, unknown>): unknown {
  const { name, data } = value
  // A tensor of the Open Inference Protocol says its name beside its values.
  const isTensor = typeof name === 'string' && Array.isArray(data)
  if (isTensor && isNamed(rules.drop, name)) return GONE
  const hashes = isTensor && isNamed(rules.hash, name)
  const entries: [string, unknown][] = []
  for (const [key, member] of Object.entries(value)) {
    if (isNamed(rules.drop, key) || rules.text(key) !== key) continue
    if (hashes && key === 'data') entries.push([key, rules.hashed(member)])
    else if (hashes && key === 'datatype') entries.push([key, 'BYTES'])
    else if (isNamed(rules.hash, key)) entries.push([key, hashedDeep(rules, member)])
    else if (isTensor && key === 'data')
      entries.push([key, tensorData(rules, name, value['shape'], data)])
    else {
      const kept = redacted(rules, key, member)
      if (kept !== GONE) entries.push([key, kept])
    }
  }
  return Object.fromEntries(entries)
}

const isNamed = (names: ReadonlySet<string>, name: string) =>
  names.has(name) || names.has(`features.${name}`) || names.has(`attributes.${name}`)

/** Elements of a row without names are called `f0`, …, those of a list `name_0`, …. */
function redactedList(rules: CompiledRules, name: string, list: readonly unknown[]): unknown {
  const isRow = name === 'instances' || name === 'predictions' || name === ''
  const isOfElements = isRow ? list.every(Array.isArray) : !list.some(isObject)
  if (!rules.namesElements || !isOfElements)
    return list.flatMap((element) => keptOf(redacted(rules, '', element)))
  if (isRow) return list.map((row) => renamed(rules, 'f', (row as unknown[]).flat(Infinity)))
  return renamed(rules, `${name}_`, list.flat(Infinity))
}

const keptOf = (kept: unknown): unknown[] => (kept === GONE ? [] : [kept])

function tensorData(
  rules: CompiledRules,
  name: string,
  shape: unknown,
  data: readonly unknown[],
): unknown {
  const flat = data.flat(Infinity)
  const rows = Array.isArray(shape) && Number(shape[0]) > 0 ? Number(shape[0]) : flat.length
  return renamed(rules, `${name}_`, flat, Math.max(1, Math.floor(flat.length / rows)))
}

/** @param width elements of one row */
function renamed(
  rules: CompiledRules,
  prefix: string,
  flat: readonly unknown[],
  width = flat.length,
): unknown[] {
  return flat.map((element, i) => {
    const name = rules.namesElements ? `${prefix}${i % width}` : ''
    if (name !== '' && isNamed(rules.drop, name)) return null
    if (name !== '' && isNamed(rules.hash, name)) return hashedDeep(rules, element)
    const kept = redacted(rules, '', element)
    return kept === GONE ? null : kept
  })
}

/** Hashes every value of an object that stands under a hashed name. */
function hashedDeep(rules: CompiledRules, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((element) => hashedDeep(rules, element))
  if (!isObject(value)) return rules.hashed(value)
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, hashedDeep(rules, member)]),
  )
}
