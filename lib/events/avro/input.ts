/**
 * The bytes of one Avro value while they are read: where reading is, where it must end, and how
 * much it may still make.
 *
 * A few bytes can stand for any number of values, so depth and number of values are bounded.
 *
 * Format: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */

/** The fault of an Avro schema or value; its message is a sentence for the producer. */
export class AvroError extends Error {}

/**
 * Most values that one datum may have; a datum with more is a fault, also where its values take no
 * bytes.
 */
const MAX_VALUES = 2 ** 20
/** Records, arrays, maps and unions within one another, of a schema and of a value. */
export const MAX_DEPTH = 64
/** Bytes of a varint of 64 bits. */
const LONGEST_VARINT = 10

/**
 * A cursor over one datum; the decoder of a schema keeps one and reads datum after datum with it.
 */
export class AvroInput {
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  end = 0
  /** Depth of the value that is read now. */
  #depth = 0
  /** Values that may still come. */
  #left = 0

  /** Begins a datum that fills the bytes from one index to another. */
  begin(bytes: Buffer, from: number, to: number): void {
    this.bytes = bytes
    this.at = from
    this.end = to
    this.#depth = 0
    this.#left = MAX_VALUES
  }

  /**
   * Steps into a nested value: a value deeper than {@link MAX_DEPTH} would end the stack. @throws
   * AvroError
   */
  enter(): void {
    if (++this.#depth > MAX_DEPTH) throw new AvroError(`it is deeper than ${MAX_DEPTH}`)
  }

  /** Steps out of a nested value. */
  leave(): void {
    this.#depth--
  }

  /** Counts values that are about to be read. @throws AvroError where a datum has too many */
  spend(values: number): void {
    this.#left -= values
    if (this.#left < 0) throw new AvroError(`more than ${MAX_VALUES} values are too many`)
  }

  /**
   * Moves past so many bytes. @returns the index of the first of them @throws AvroError beyond the
   * end
   */
  take(bytesTaken: number): number {
    const from = this.at
    this.at += bytesTaken
    if (!(bytesTaken >= 0 && this.at <= this.end))
      throw new AvroError('the value is longer than its bytes')
    return from
  }

  /** The next so many bytes, not copied. @throws AvroError beyond the end */
  slice(bytesTaken: number): Buffer {
    const from = this.take(bytesTaken)
    return this.bytes.subarray(from, this.at)
  }

  /** Which of so many choices is given, from 0. @throws AvroError for a choice there is not */
  index(choices: number): number {
    const index = this.length()
    if (!(index >= 0 && index < choices)) throw new AvroError(`there is no choice ${index}`)
    return index
  }

  /** Elements in the block that begins here; 0 where the array or map ends. @throws AvroError */
  block(): number {
    const count = this.length()
    // A negative count is followed by the block's size, for readers that skip it.
    if (count < 0) this.long()
    const elements = Math.abs(count)
    this.spend(elements)
    return elements
  }

  /** A long that is a count or an index. @throws AvroError from 2^53 on */
  length(): number {
    const value = this.long()
    if (typeof value === 'bigint') throw new AvroError(`a length of ${value} is too long`)
    return value
  }

  /** A long of 32 bits. @throws AvroError for a longer one */
  int(): number {
    const value = this.long()
    if (value !== Number(value) >> 0)
      throw new AvroError(`an int of ${value} is longer than 32 bits`)
    return value
  }

  /** A zigzag varint; a bigint from 2^53 on. @throws AvroError for more than 64 bits */
  long(): number | bigint {
    const from = this.take(1)
    const { bytes } = this
    let byte = bytes[from]!
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 127
    for (let scale = 128; byte >= 128; scale *= 128) {
      if (this.at - from === LONGEST_VARINT) throw new AvroError('a long is longer than 64 bits')
      byte = bytes[this.take(1)]!
      value += (byte & 127) * scale
    }
    // Beyond that the sum is not exact.
    if (!Number.isSafeInteger(value)) return exactLong(bytes.subarray(from, this.at))
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

function exactLong(varint: Buffer): number | bigint {
  let zigzag = 0n
  for (let i = varint.length - 1; i >= 0; i--) zigzag = (zigzag << 7n) | BigInt(varint[i]! & 127)
  zigzag = BigInt.asUintN(64, zigzag)
  const value = (zigzag >> 1n) ^ -(zigzag & 1n)
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}
