/**
 * Measures of one text or two, which become features. Each takes time that grows with the text's
 * length, whatever the text. Pure.
 */
import { textFinder } from '../privacy/mask-text.ts'
import { isRefusal } from './refusals.ts'
import type { TextMeasure } from '../../../schemas/language-models/descriptors.ts'

/** A feature's value; null: it cannot be known of this text. */
export type Measured = number | boolean | string | null

/** Scripts without spaces between words: each of their characters is a word. */
const UNSPACED =
  '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}'
const LETTER = `(?:[[\\p{L}\\p{N}]--[${UNSPACED}]]\\p{M}*)`
/** Runs of letters and digits, with apostrophes and hyphens within. */
const WORD = new RegExp(`[${UNSPACED}]\\p{M}*|${LETTER}+(?:['’\\-]${LETTER}+)*`, 'gv')

/** The words of a text in lower case, in their order. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(WORD) ?? []

/** Number of code points. */
export function charactersOf(text: string): number {
  let pairs = 0
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) pairs++
  return text.length - pairs
}

/** Marks that end a sentence where a space, a bracket or the end follows; those of Chinese anywhere. */
const END = /[.!?…]+(?=[\s"'”’)\]]|$)|[。！？]+/gu

/** Number of parts that hold a word, between marks that end sentences; abbreviations end some too. */
export const sentencesOf = (text: string): number =>
  text.split(END).filter((part) => /[\p{L}\p{N}]/u.test(part)).length

/** Share of the characters that are neither letters nor white space, 0 to 1; null of no characters. */
export function nonLetterShare(text: string): number | null {
  const all = charactersOf(text)
  if (all === 0) return null
  return 1 - (text.match(/[\p{L}\s]/gu)?.length ?? 0) / all
}

/** Writing systems by name; what is in none of them is `other`. */
const SCRIPTS = [
  ['latin', /\p{sc=Latin}/gu],
  ['cyrillic', /\p{sc=Cyrillic}/gu],
  ['greek', /\p{sc=Greek}/gu],
  ['arabic', /\p{sc=Arabic}/gu],
  ['hebrew', /\p{sc=Hebrew}/gu],
  ['devanagari', /\p{sc=Devanagari}/gu],
  ['thai', /\p{sc=Thai}/gu],
  ['hangul', /\p{sc=Hangul}/gu],
  ['kana', /[\p{sc=Hiragana}\p{sc=Katakana}]/gu],
  ['han', /\p{sc=Han}/gu],
] as const
/** What is looked at of a text to tell its script, in UTF-16 units. */
const SCRIPT_SAMPLE = 4000

/** The writing system of most of its first letters; null of a text without letters. */
export function scriptOf(text: string): string | null {
  const sample = text.slice(0, SCRIPT_SAMPLE)
  const letters = sample.match(/\p{L}/gu)?.length ?? 0
  if (letters === 0) return null
  let found = 'other'
  let most = 0
  let known = 0
  for (const [name, pattern] of SCRIPTS) {
    const count = sample.match(pattern)?.length ?? 0
    known += count
    if (count > most) [found, most] = [name, count]
  }
  return letters - known > most ? 'other' : found
}

/** Whether the whole text is a JSON object or array. */
export function isJson(text: string): boolean {
  const trimmed = text.trim()
  if (!trimmed.startsWith('{') && !trimmed.startsWith('[')) return false
  try {
    JSON.parse(trimmed)
    return true
  } catch {
    return false
  }
}

/**
 * How much a text repeats itself: one less the share of distinct ones among its runs of three
 * words, 0 to 1; null below three words.
 */
export function repetitionOf(text: string): number | null {
  const words = wordsOf(text)
  const runs = words.length - 2
  if (runs < 1) return null
  const distinct = new Set<string>()
  for (let i = 0; i < runs; i++) distinct.add(`${words[i]} ${words[i + 1]} ${words[i + 2]}`)
  return 1 - distinct.size / runs
}

/**
 * Share of the output's distinct words that the input has, 0 to 1; null of an output without words.
 * Low where an answer is not made of what it was given.
 */
export function overlapOf(input: string, output: string): number | null {
  const said = new Set(wordsOf(output))
  if (said.size === 0) return null
  const given = new Set(wordsOf(input))
  let found = 0
  for (const word of said) if (given.has(word)) found++
  return found / said.size
}

/** Whether e-mail addresses, card, account or telephone numbers are found, as `privacy.mask` does. */
export const holdsPersonalData = textFinder(['email', 'iban', 'card', 'phone'])

/** The measures of one text, by name. */
export const MEASURES: Readonly<Record<TextMeasure, (text: string) => Measured>> = {
  characters: charactersOf,
  words: (text) => wordsOf(text).length,
  sentences: sentencesOf,
  non_letter_share: nonLetterShare,
  script: scriptOf,
  json: isJson,
  refusal: isRefusal,
  repetition: repetitionOf,
  personal_data: holdsPersonalData,
}
