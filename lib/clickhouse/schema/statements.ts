/**
 * Statements of migrations, and those by which services change tables, read by a positive list of
 * their kinds: what is not of the list is an error, and never passed on as it is.
 */
import { bareName, partsOf, tokensOf, type Token } from './tokens.ts'

/** A table of the MergeTree family. */
export interface CreateTable {
  kind: 'create table'
  name: string
  columns: readonly string[]
  /** What stands between the brackets: columns and indexes. */
  body: string
  engine: string
  /** Between the engine's brackets; empty where there is nothing. */
  engineArguments: string
  /** PARTITION BY, ORDER BY and TTL as they stand there. */
  clauses: string
  /** Columns of the sorting key, by which engines merge rows. */
  sortedBy: readonly string[]
  settings: readonly { name: string; value: string }[]
  /** A string literal; empty without one. */
  comment: string
}

/** A view of either kind. */
export interface CreateView {
  kind: 'create view'
  name: string
  replace: boolean
  /** The table that a materialized one fills. */
  to: string | undefined
  select: string
  /** Tables and views after FROM and JOIN. */
  reads: readonly string[]
}

/** A statement, by its kind. */
export type Statement =
  | CreateTable
  | CreateView
  | { kind: 'alter'; name: string; actions: readonly AlterAction[]; settings: string }
  | { kind: 'drop view'; name: string }
  | { kind: 'truncate'; name: string }
  | { kind: 'delete'; name: string; where: string }
  | { kind: 'insert'; name: string; text: string }
  /** A table of the connected server alone, which keeps nothing. */
  | { kind: 'scratch'; text: string }

/** One action of an ALTER: about what the table looks like, or how its rows are kept. */
export interface AlterAction {
  about: 'columns' | 'storage'
  text: string
}

const ENGINES = new Set([
  'MergeTree',
  'AggregatingMergeTree',
  'ReplacingMergeTree',
  'CollapsingMergeTree',
])
const SCRATCH =
  /^(?:CREATE TABLE IF NOT EXISTS trial_of_\w+ AS \w+ ENGINE = Null|DROP TABLE IF EXISTS trial_of_\w+)$/
const COLUMN_ACTIONS = /^(ADD|MODIFY|COMMENT|DROP|RENAME) COLUMN\b|^MODIFY COMMENT\b/
const STORAGE_ACTIONS =
  /^(ADD|MATERIALIZE|DROP) INDEX\b|^MODIFY (ORDER BY|SETTING|TTL)\b|^RESET SETTING\b|^DELETE\b|^DROP PARTITION\b/
const CLAUSES = ['PARTITION', 'ORDER', 'TTL', 'SETTINGS', 'COMMENT']
const CLAUSE_WORDS = [...CLAUSES, 'PRIMARY', 'SAMPLE']

/**
 * Reads one statement.
 *
 * @throws Error that names the statement's first words where its kind or a part of it is not of the
 *   list
 */
export function statementOf(text: string): Statement {
  const cursor = cursorOf(text)
  if (SCRATCH.test(text)) return { kind: 'scratch', text }
  if (cursor.take('CREATE TABLE IF NOT EXISTS')) return createTable(cursor)
  if (cursor.take('CREATE MATERIALIZED VIEW IF NOT EXISTS')) return createView(cursor, false)
  if (cursor.take('CREATE VIEW IF NOT EXISTS')) return createView(cursor, false)
  if (cursor.take('CREATE OR REPLACE VIEW')) return createView(cursor, true)
  if (cursor.take('ALTER TABLE')) return alter(cursor)
  if (cursor.take('DROP VIEW IF EXISTS')) return { kind: 'drop view', name: cursor.name() }
  if (cursor.take('TRUNCATE TABLE')) return { kind: 'truncate', name: cursor.name() }
  if (cursor.take('INSERT INTO')) return { kind: 'insert', name: cursor.name(), text }
  if (cursor.take('DELETE FROM')) {
    const name = cursor.name()
    cursor.require('WHERE')
    return { kind: 'delete', name, where: cursor.rest() }
  }
  throw unknown(text)
}

const unknown = (text: string) =>
  new Error(
    `a statement that a cluster’s tables are not known to take: ${text.replaceAll(/\s+/g, ' ').slice(0, 80)}`,
  )

