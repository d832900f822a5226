/** Names of people from a list, of one word or several, found as whole words in texts. Pure. */
import type { Found } from './digit-runs.ts'

/** A list of names, ready to be looked for. */
export interface NameList {
  /** How many words names have, by their first word; the longest first. */
  lengths: ReadonlyMap<string, readonly number[]>
  /** Every name, its words joined by spaces. */
  names: ReadonlySet<string>
}

const WORD = /[\p{L}\p{M}\p{N}]+/gu
/** Words of one name at most; what a list says beyond is not looked for. */
const MAX_WORDS = 8
/** Characters between two words of a name at most: `, ` and ` - `. */
const MAX_GAP = 3

interface Word extends Found {
  folded: string
}

const folded = (text: string) => text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()

function wordsOf(text: string): Word[] {
  const words: Word[] = []
  for (const { 0: word, index } of text.matchAll(WORD))
    words.push({ from: index, to: index + word.length, folded: folded(word) })
  return words
}

/** Prepares a list: names are compared without case and accents. */
export function nameList(given: readonly string[]): NameList {
  const lengths = new Map<string, number[]>()
  const names = new Set<string>()
  for (const name of given) {
    const words = wordsOf(name).slice(0, MAX_WORDS)
    const [first] = words
    if (!first) continue
    names.add(words.map((word) => word.folded).join(' '))
    const known = lengths.get(first.folded) ?? []
    if (!known.includes(words.length)) known.push(words.length)
    lengths.set(
      first.folded,
      known.toSorted((a, b) => b - a),
    )
  }
  return { lengths, names }
}

/** Where listed names lie in a text, in their order; of two that begin alike, the longer one. */
export function namesIn(text: string, { lengths, names }: NameList): Found[] {
  if (names.size === 0) return []
  const words = wordsOf(text)
  const found: Found[] = []
  for (let i = 0; i < words.length; i++) {
    const length = lengths
      .get(words[i]!.folded)
      ?.find((count) => names.has(joined(words, i, count) ?? ''))
    if (length === undefined) continue
    found.push({ from: words[i]!.from, to: words[i + length - 1]!.to })
    i += length - 1
  }
  return found
}

/** Neighbouring words as a list has them; undefined where there are not so many. */
function joined(words: readonly Word[], at: number, count: number): string | undefined {
  const parts = words.slice(at, at + count)
  const isNear = parts.every(({ from }, k) => k === 0 || from - parts[k - 1]!.to <= MAX_GAP)
  return isNear && parts.length === count ? parts.map((word) => word.folded).join(' ') : undefined
}
