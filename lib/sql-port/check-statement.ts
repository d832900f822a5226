/**
 * What a reader of the ClickHouse port may run: a positive list over ClickHouse's own reading of
 * the statement. ClickHouse writes the statement anew (`formatQuerySingleLine`) and shows its tree
 * (`EXPLAIN AST`); what runs is that very text, so nothing that comments, encodings or quotes hide
 * can be read one way here and another way there.
 */
import { isReadersFunction } from './allowed-functions.ts'
import {
  BEFORE_PARENTHESIS,
  EXPLAINS,
  FORMATS,
  HIDDEN_COLUMNS,
  HIGHEST,
  INFORMATION_TABLES,
  NODES,
  QUESTIONS,
  SETTINGS,
  SYSTEM_TABLES,
  TABLE_FUNCTIONS,
} from './allowlist.ts'
import { treeOf, type SqlNode } from './syntax-tree.ts'
import { wordsOf, type Word } from './words.ts'

const STARTS = new Set(['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN'])
const OWN_DATABASE = 'default'
/** SHOW keeps what it names out of the tree, so its words are looked at instead. */
const NAME = String.raw`(?:[A-Za-z_]\w*|\`[^\`\\]*\`)`
const SHOWS = [
  'SHOW DATABASES( (NOT )?I?LIKE STRING)?( LIMIT [0-9]+)?',
  `SHOW (FULL )?TABLES( FROM ${NAME})?( (NOT )?I?LIKE STRING)?( LIMIT [0-9]+)?`,
  `SHOW (EXTENDED )?(FULL )?COLUMNS FROM (${NAME}\\.)?${NAME}( FROM ${NAME})?( (NOT )?I?LIKE STRING)?( LIMIT [0-9]+)?`,
  `SHOW CREATE (TABLE |VIEW )?(${NAME}\\.)?${NAME}`,
  '(SHOW FUNCTIONS)( I?LIKE STRING)?',
  'SHOW ENGINES',
].map((pattern) => new RegExp(`^${pattern}( FORMAT \\w+)?$`))

/**
 * Why a statement in ClickHouse's own words must not even be explained to a reader; undefined when
 * it may be.
 */
export function whyNotExplained(canonical: string): string | undefined {
  const words = wordsOf(canonical)
  if (!words) return 'the statement has characters that cannot be read'
  const first = words.find(({ text }) => text !== '(')?.text ?? ''
  if (!STARTS.has(first)) return `${first || 'an empty statement'}: only questions are allowed`
  return (
    words.map((word, at) => whyNotWord(word, words, at)).find((why) => why !== undefined) ??
    whyNotSettings(canonical)
  )
}

function whyNotWord(word: Word, words: readonly Word[], at: number): string | undefined {
  const next = words[at + 1]
  const upper = word.text.toUpperCase()
  if (word.text === ';') return '; : one statement at a time'
  if (word.kind === 'name' && /[\\\p{C}]/u.test(word.text))
    return `${JSON.stringify(word.text)}: names with backslashes or control characters`
  if (word.kind === 'param') return `${word.text}: a parameter without a value`
  if (word.kind === 'word' && upper === 'INTO') return 'INTO OUTFILE'
  if (word.kind === 'word' && upper === 'APPLY') return 'APPLY: name the columns'
  if (
    word.kind === 'word' &&
    upper === 'FORMAT' &&
    next?.kind === 'word' &&
    !FORMATS.has(next.text)
  )
    return `FORMAT ${next.text}`
  const called = next?.text === '(' && (word.kind === 'word' || word.kind === 'name')
  if (!called) return undefined
  const name = word.kind === 'name' ? word.text.slice(1, -1) : word.text
  return isCallable(name) || isColumnList(words, at) ? undefined : `the function ${name}`
}

const isTableFunction = (name: string) => TABLE_FUNCTIONS.has(name) || name === 'VALUES'

const isCallable = (name: string) =>
  BEFORE_PARENTHESIS.has(name.toLowerCase()) || TABLE_FUNCTIONS.has(name) || isReadersFunction(name)

