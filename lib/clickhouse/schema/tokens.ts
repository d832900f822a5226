/** Words of a migration's statement and where they stand; whole-line comments are gone already. */
export interface Token {
  /** `word` is bare, `name` stands in back quotes, `string` in single quotes; `mark` is one character. */
  kind: 'word' | 'name' | 'string' | 'mark'
  /** As it stands there, quotes included. */
  text: string
  start: number
  end: number
  /** How many brackets are open around it; a bracket itself counts as outside. */
  depth: number
}

const PATTERN =
  /\s+|(?<string>'(?:[^'\\]|\\.|'')*')|(?<name>`[^`\\]*`)|(?<word>[A-Za-z_]\w*)|(?<mark>[\s\S])/uy

/**
 * Splits a statement into words.
 *
 * @throws Error where brackets do not close
 */
export function tokensOf(statement: string): Token[] {
  const tokens: Token[] = []
  let depth = 0
  PATTERN.lastIndex = 0
  while (PATTERN.lastIndex < statement.length) {
    const start = PATTERN.lastIndex
    const { groups } = PATTERN.exec(statement)!
    const found = Object.entries(groups!).find(([, text]) => text !== undefined)
    if (!found) continue
    const [kind, text] = found as [Token['kind'], string]
    if (text === ')' || text === ']') depth--
    tokens.push({ kind, text, start, end: PATTERN.lastIndex, depth })
    if (text === '(' || text === '[') depth++
  }
  if (depth !== 0) throw new Error(`brackets do not close in: ${statement.slice(0, 80)}`)
  return tokens
}

/** An identifier without its quotes. */
export const bareName = (text: string) => text.replaceAll('`', '')

/** An identifier as it may stand anywhere: quoted, since some are keywords. */
export const quotedName = (name: string) => `\`${name}\``

/** The parts of a text between commas outside brackets and strings, trimmed. */
export function partsOf(text: string): string[] {
  const commas = tokensOf(text).filter(({ text: mark, depth }) => mark === ',' && depth === 0)
  const bounds = [-1, ...commas.map(({ start }) => start), text.length]
  return bounds.slice(1).map((end, at) => text.slice(bounds[at]! + 1, end).trim())
}
