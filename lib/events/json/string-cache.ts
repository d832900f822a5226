/**
 * Makes strings out of bytes, of which many come again (model names, versions, categories): those
 * that are known are not made anew.
 */

const LONGEST_KNOWN = 20
const KNOWN = 256

/**
 * A reader with a memory of short strings.
 *
 * @param encoding `latin1` where the bytes are known to be ASCII: it is faster
 * @param longest bytes of a string that is kept
 */
export function recurringTexts(
  encoding: 'latin1' | 'utf8',
  longest = LONGEST_KNOWN,
): (bytes: Buffer, from: number, to: number) => string {
  const known: ({ bytes: Uint8Array; text: string } | undefined)[] = Array.from({ length: KNOWN })
  return (bytes, from, to) => {
    const length = to - from
    if (length > longest || length === 0) return bytes.toString(encoding, from, to)
    const slot = (length * 31 + bytes[from]! * 7 + bytes[to - 1]! * 3) & (KNOWN - 1)
    const found = known[slot]
    if (found?.bytes.length === length && startsWith(bytes, from, found.bytes)) return found.text
    const text = bytes.toString(encoding, from, to)
    known[slot] = { bytes: Uint8Array.from(bytes.subarray(from, to)), text }
    return text
  }
}

/** Whether the bytes from an index on begin with the expected ones. */
export function startsWith(bytes: Buffer, from: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return false
  return true
}
