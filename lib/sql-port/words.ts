/**
 * Words of a statement as ClickHouse itself has written it (`formatQuerySingleLine`): no comments,
 * no heredocs, one space between words, strings in single quotes and odd names in back quotes, both
 * with backslash escapes.
 */
export interface Word {
  /**
   * `word` is bare; `string` and `name` are quoted; `mark` is one character; `param` is
   * `{name:Type}`.
   */
  kind: 'word' | 'string' | 'name' | 'number' | 'mark' | 'param'
  text: string
}

const PATTERN =
  /\s+|(?<string>'(?:[^'\\]|\\.|'')*')|(?<name>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")|(?<param>\{[A-Za-z_]\w*:[^{}'`"]+\})|(?<word>[A-Za-z_]\w*)|(?<number>\d[\w.]*)|(?<mark>[!-/:-@[-`{-~])/uy

/**
 * Words in their order; undefined for text that ClickHouse does not write, such as control
 * characters outside quotes.
 */
export function wordsOf(canonical: string): Word[] | undefined {
  const words: Word[] = []
  PATTERN.lastIndex = 0
  while (PATTERN.lastIndex < canonical.length) {
    const match = PATTERN.exec(canonical)
    if (!match) return undefined
    for (const [kind, text] of Object.entries(match.groups!))
      if (text !== undefined) words.push({ kind: kind as Word['kind'], text })
  }
  return words
}

/**
 * The statement with its parameters put in as literals, and names as quoted names; undefined where
 * one has no value.
 */
export function withParams(
  canonical: string,
  values: ReadonlyMap<string, string>,
): { sql: string; missing?: string } {
  let missing: string | undefined
  const sql = canonical.replace(
    /'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|\{([A-Za-z_]\w*):([^{}'`"]+)\}/gu,
    (text, name: string | undefined, type: string) => {
      if (name === undefined) return text
      const value = values.get(name)
      if (value === undefined) missing = name
      if (type.trim() === 'Identifier')
        return `\`${(value ?? '').replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
      // What has quotes of its own keeps its escapes for them.
      if (/^(Array|Map|Tuple)\(/.test(type.trim()))
        return `CAST(${literal(value ?? '')}, ${literal(type.trim())})`
      if (value === '\\N') return `CAST(NULL, ${literal(type.trim())})`
      return `CAST(${literal(unescapeTsv(value ?? ''))}, ${literal(type.trim())})`
    },
  )
  return missing === undefined ? { sql } : { sql, missing }
}

/** Text as a ClickHouse string literal. */
export const literal = (text: string) =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\0', '\\0')}'`

/** Undoes TSV escaping, in which a scalar parameter travels. */
export const unescapeTsv = (value: string) =>
  value.replace(
    /\\([\\tnr'])/g,
    (_, c: string) => ({ '\\': '\\', t: '\t', n: '\n', r: '\r', "'": "'" })[c]!,
  )
