/** Reading the text of a condition, token by token. Pure. */

/** A text and how far it is read. */
export interface Cursor {
  readonly text: string
  /** The index of the next character. */
  at: number
  /** Brackets that are open. */
  depth: number
  /** Where numbers that stand in it are noted; absent where nobody asks for them. */
  numbers?: NumberAt[]
}

/** A number that stands in a text, from an index up to another. */
export interface NumberAt {
  /** What it says: a limit, how many must have come, in how many windows, or of how many. */
  says: 'limit' | 'above' | 'for' | 'of'
  from: number
  to: number
}

const QUOTED = /"(?:[^"\\]|\\.)*"/y
const TEXT = /'(?:[^']|'')*'/y

/** Moves past white space. */
export function skip(cursor: Cursor): void {
  while (/\s/.test(cursor.text[cursor.at] ?? '')) cursor.at++
}

/** Moves past `token` where it comes next. @returns whether it did */
export function take(cursor: Cursor, token: string): boolean {
  skip(cursor)
  if (!cursor.text.startsWith(token, cursor.at)) return false
  cursor.at += token.length
  return true
}

/**
 * Moves past `token` where it comes next and is no part of a longer word. @returns whether it did
 */
export function word(cursor: Cursor, token: string): boolean {
  skip(cursor)
  const { text, at } = cursor
  if (!text.startsWith(token, at) || /[\w.]/.test(text[at + token.length] ?? '')) return false
  cursor.at += token.length
  return true
}

/** Moves past `token`. @throws {SyntaxError} where something else comes next */
export function must(cursor: Cursor, token: string): void {
  if (!take(cursor, token)) throw expected(cursor, `"${token}"`)
}

/**
 * Moves past what a sticky expression matches.
 *
 * @param what the name of it, for the error
 * @throws {SyntaxError} where something else comes next
 */
export function pattern(cursor: Cursor, regex: RegExp, what: string): string {
  skip(cursor)
  regex.lastIndex = cursor.at
  const found = regex.exec(cursor.text)
  if (!found) throw expected(cursor, what)
  cursor.at += found[0].length
  return found[0]
}

/**
 * Moves past a number, and notes where it stands.
 *
 * @param what the name of it, for the error
 * @throws {SyntaxError} where something else comes next
 */
export function numberHere(
  cursor: Cursor,
  regex: RegExp,
  what: string,
  says: NumberAt['says'],
): number {
  const text = pattern(cursor, regex, what)
  cursor.numbers?.push({ says, from: cursor.at - text.length, to: cursor.at })
  return Number(text)
}

/** Whether a name in double quotes comes next. */
export function isQuoted(cursor: Cursor): boolean {
  skip(cursor)
  return cursor.text[cursor.at] === '"'
}

/** Moves past a name in double quotes, a JSON string. @throws {SyntaxError} where it is none */
export function quoted(cursor: Cursor): string {
  const name = pattern(cursor, QUOTED, 'a name in double quotes')
  try {
    return JSON.parse(name) as string
  } catch {
    throw new SyntaxError(`${name} is not a name in double quotes: write \\" and \\\\ for " and \\`)
  }
}

/** Moves past a text in single quotes, one in it twice. @throws {SyntaxError} where none comes next */
export const singleQuoted = (cursor: Cursor): string =>
  pattern(cursor, TEXT, 'a text in single quotes').slice(1, -1).replaceAll("''", "'")

/** The error that says what was expected, and where. */
export function expected({ text, at }: Cursor, what: string): SyntaxError {
  return new SyntaxError(`expected ${what} at position ${at + 1} of: ${text}`)
}
