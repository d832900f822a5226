/** ROUGE-L of an answer beside one reference. Pure. */
import { rougeTokens } from './text-tokens.ts'

/**
 * ROUGE-L, 0 to 1: the F1 score of the longest words in common in the same order, as shares of those
 * of the answer and of the reference. 0 where either has no words.
 *
 * @see Lin (2004), Text Summarization Branches Out, 74–81
 * @example rougeL('the cat sat', 'the cat was here') // => 0.5714285714285714
 */
export function rougeL(answer: string, reference: string): number {
  const [said, wanted] = [rougeTokens(answer), rougeTokens(reference)]
  const both = said.length + wanted.length
  return both === 0 ? 0 : (2 * longestInCommon(said, wanted)) / both
}

/**
 * Length of the longest sequence that both have in their order, with gaps. All places of `b` are
 * bits of one number, so that the time is that of a product of the lengths divided by 64.
 *
 * @see Hyyrö (2004), Bit-parallel LCS-length computation revisited, AWOCA, 16–27
 * @example longestInCommon(['a', 'b', 'c'], ['a', 'x', 'c']) // => 2
 */
export function longestInCommon(a: readonly string[], b: readonly string[]): number {
  const places = new Map<string, bigint>()
  b.forEach((token, at) => places.set(token, (places.get(token) ?? 0n) | (1n << BigInt(at))))
  const all = (1n << BigInt(b.length)) - 1n
  let open = all
  for (const token of a) {
    const here = open & (places.get(token) ?? 0n)
    if (here !== 0n) open = ((open + here) | (open - here)) & all
  }
  return b.length - onesOf(open)
}

function onesOf(bits: bigint): number {
  let ones = 0
  for (const digit of bits.toString(16)) ones += BITS[Number.parseInt(digit, 16)]!
  return ones
}

/** Ones of each hexadecimal digit. */
const BITS = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4]