function createTable(cursor: Cursor): CreateTable {
  const name = cursor.name()
  const body = cursor.brackets()
  cursor.require('ENGINE =')
  const engine = cursor.word()
  if (!ENGINES.has(engine)) throw new Error(`${name}: the engine ${engine} is not of the list`)
  const engineArguments = cursor.isAt('(') ? cursor.brackets() : ''
  const parts = clausesOf(cursor)
  return {
    kind: 'create table',
    name,
    columns: partsOf(body)
      .filter((part) => !part.startsWith('INDEX '))
      .map((part) => bareName(/^[`\w]+/.exec(part)?.[0] ?? '')),
    body,
    engine,
    engineArguments,
    clauses: ['PARTITION', 'ORDER', 'TTL'].flatMap((word) => parts.get(word) ?? []).join('\n'),
    sortedBy: (parts.get('ORDER') ?? '').match(/\w+/g)?.slice(2) ?? [],
    settings: partsOf((parts.get('SETTINGS') ?? '').replace(/^SETTINGS\s+/, ''))
      .filter((part) => part !== '')
      .map((part) => {
        const [setting = '', value = ''] = part.split(/\s*=\s*/)
        return { name: setting, value }
      }),
    comment: (parts.get('COMMENT') ?? '').replace(/^COMMENT\s+/, ''),
  }
}

/** What follows the engine, by the word that each clause begins with. */
function clausesOf(cursor: Cursor): ReadonlyMap<string, string> {
  const parts = new Map<string, string>()
  while (!cursor.isDone()) {
    const word = cursor.peek()
    if (!CLAUSES.includes(word)) throw new Error(`${word}: a clause that is not of the list`)
    parts.set(word, cursor.until(CLAUSE_WORDS))
  }
  return parts
}

function createView(cursor: Cursor, replace: boolean): CreateView {
  const name = cursor.name()
  const to = cursor.take('TO') ? cursor.name() : undefined
  cursor.require('AS')
  const select = cursor.rest()
  const tokens = tokensOf(select)
  const reads = tokens.flatMap(({ kind, text }, at) => {
    const source = tokens[at + 1]
    if (kind !== 'word' || !/^(FROM|JOIN)$/.test(text) || !source || source.text === '(') return []
    if (source.kind !== 'word' && source.kind !== 'name') throw unknown(select)
    return [bareName(source.text)]
  })
  return { kind: 'create view', name, replace, to, select, reads: [...new Set(reads)] }
}

function alter(cursor: Cursor): Statement {
  const name = cursor.name()
  const [text, settings] = splitSettings(cursor.rest())
  const actions = partsOf(text).map((action): AlterAction => {
    const plain = action.replaceAll(/\s+/g, ' ')
    if (COLUMN_ACTIONS.test(plain)) return { about: 'columns', text: action }
    if (STORAGE_ACTIONS.test(plain)) return { about: 'storage', text: action }
    throw unknown(`ALTER TABLE ${name} ${action}`)
  })
  return { kind: 'alter', name, actions, settings }
}

/** Actions, and the SETTINGS of the statement behind them. */
function splitSettings(text: string): [string, string] {
  const at = tokensOf(text).find(({ text: word, depth }) => word === 'SETTINGS' && depth === 0)
  return at ? [text.slice(0, at.start).trim(), text.slice(at.start)] : [text, '']
}

/** Reads a statement from its beginning to its end. */
interface Cursor {
  /** Whether these words come next; they are passed over if so. */
  take: (words: string) => boolean
  /** @throws Error unless these words come next */
  require: (words: string) => void
  isAt: (mark: string) => boolean
  isDone: () => boolean
  peek: () => string
  word: () => string
  name: () => string
  /** What stands in the brackets that open here. */
  brackets: () => string
  /** The text from here to the next of these words outside brackets, or to the end. */
  until: (words: readonly string[]) => string
  rest: () => string
}

function cursorOf(text: string): Cursor {
  const tokens = tokensOf(text)
  let at = 0
  const token = (): Token => {
    const found = tokens[at]
    if (!found) throw new Error(`a statement ends early: ${text.slice(0, 80)}`)
    return found
  }
  const sliceTo = (next: number) => {
    const from = token().start
    at = next
    return text.slice(from, tokens[next - 1]!.end)
  }
  const take = (words: string) => {
    const wanted = words.split(' ')
    if (!wanted.every((word, i) => tokens[at + i]?.text === word)) return false
    at += wanted.length
    return true
  }
  return {
    take,
    require: (words) => {
      if (!take(words)) throw unknown(text)
    },
    isAt: (mark) => tokens[at]?.text === mark,
    isDone: () => at >= tokens.length,
    peek: () => token().text,
    word: () => tokens[at++]?.text ?? '',
    name: () => {
      const { kind, text: name } = token()
      if (kind !== 'word' && kind !== 'name') throw unknown(text)
      at++
      return bareName(name)
    },
    brackets: () => {
      const open = token()
      if (open.text !== '(') throw unknown(text)
      const close = tokens.findIndex(
        (other, i) => i > at && other.text === ')' && other.depth === open.depth,
      )
      at = close + 1
      return text.slice(open.end, tokens[close]!.start).trim()
    },
    until: (words) => {
      const next = tokens.findIndex(
        (other, i) =>
          i > at && other.depth === 0 && other.kind === 'word' && words.includes(other.text),
      )
      return sliceTo(next < 0 ? tokens.length : next)
    },
    rest: () => sliceTo(tokens.length),
  }
}
