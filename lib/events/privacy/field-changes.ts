/** What the privacy rules of a model make of each field of an event. Pure. */
import type { FieldKind } from '../../../schemas/fields.ts'
import type { ModelPrivacy } from '../../../schemas/model-privacy.ts'
import { isObject } from '../fields.ts'
import { FlatRecord, perShape } from '../flat-record.ts'
import { isCard } from './digit-runs.ts'
import { keyedHash } from './keyed-hash.ts'
import { textMasker, type MaskText } from './mask-text.ts'
import { nameList } from './name-list.ts'

/** Turns a value into the one that may be kept; null is a missing value. */
export type Change = (value: unknown) => unknown

/** The rules of a model, ready to be applied. */
export interface CompiledRules {
  drop: ReadonlySet<string>
  hash: ReadonlySet<string>
  /** Strings, numbers and booleans become their hash, lists those of their elements. */
  hashed: Change
  text: MaskText
  /** Whether whole numbers may be those of cards. */
  masksCards: boolean
  /** Whether a rule names an element of a list, as `f3` or `name_3`. */
  namesElements: boolean
}

/**
 * Prepares the rules of a model.
 *
 * @param key of the hashes
 * @throws Error at the first value to be hashed where there is no key
 */
export function compiledRules(rules: ModelPrivacy, key: Buffer | undefined): CompiledRules {
  const hashed: Change = (value) => {
    if (Array.isArray(value)) return value.map(hashed)
    if (!HASHED.has(typeof value)) return null
    if (!key) throw new Error('a value is to be hashed, and there is no key')
    return keyedHash(key, String(value))
  }
  return {
    drop: new Set(rules.drop),
    hash: new Set(rules.hash),
    hashed,
    text: textMasker(rules.mask, nameList(rules.names)),
    masksCards: rules.mask.includes('card'),
    namesElements: [...rules.drop, ...rules.hash].some((name) => /(?:^f|_)\d+$/.test(name)),
  }
}

/** A bigint is a whole number of a body beyond 2^53. */
const HASHED: ReadonlySet<string> = new Set(['string', 'number', 'bigint', 'boolean'])
const TEXTS: ReadonlySet<FieldKind> = new Set(['text', 'scalar', 'label'])
const MAPS: ReadonlySet<FieldKind> = new Set(['features', 'strings', 'numbers'])

const same: Change = (value) => value
const nothing: Change = () => null

/**
 * What becomes of a field.
 *
 * @param kind of the field in its schema; undefined for a field that is in none, whose value is not
 *   kept
 */
export function fieldChange(
  rules: CompiledRules,
  name: string,
  kind: FieldKind | undefined,
): Change {
  if (kind === undefined || rules.drop.has(name)) return nothing
  const isHashed = rules.hash.has(name)
  if (kind === 'id') return isHashed ? rules.hashed : same
  if (TEXTS.has(kind)) return isHashed ? rules.hashed : (value) => maskedTexts(rules, value)
  if (MAPS.has(kind)) return mapChange(rules, name, kind)
  if (kind === 'producer' && isHashed) return (value) => hashedProducer(rules, value)
  return same
}

function maskedTexts(rules: CompiledRules, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => maskedTexts(rules, one))
  return typeof value === 'string' ? rules.text(value) : value
}

const hashedProducer = (rules: CompiledRules, value: unknown) =>
  isObject(value) ? { ...value, id: rules.hashed(value['id']) } : null

/** The change of a map, worked out once for maps of the same names. */
function mapChange(rules: CompiledRules, map: string, kind: FieldKind): Change {
  const plans = perShape((names) => {
    const kept = names.flatMap((name, index) =>
      isDropped(rules, map, name) ? [] : [{ index, change: entryChange(rules, map, name, kind) }],
    )
    return { kept, names: kept.map(({ index }) => names[index]!) }
  })
  return (value) => {
    if (!(value instanceof FlatRecord)) return value
    const { kept, names } = plans.of(value.names)
    const values = kept.map(({ index, change }) => change(value.values[index]))
    return new FlatRecord(names, values, values.every(Number.isFinite))
  }
}

/** A name that is personal data itself goes with its value. */
const isDropped = (rules: CompiledRules, map: string, name: string) =>
  rules.drop.has(name) || rules.drop.has(`${map}.${name}`) || rules.text(name) !== name

function entryChange(rules: CompiledRules, map: string, name: string, kind: FieldKind): Change {
  if (kind === 'numbers') return same
  if (rules.hash.has(name) || rules.hash.has(`${map}.${name}`)) return rules.hashed
  return (value) => scalarChange(rules, value)
}

/**
 * What becomes of the values of a column of a table; undefined where nothing of it is kept. It is a
 * feature, an attribute or both: a rule of either is one of the column.
 */
export function columnChange(rules: CompiledRules, name: string): Change | undefined {
  const isNamed = (names: ReadonlySet<string>) =>
    names.has(name) || names.has(`features.${name}`) || names.has(`attributes.${name}`)
  if (isNamed(rules.drop) || rules.text(name) !== name) return undefined
  return isNamed(rules.hash) ? rules.hashed : (value) => scalarChange(rules, value)
}

/** A text is masked, and a whole number that is a card's is missing. */
export function scalarChange(rules: CompiledRules, value: unknown): unknown {
  if (typeof value === 'string') return rules.text(value)
  if (typeof value === 'bigint') return rules.masksCards && isCard([String(value)]) ? null : value
  if (!rules.masksCards || typeof value !== 'number' || value < 1e11) return value
  return Number.isSafeInteger(value) && isCard([String(value)]) ? null : value
}
