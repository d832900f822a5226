/**
 * What a value is without the numbers in it that are none: NaN and the infinities, which binary
 * formats have and JSON has not.
 */
import type { FieldKind } from '../../schemas/fields.ts'
import { FlatRecord } from './flat-record.ts'

const isNone = (value: unknown) => typeof value === 'number' && !Number.isFinite(value)

/**
 * A field's value with missing ones in place of numbers that are none: of features null, as JSON
 * says it; of other maps the member goes, since they hold numbers alone. A vector with a hole is
 * missing as a whole, for no distance to it is known.
 *
 * @returns null where nothing is left of the value, and the value itself where all of its numbers
 *   are some
 */
export function withoutNone(kind: FieldKind, value: unknown): unknown {
  if (isNone(value)) return null
  if (Array.isArray(value)) return value.some(isNone) ? null : value
  if (!(value instanceof FlatRecord) || !value.values.some(isNone)) return value
  const { names, values } = value
  if (kind === 'features')
    return new FlatRecord(
      names,
      values.map((one) => (isNone(one) ? null : one)),
      false,
    )
  const kept = names.map((_, i) => i).filter((i) => !isNone(values[i]))
  const numbers = kept.map((i) => values[i])
  return new FlatRecord(
    kept.map((i) => names[i]!),
    numbers,
    numbers.every(Number.isFinite),
  )
}
