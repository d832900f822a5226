/**
 * Rewrites the migrations for a cluster: each table becomes a replicated one on every shard
 * (`NAME_local`), and a distributed one under the name that everybody knows. Pure.
 *
 * Rows go to the shard of their model, so that whatever merges or joins by a model meets on one
 * shard; those of tables without models go by the first column of their sorting key.
 */
import { escape, type ClusterNames } from '../port.ts'
import { statementOf, type AlterAction, type CreateTable, type CreateView } from './statements.ts'
import { bareName, quotedName, tokensOf } from './tokens.ts'

/** How long a shard knows the tokens of what it stored: what is tried again comes within days. */
const TOKEN_SECONDS = 7 * 24 * 3600

/**
 * Settings of every connection to a cluster, beside those of any server. An insert is answered when
 * the shards have it, each on most of its replicas; all connections read and write the same replica
 * of a shard while it is up, so that what was stored is seen by the next statement; and what is
 * joined or searched across shards is sent to each of them.
 */
export const CLUSTER_SETTINGS = {
  distributed_foreground_insert: 1,
  insert_quorum: 'auto',
  insert_quorum_timeout: 20_000,
  load_balancing: 'in_order',
  prefer_localhost_replica: 0,
  distributed_product_mode: 'global',
  skip_unavailable_shards: 0,
  alter_sync: 2,
  distributed_ddl_output_mode: 'throw',
} as const

/** The table on each shard behind a distributed one. */
export const localName = (table: string) => `${table}_local`

/** Turns a statement into those of a cluster; it knows the tables of the statements before. */
export type ToCluster = (statement: string) => string[]

/** Whether a statement is about tables themselves, and not about their rows alone. */
export const isAboutTables = (statement: string) =>
  /^\s*(CREATE|ALTER|DROP|TRUNCATE|DELETE)\b/.test(statement)

/**
 * Statements for a cluster, one after the other in the order of the migrations; those that services
 * send later too.
 *
 * @throws Error for a statement of a kind that is not of the list
 */
export function toCluster(names: ClusterNames): ToCluster {
  const tables = new Set<string>()
  return (text) => {
    const statement = statementOf(text)
    const onCluster = `ON CLUSTER ${literal(names.cluster)}`
    switch (statement.kind) {
      case 'create table':
        tables.add(statement.name)
        return [localTable(statement, onCluster), distributedTable(statement, names, onCluster)]
      case 'create view':
        return [view(statement, onCluster, tables)]
      case 'drop view':
        return [`DROP VIEW IF EXISTS ${quotedName(statement.name)} ${onCluster}`]
      case 'alter':
        return alters(statement, onCluster, tables)
      case 'truncate':
        return [`TRUNCATE TABLE ${local(statement.name)} ${onCluster}`]
      case 'delete':
        return [`DELETE FROM ${local(statement.name)} ${onCluster} WHERE ${statement.where}`]
      case 'insert':
      case 'scratch':
        return [statement.text]
    }
  }
}

const literal = (text: string) => `'${escape(text)}'`
const local = (table: string) => quotedName(localName(table))

function localTable(table: CreateTable, onCluster: string): string {
  const path = `'/clickhouse/tables/{database}/{table}/{shard}', '{replica}'`
  const engineArguments = [path, table.engineArguments].filter((text) => text !== '').join(', ')
  const settings = [
    ...tokenSettings(table),
    ...table.settings
      .filter(({ name }) => name !== ONE_SERVERS_WINDOW)
      .map(({ name, value }) => `${name} = ${value}`),
  ]
  return [
    `CREATE TABLE IF NOT EXISTS ${local(table.name)} ${onCluster}\n(\n    ${table.body}\n)`,
    `ENGINE = Replicated${table.engine}(${engineArguments})`,
    table.clauses,
    `SETTINGS ${settings.join(', ')}`,
    `COMMENT ${literal(`Rows of ${table.name} on this shard.`)}`,
  ]
    .filter((line) => line !== '')
    .join('\n')
}

const ONE_SERVERS_WINDOW = 'non_replicated_deduplication_window'

/** A table that forgets tokens on one server forgets them on a cluster, which would keep an hour's. */
function tokenSettings({ settings }: CreateTable): string[] {
  const window = settings.find(({ name }) => name === ONE_SERVERS_WINDOW)?.value
  return window === undefined
    ? ['replicated_deduplication_window = 0']
    : [
        `replicated_deduplication_window = ${window}`,
        `replicated_deduplication_window_seconds = ${TOKEN_SECONDS}`,
      ]
}

function distributedTable(table: CreateTable, names: ClusterNames, onCluster: string): string {
  const places = [names.cluster, names.database, localName(table.name)].map(literal).join(', ')
  const comment = table.comment === '' ? '' : `\nCOMMENT ${table.comment}`
  return `CREATE TABLE IF NOT EXISTS ${quotedName(table.name)} ${onCluster} AS ${local(table.name)}
ENGINE = Distributed(${places}, sipHash64(toString(${shardedBy(table)})))${comment}`
}

/** The column by whose hash rows of a table are spread. */
export function shardedBy({ columns, sortedBy, name }: CreateTable): string {
  const column = columns.includes('model_id') ? 'model_id' : sortedBy[0]
  if (!column) throw new Error(`${name} has no column to be spread by`)
  return column
}

/** A materialized view works on each shard, beside the rows it reads and the table it fills. */
function view(statement: CreateView, onCluster: string, tables: ReadonlySet<string>): string {
  const name = quotedName(statement.name)
  if (statement.to === undefined) {
    const head = statement.replace ? 'CREATE OR REPLACE VIEW' : 'CREATE VIEW IF NOT EXISTS'
    return `${head} ${name} ${onCluster} AS\n${statement.select}`
  }
  const strange = [statement.to, ...statement.reads].find((table) => !tables.has(table))
  if (strange !== undefined)
    throw new Error(`${statement.name} names ${strange}, which is no table of the migrations`)
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${name} ${onCluster} TO ${local(statement.to)} AS\n${readingLocals(statement.select)}`
}

function readingLocals(select: string): string {
  const tokens = tokensOf(select)
  let written = ''
  let from = 0
  for (const [at, { kind, text }] of tokens.entries()) {
    const source = tokens[at + 1]
    if (kind !== 'word' || !/^(FROM|JOIN)$/.test(text) || !source || source.text === '(') continue
    written += `${select.slice(from, source.start)}${local(bareName(source.text))}`
    from = source.end
  }
  return written + select.slice(from)
}

function alters(
  { name, actions, settings }: { name: string; actions: readonly AlterAction[]; settings: string },
  onCluster: string,
  tables: ReadonlySet<string>,
): string[] {
  const altered = (target: string, chosen: readonly AlterAction[]) =>
    chosen.length === 0
      ? []
      : [
          `ALTER TABLE ${quotedName(target)} ${onCluster}\n    ${chosen.map(({ text }) => text).join(',\n    ')}${settings === '' ? '' : ` ${settings}`}`,
        ]
  if (!tables.has(name)) return altered(name, actions)
  // What the table says of itself stands at the name that people read.
  const onShards = actions.filter(({ text }) => !/^MODIFY\s+COMMENT\b/.test(text))
  const onAll = actions.filter(({ about }) => about === 'columns')
  return [...altered(localName(name), onShards), ...altered(name, onAll)]
}
