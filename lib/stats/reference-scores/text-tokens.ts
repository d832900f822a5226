/** What published scores of texts hold to be words. Texts are composed (NFC) first. Pure. */

/** Scripts without spaces between words: each of their characters is a token. */
const UNSPACED =
  '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}'
const UNSPACED_CHARACTER = new RegExp(`[${UNSPACED}]\\p{M}*`, 'gv')

/** A text with spaces around each character of a script that has none between words. */
const spaced = (text: string): string => text.replaceAll(UNSPACED_CHARACTER, ' $& ')

const split = (text: string): string[] => text.split(/\s+/u).filter(Boolean)

/** Characters that are removed: punctuation of any script, and symbols of ASCII. */
const PUNCTUATION = /[\p{P}$+<=>^`|~]/gu
/** English articles that stand by themselves. */
const ARTICLE = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu

/**
 * Tokens as SQuAD's evaluation compares them: lower case, without punctuation and English articles,
 * split at white space. Punctuation beyond ASCII goes too, and each character of Han, Kana, Thai,
 * Lao, Khmer and Burmese is a token, so that those texts can be alike in part.
 *
 * @see Rajpurkar et al. (2016), EMNLP, 2383–2392
 * @example squadTokens('The cat, a dog!').length // => 2
 */
export const squadTokens = (text: string): string[] =>
  split(
    spaced(text.normalize('NFC').toLowerCase().replaceAll(PUNCTUATION, '')).replaceAll(
      ARTICLE,
      ' ',
    ),
  )

/**
 * Tokens as ROUGE compares them, without stemming: lower case, runs of letters and digits. Those of
 * any script, where the reference implementation has ASCII alone; a character of a script without
 * spaces is a token.
 *
 * @see Lin (2004), Text Summarization Branches Out, 74–81
 * @example rougeTokens("Don't re-use it.").length // => 5
 */
export const rougeTokens = (text: string): string[] =>
  spaced(text.normalize('NFC').toLowerCase()).match(/[\p{L}\p{N}\p{M}]+/gu) ?? []

/** Punctuation that mteval sets apart everywhere; a period, comma or hyphen only by what is beside it. */
const SET_APART = /[{-~[-` -&(-+:-@/]/gu
/** Punctuation of Chinese and Japanese, and forms of full width. */
const WIDE = /[\u3000-\u303f\uff00-\uffef]/gu
const ENTITIES: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
}

/**
 * Tokens as mteval-v13a and sacreBLEU's tokenizer `13a` have them, case as it is; characters of
 * scripts without spaces are set apart first, as its tokenizer `zh` does with Chinese.
 *
 * @example mtevalTokens('It costs $3.50, no?').length // => 7
 */
export function mtevalTokens(text: string): string[] {
  const line = text
    .normalize('NFC')
    .trimEnd()
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
  // One after another, as the original does: `&amp;lt;` becomes `<`.
  const plain = Object.entries(ENTITIES).reduce((so, [name, is]) => so.replaceAll(name, is), line)
  return split(
    ` ${spaced(plain).replaceAll(WIDE, ' $& ')} `
      .replaceAll(SET_APART, ' $& ')
      .replaceAll(/([^0-9])([.,])/gu, '$1 $2 ')
      .replaceAll(/([.,])([^0-9])/gu, ' $1 $2')
      .replaceAll(/([0-9])(-)/gu, '$1 $2 '),
  )
}