/**
 * `WITH q (a, b) AS (…)` and `JOIN … AS t (…)`: names in parentheses, not a call; the tree says
 * whether it is one.
 */
const isColumnList = (words: readonly Word[], at: number) =>
  words[at - 1]?.text === 'AS' ||
  (['WITH', ',', 'RECURSIVE'].includes(words[at - 1]?.text ?? '') &&
    words[words.findIndex(({ text }, i) => i > at && text === ')') + 1]?.text === 'AS')

/** What the SETTINGS clauses of a statement say, in order: names and values as they stand there. */
export function settingsOf(canonical: string): { name: string; value: string }[] {
  const words = wordsOf(canonical) ?? []
  const found: { name: string; value: string }[] = []
  for (let at = 0; at < words.length; at++) {
    if (words[at]!.kind !== 'word' || words[at]!.text.toUpperCase() !== 'SETTINGS') continue
    let name = at + 1
    while (words[name + 1]?.text === '=') {
      found.push({ name: words[name]!.text, value: words[name + 2]?.text ?? '' })
      name += words[name + 3]?.text === ',' ? 4 : 3
    }
  }
  return found
}

/** Names of the list, and values that are not above what a reader has. */
function whyNotSettings(canonical: string): string | undefined {
  for (const { name, value } of settingsOf(canonical)) {
    if (!SETTINGS.has(name)) return `the setting ${name}`
    const highest = HIGHEST.get(name)
    const number = Number(value.replaceAll("'", ''))
    if (highest !== undefined && !(number > 0 && number <= highest))
      return `the setting ${name}: 1 to ${highest}`
    if (!/^('[^'\\]*'|[\w.]+)$/.test(value)) return `the setting ${name}: its value`
  }
  return undefined
}

/**
 * Why a reader must not run it; undefined when it may.
 *
 * @param canonical one statement in ClickHouse's own words, its parameters put in
 * @param dump the lines of `EXPLAIN AST` of it
 */
export function whyRefused(canonical: string, dump: readonly string[]): string | undefined {
  const why = whyNotExplained(canonical)
  if (why) return why
  const tree = treeOf(dump)
  if (!tree) return 'the statement has names that look like its tree'
  if (!QUESTIONS.has(tree.type)) return `${tree.type}: only questions are allowed`
  if (tree.type.startsWith('Show')) return whyNotShow(canonical, tree)
  if (tree.type === 'Explain') return whyNotExplainOf(tree)
  if (tree.type.startsWith('Exists')) return whyNotTable(canonical.split(' ')[2] ?? '')
  return whyNotQuestion(tree)
}

function whyNotExplainOf(tree: SqlNode): string | undefined {
  const kind = tree.rest.replaceAll(' ', '_')
  if (!EXPLAINS.has(kind)) return `${tree.rest}: not of a question`
  for (const child of tree.children) {
    if (child.type === 'Set') continue
    if (!child.type.startsWith('Select')) {
      if (child.type === 'Identifier' && FORMATS.has(child.rest)) continue
      return `${tree.rest} of ${child.type}`
    }
    const why = whyNotQuestion(child)
    if (why) return why
  }
  return undefined
}

/** A node and all below it, without recursion: the depth of a statement is the caller's to choose. */
export function nodesOf(root: SqlNode): SqlNode[] {
  const nodes: SqlNode[] = []
  const open = [root]
  for (let node = open.pop(); node; node = open.pop()) {
    nodes.push(node)
    for (const child of node.children) open.push(child)
  }
  return nodes
}

function whyNotQuestion(root: SqlNode): string | undefined {
  const nodes = nodesOf(root)
  for (const literal of root.children) if (literal.type === 'Literal') return 'INTO OUTFILE'
  for (const node of nodes) {
    const why = whyNotNode(node, root)
    if (why) return why
  }
  return whyNotHidden(nodes, HIDDEN_COLUMNS)
}

function whyNotNode(node: SqlNode, root: SqlNode): string | undefined {
  if (node !== root && !NODES.has(node.type)) return `${node.type} ${node.rest}`.trim()
  if (node.type === 'TableExpression')
    for (const child of node.children)
      if (child.type === 'Function' && !isTableFunction(nameOf(child)))
        return `the table function ${nameOf(child)}`
  if (node.type === 'TableIdentifier') return whyNotTable(nameOf(node))
  if (node.type === 'Identifier') return whyNotDatabase(nameOf(node))
  if (node.type !== 'Function') return undefined
  const name = nameOf(node)
  if (!isReadersFunction(name) && !isTableFunction(name)) return `the function ${name}`
  return undefined
}

/** A node's own name, its alias taken off. */
export const nameOf = ({ rest }: SqlNode) => rest.replace(/ \(alias .*\)$/u, '')

const bare = (name: string) => name.replaceAll('`', '')

function whyNotTable(name: string): string | undefined {
  const parts = bare(name).split('.')
  if (parts.length === 1) return undefined
  const [database = '', table = ''] = parts
  return database === OWN_DATABASE && parts.length === 2 ? undefined : whyNotOther(database, table)
}

/** A name in an expression: a column, or a table on the right of IN. */
function whyNotDatabase(name: string): string | undefined {
  const [database = '', table] = name.split('.')
  return table !== undefined && /^(system|information_schema)$/i.test(database)
    ? whyNotOther(database, table)
    : undefined
}

function whyNotOther(database: string, table: string): string | undefined {
  if (database === 'system' && SYSTEM_TABLES.has(table)) return undefined
  if (/^information_schema$/i.test(database) && INFORMATION_TABLES.has(table.toLowerCase()))
    return undefined
  return `the table ${database}.${table}`
}

/**
 * Why a statement must not run that names a table of `system` and, anywhere, one of its hidden
 * columns or all; undefined when it may.
 */
export function whyNotHidden(
  nodes: readonly SqlNode[],
  columns: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  const hidden = nodes.flatMap((node) => {
    const [database, table] = nameOf(node).split('.')
    return database === 'system' ? [...(columns.get(table ?? '') ?? [])] : []
  })
  if (hidden.length === 0) return undefined
  const counted = new Set(nodes.map(onlyAskedWhetherEmpty))
  for (const node of nodes) {
    const { type, rest } = node
    if (counted.has(node)) continue
    if (/^(Qualified)?(Asterisk|Columns.*Matcher)$/.test(type))
      return `*: name the columns of system tables, without ${hidden.join(' and ')}`
    const last =
      bare(rest.replace(/ \(alias .*\)$/u, ''))
        .split('.')
        .at(-1) ?? ''
    if (hidden.includes(last) && type === 'Identifier') return `the column ${last}`
  }
  return undefined
}

/**
 * The column of an `empty(column)`, which reveals nothing of what it holds; JDBC's driver asks so
 * whether a table is remote. A column with an alias could be named again elsewhere, and does not
 * count.
 */
function onlyAskedWhetherEmpty({ type, rest, children }: SqlNode): SqlNode | undefined {
  if (type !== 'Function' || !/^empty( |$)/.test(rest)) return undefined
  const [column, ...more] = children.flatMap((child) => child.children)
  const isPlain = column?.type === 'Identifier' && /^[\w.`]+$/.test(column.rest)
  return isPlain && more.length === 0 && children.length === 1 ? column : undefined
}

function whyNotShow(canonical: string, tree: SqlNode): string | undefined {
  const plain = canonical.replace(/'(?:[^'\\]|\\.|'')*'/g, 'STRING')
  if (!SHOWS.some((pattern) => pattern.test(plain)))
    return `${plain.slice(0, 60)}: this form of SHOW`
  const named = /(?:COLUMNS FROM|CREATE (?:TABLE |VIEW )?)\s*([\w.`]+)(?: FROM ([\w`]+))?/.exec(
    plain,
  )
  if (named) return whyNotTable(named[2] ? `${named[2]}.${named[1]}` : named[1]!)
  return tree.children.every(({ type }) => type === 'Identifier' || type === 'ExpressionList')
    ? undefined
    : `${plain.slice(0, 60)}: this form of SHOW`
}
