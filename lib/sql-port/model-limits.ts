/**
 * What keeps a reader of some models from rows of the others.
 *
 * The wall is the engine's: `additional_table_filters` puts a condition on `model_id` below
 * whatever is asked of a table, inside of views, joins and subqueries too, and on every table that
 * cannot be limited so the condition `0`. The settings are locked by `readonly`. The optimizer of
 * plans is off, which would merge that condition with the reader's own: a reader's function would
 * then see the others' values, and a failing one would tell them in its message. Before the wall,
 * statements that could only be refused later, or that look at tables from the side, are refused by
 * name. Pure.
 */
import type { RowRules } from '../clickhouse/schema/row-rules.ts'
import { HIDDEN_COLUMNS } from './allowlist.ts'
import { nameOf, nodesOf, settingsOf, whyNotHidden } from './check-statement.ts'
import { treeOf } from './syntax-tree.ts'
import { literal, wordsOf } from './words.ts'

/** Models of one reader at most: their ids stand in a condition on each table. */
export const MAX_LIMITED_MODELS = 500
/** Bytes of the ids of a reader's models, quoted, at most. */
export const MAX_LIMITED_BYTES = 128_000

const DATABASE = 'default'
const BARRIER =
  'enable_analyzer = 1, query_plan_enable_optimizations = 0, optimize_move_to_prewhere = 0'
/** How many rows were read, or by which reading of the statement, is not for them to choose. */
const LOCKED = new Set([
  'enable_analyzer',
  'optimize_move_to_prewhere',
  'max_rows_to_read',
  'read_overflow_mode',
])
const EXPLAINS = new Set(['EXPLAIN AST', 'EXPLAIN SYNTAX', 'EXPLAIN QUERY TREE'])
/** How much the tables hold of all models. */
const SIZES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    'tables',
    new Set([
      ...(HIDDEN_COLUMNS.get('tables') ?? []),
      ...'total_rows total_bytes total_bytes_uncompressed parts active_parts total_marks lifetime_rows lifetime_bytes'.split(
        ' ',
      ),
    ]),
  ],
  ['columns', new Set(['data_compressed_bytes', 'data_uncompressed_bytes', 'marks_bytes'])],
  ['databases', HIDDEN_COLUMNS.get('databases') ?? new Set<string>()],
])
const OTHER_TABLES = /^(system\.data_skipping_indices|information_schema\.(tables|statistics))$/i

/**
 * The statement that limits a session to rows of these models; it is followed by `readonly`.
 *
 * @param present every table and view of the database now: one that the rules do not name is closed
 */
export function limitingStatement(
  rules: RowRules,
  models: readonly string[],
  present: readonly string[],
): string {
  const condition = `model_id IN (${models.map(literal).join(', ')})`
  const open = new Set(rules.views)
  const byModel = new Set(rules.tables)
  const filters = present
    .filter((name) => !open.has(name))
    .map((name) => {
      const filter = byModel.has(name) ? condition : '0'
      return `${literal(`${DATABASE}.${name}`)}: ${literal(filter)}`
    })
  return `SET additional_table_filters = {${filters.join(', ')}}, ${BARRIER}`
}

/**
 * Why a reader of some models must not set what the statement sets, or run it before its rows are
 * limited; undefined when it may.
 */
export function whyNotSetByLimited(canonical: string): string | undefined {
  const locked = settingsOf(canonical).find(({ name }) => LOCKED.has(name))
  if (locked) return `the setting ${locked.name}: not with models of your own alone`
  const isPrewhere = (wordsOf(canonical) ?? []).some(
    ({ kind, text }) => kind === 'word' && text.toUpperCase() === 'PREWHERE',
  )
  return isPrewhere ? 'PREWHERE: say WHERE, with models of your own alone' : undefined
}

/**
 * Why a reader of some models must not run a statement that every reader may; undefined when it
 * may.
 *
 * @param dump the lines of `EXPLAIN AST` of it
 */
export function whyNotForLimited(dump: readonly string[], rules: RowRules): string | undefined {
  const tree = treeOf(dump)
  if (!tree) return 'the statement has names that look like its tree'
  if (tree.type === 'Explain' && !EXPLAINS.has(tree.rest.replaceAll('_', ' ')))
    return `${tree.rest}: it tells of rows of every model`
  const nodes = nodesOf(tree)
  const closed = new Set(rules.others)
  for (const node of nodes) {
    const name = nameOf(node).replaceAll('`', '')
    const last = name.split('.').at(-1) ?? ''
    if (node.type === 'TableIdentifier' && closed.has(last))
      return `the table ${last}: it holds rows of every model`
    if (node.type === 'TableIdentifier' && OTHER_TABLES.test(name))
      return `the table ${name}: it tells of rows of every model`
    if (node.type === 'Identifier' && last.startsWith('_'))
      return `the column ${last}: it tells of rows of every model`
  }
  return whyNotHidden(nodes, SIZES)
}
