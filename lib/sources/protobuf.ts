/**
 * Messages in protocol buffers, by a `.proto` file beside the source file. Objects have the names of
 * the file, 64-bit integers are numbers where a double holds them and bigints else, enums are their
 * names, `google.protobuf.Timestamp` is a `Date`.
 */
import protobuf from 'protobufjs'

/** Decodes one message. @throws Error for bytes that are none */
export type DecodeProtobuf = (bytes: Uint8Array) => unknown

const TIMESTAMP = '.google.protobuf.Timestamp'
/** Messages and lists inside one another, and values in all, that one message may have. */
const MAX_DEPTH = 64
const MAX_VALUES = 1_000_000

/** Why a `.proto` file or the name of its message is none, to follow the file's name. */
export function protobufProblem(text: string, message: string): string | undefined {
  try {
    typeIn(text, message)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Makes the decoder of a message. @throws Error as {@link protobufProblem} says */
export function protobufDecoder(text: string, message: string): DecodeProtobuf {
  const type = typeIn(text, message)
  return (bytes) => {
    const left = { values: MAX_VALUES }
    return plainOf(type.decode(bytes), type, left, 0)
  }
}

function typeIn(text: string, message: string): protobuf.Type {
  const root = new protobuf.Root()
  const { imports = [] } = parsed(text, root)
  for (const name of imports) {
    const known = protobuf.common.get(name)
    if (!known) throw new Error(`imports ${name}: only google/protobuf's own types may be imported`)
    root.addJSON(known.nested ?? {})
  }
  try {
    root.resolveAll()
    return root.lookupType(message)
  } catch (error) {
    throw new Error(
      `has no message ${message}, or names a type that it has not: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}

function parsed(text: string, root: protobuf.Root): { imports: readonly string[] | undefined } {
  try {
    const { imports, weakImports } = protobuf.parse(text, root, { keepCase: true })
    return { imports: [...(imports ?? []), ...(weakImports ?? [])] }
  } catch (error) {
    throw new Error(`is no .proto file: ${(error as Error).message}`, { cause: error })
  }
}

interface Long {
  low: number
  high: number
  unsigned: boolean
}

function plainOf(
  value: unknown,
  type: protobuf.ReflectionObject | null,
  left: { values: number },
  depth: number,
): unknown {
  if (--left.values < 0) throw new Error(`the message has more than ${MAX_VALUES} values`)
  if (depth > MAX_DEPTH) throw new Error(`the message is nested deeper than ${MAX_DEPTH}`)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) {
    return type instanceof protobuf.Enum && typeof value === 'number'
      ? (type.valuesById[value] ?? value)
      : value
  }
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (isLong(value)) return numberOf(value)
  if (Array.isArray(value)) return value.map((one) => plainOf(one, type, left, depth + 1))
  if (!(type instanceof protobuf.Type)) return mapOf(value, type, left, depth)
  if (type.fullName === TIMESTAMP) return timeOf(value)
  const entries = type.fieldsArray
    .filter(({ name }) => Object.hasOwn(value, name))
    .map((field): [string, unknown] => {
      const given = (value as Record<string, unknown>)[field.name]
      const inner = field.resolvedType
      return [
        field.name,
        field.map
          ? mapOf(given as object, inner, left, depth)
          : plainOf(given, inner, left, depth + 1),
      ]
    })
  return Object.fromEntries(entries)
}

const mapOf = (
  map: object,
  type: protobuf.ReflectionObject | null,
  left: { values: number },
  depth: number,
) =>
  Object.fromEntries(
    Object.entries(map).map(([name, value]) => [name, plainOf(value, type, left, depth + 1)]),
  )

/** The package that protobufjs holds 64-bit integers with marks its own. */
const isLong = (value: object): value is Long =>
  '__isLong__' in value && !(value instanceof protobuf.Message)

function numberOf({ low, high, unsigned }: Long): number | bigint {
  const long = (BigInt(high) << 32n) | BigInt(low >>> 0)
  const whole = unsigned ? BigInt.asUintN(64, long) : BigInt.asIntN(64, long)
  const number = Number(whole)
  return Number.isSafeInteger(number) ? number : whole
}

function timeOf(value: object): Date {
  const { seconds = 0, nanos = 0 } = value as { seconds?: number | Long; nanos?: number }
  const whole = typeof seconds === 'number' ? seconds : Number(numberOf(seconds))
  return new Date(whole * 1000 + Math.floor(nanos / 1_000_000))
}

/**
 * Where the message begins in Confluent's wire format: behind a zero byte, the schema's id (4 bytes)
 * and the places of the message in its file.
 *
 * @throws Error where the bytes are not of that format
 */
export function confluentStart(bytes: Uint8Array): number {
  if (bytes[0] !== 0 || bytes.length < 6) throw new Error('it has not Confluent’s framing')
  const reader = protobuf.Reader.create(bytes)
  reader.pos = 5
  const places = reader.sint32()
  if (places < 0 || places > 100) throw new Error('it has not Confluent’s framing')
  for (let i = 0; i < places; i++) reader.sint32()
  return reader.pos
}
