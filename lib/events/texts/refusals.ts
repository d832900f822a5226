/** Tells an answer that refuses. Pure. */

/** Refusals stand at the beginning of an answer, in UTF-16 units; what it quotes later is none. */
const BEGINNING = 400

const REFUSES = "i (?:can't|cannot|can not|won't|will not|am not going to)|i'm not going to"
const VERBS =
  'help(?! but\\b)|assist|provide|comply|do (?:that|this)|answer|fulfill?|create|share|discuss|engage|generate|write|produce|continue|support|respond'
/** First person, and a verb of declining: `I'm sorry` alone is a courtesy. */
const PHRASES = [
  `(?:${REFUSES}) (?:${VERBS})`,
  "i(?: am|'m) (?:unable|not able) to",
  'i (?:must|have to) (?:decline|refuse)',
  'as an ai',
  'against my (?:guidelines|programming|policies)',
]
const REFUSING = new RegExp(`\\b(?:${PHRASES.join('|')})\\b`)

/**
 * Whether an answer refuses, by English phrases in its first 400 characters. Answers in other
 * languages read as answered, and one that quotes such a phrase at its beginning reads as refused.
 */
export function isRefusal(text: string): boolean {
  return REFUSING.test(text.slice(0, BEGINNING).toLowerCase().replaceAll(/[’ʼ`]/g, "'"))
}
