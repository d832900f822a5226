/**
 * Personal data in texts, replaced by its kind: e-mail addresses, telephone, card and account
 * numbers, listed names. Each kind takes one pass: time grows with the text's length, whatever the
 * text. Pure.
 */
import type { MASKS } from '../../../schemas/model-privacy.ts'
import { isCard, isPhone, numbersIn, type Found } from './digit-runs.ts'
import { ibansIn } from './ibans.ts'
import { namesIn, type NameList } from './name-list.ts'

/** A kind of personal data that is looked for in texts. */
export type Mask = (typeof MASKS)[number]

/** Replaces what is looked for; a text without any is returned as it is. */
export type MaskText = (text: string) => string

/** Masks in the order in which they are tried: a card's number could be taken for a telephone's. */
const ORDER: readonly Mask[] = ['email', 'iban', 'card', 'phone', 'names']
const TOKENS: Record<Mask, string> = {
  email: '[email]',
  iban: '[iban]',
  card: '[card]',
  phone: '[phone]',
  names: '[name]',
}

/** What needs no list of names, by kind. */
const FINDERS = {
  email: emailsIn,
  iban: ibansIn,
  card: (text: string) => numbersIn(text, isCard),
  phone: (text: string) => numbersIn(text, isPhone),
} satisfies Partial<Record<Mask, (text: string) => Found[]>>

/**
 * Makes the function that masks texts.
 *
 * @param names what the kind `names` looks for
 */
export function textMasker(masks: readonly Mask[], names: NameList): MaskText {
  const kinds = ORDER.filter((kind) => masks.includes(kind))
  const finders = { ...FINDERS, names: (text: string) => namesIn(text, names) }
  return (given) => {
    let text = kinds.length > 0 ? unescaped(given) : given
    for (const kind of kinds) text = replaced(text, finders[kind](text), TOKENS[kind])
    return text
  }
}

/** Makes the function that says whether a text holds what is looked for. */
export function textFinder(masks: readonly (keyof typeof FINDERS)[]): (text: string) => boolean {
  return (given) => {
    const text = unescaped(given)
    return masks.some((kind) => FINDERS[kind](text).length > 0)
  }
}

/** What is put in is never longer than what it stands for: a text keeps to its limit. */
function replaced(text: string, found: readonly Found[], token: string): string {
  if (found.length === 0) return text
  const parts: string[] = []
  let at = 0
  for (const { from, to } of found) {
    parts.push(text.slice(at, from), to - from >= token.length ? token : '*'.repeat(to - from))
    at = to
  }
  parts.push(text.slice(at))
  return parts.join('')
}

/**
 * Texts that hold JSON often escape what is not ASCII: a name must be found there too. Quotes,
 * backslashes and control characters stay escaped, so that the JSON stays the same value.
 */
function unescaped(text: string): string {
  if (!text.includes('\\u')) return text
  return text.replaceAll(/\\u([0-9a-fA-F]{4})/g, (escape, hex: string) => {
    const code = Number.parseInt(hex, 16)
    const isPlain = code >= 0xa0 ? code < 0xd800 || code > 0xdfff : code === 0x40 || code === 0x2b
    return isPlain ? String.fromCharCode(code) : escape
  })
}

const LOCAL = /[\p{L}\p{N}._%+'&#=~-]/u
const DOMAIN = /[\p{L}\p{N}.-]/u
const MAX_LOCAL = 64
const MAX_DOMAIN = 255

/**
 * The domain that a text of at most {@link MAX_DOMAIN} characters begins with, '' where it begins
 * with none: behind `example.com.` or `example.com.1` a sentence goes on.
 */
function domainIn(text: string): string {
  const labels = text.replace(/[.-]+$/, '').split('.')
  while (labels.length > 0 && !/.[\p{L}\p{N}]$/u.test(labels.at(-1)!)) labels.pop()
  return labels.length > 1 && labels[0] !== '' ? labels.join('.') : ''
}

/** Around each `@` as far as an address may reach. */
function emailsIn(text: string): Found[] {
  const found: Found[] = []
  let last = 0
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let from = at
    while (from > last && at - from < MAX_LOCAL && LOCAL.test(text[from - 1]!)) from--
    let to = at + 1
    while (to < text.length && to - at <= MAX_DOMAIN && DOMAIN.test(text[to]!)) to++
    to = at + 1 + domainIn(text.slice(at + 1, to)).length
    if (from < at && to > at + 1) {
      found.push({ from, to })
      last = to
    }
  }
  return found
}
