/** The migrations as a cluster’s, read and run by the embedded engine as far as it can. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'
import { expect, test } from 'vitest'
import {
  clickhouseMigrations,
  clusterOf,
  printedMigrations,
  readersRules,
} from '../../../lib/clickhouse/migrations.ts'
import { SUBJECT_TABLES } from '../../../services/keep/data/subject-tables.ts'
import { analystStatements } from '../../../lib/clickhouse/schema/analyst-sql.ts'
import { localName, shardedBy, toCluster } from '../../../lib/clickhouse/schema/cluster.ts'
import { statementOf } from '../../../lib/clickhouse/schema/statements.ts'

const NAMES = { cluster: "c'1", database: 'default' }
const statements = clickhouseMigrations().flatMap((migration) => migration.statements)
const turn = toCluster(NAMES)
const onCluster = statements.map(turn)
const tables = statements.map(statementOf).filter((read) => read.kind === 'create table')

/** An engine with a cluster of one server that nobody answers for. */
function withEngine<T>(use: (run: (sql: string) => string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-cluster-'))
  const config = join(folder, 'config.xml')
  writeFileSync(
    config,
    `<clickhouse><remote_servers><c1><shard><replica><host>127.0.0.1</host><port>1</port></replica></shard></c1></remote_servers></clickhouse>`,
  )
  const session = new Session(join(folder, 'data'), {
    connectionArgs: [`--config-file=${config}`],
  } as never)
  try {
    return use((sql) => session.query(sql, 'TSV'))
  } finally {
    session.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A statement of one server of a cluster, without the Keeper that an embedded engine has not. */
const alone = (sql: string) =>
  sql
    .replaceAll("c\\'1", 'c1')
    .replace(" ON CLUSTER 'c1'", '')
    .replace(/Replicated(\w+)\('[^']*', '[^']*'(?:, )?/, '$1(')
    .replace(
      /replicated_deduplication_window = \d+(, replicated_deduplication_window_seconds = \d+)?/,
      'index_granularity = 8192',
    )

const columnsOf = (database: string) =>
  `SELECT table, name, type, default_kind, default_expression, comment FROM system.columns WHERE database = '${database}' ORDER BY table, position`

test('what people read has on a cluster the columns and comments it has on one server', () => {
  withEngine((run) => {
    run('CREATE DATABASE one')
    run('USE one')
    for (const sql of statements) if (!sql.startsWith('INSERT')) run(sql)
    run('USE default')
    for (const sql of onCluster.flat()) if (!sql.startsWith('INSERT')) run(alone(sql))
    const [one, cluster] = ['one', 'default'].map((database) =>
      run(columnsOf(database))
        .split('\n')
        .filter((line) => !/^\w+_local\t/.test(line))
        .toSorted(),
    )
    expect(cluster).toEqual(one)
    const comments = (database: string) =>
      run(
        `SELECT name, comment FROM system.tables WHERE database = '${database}' AND name NOT LIKE '%\\_local' ORDER BY name`,
      )
    expect(comments('default')).toBe(comments('one'))
    // Each table on a shard has the columns by which it is spread and read.
    const stored = run(columnsOf('default'))
      .split('\n')
      .filter((line) => /^\w+_local\t/.test(line))
    const spread = tables.map(({ name }) => name)
    expect(stored.map((line) => line.replace('_local\t', '\t')).toSorted()).toEqual(
      cluster!.filter((line) => spread.includes(line.split('\t')[0]!)),
    )
    expect(
      run(
        "SELECT name FROM system.tables WHERE database = 'default' AND engine = 'Distributed' ORDER BY name",
      )
        .trim()
        .split('\n'),
    ).toEqual(spread.toSorted())
  })
})

test('the engine reads every statement, also as it is printed', () => {
  withEngine((run) => {
    for (const sql of onCluster.flat()) expect(run(`EXPLAIN AST ${sql}`)).not.toBe('')
    for (const names of [undefined, NAMES]) {
      const printed = printedMigrations(names)
      const read = printed
        .split(/;\n/)
        .map((statement) => statement.replaceAll(/^--.*\n/gm, '').trim())
        .filter((statement) => statement !== '')
      expect(read.length).toBeGreaterThan(statements.length)
      for (const sql of read) run(`EXPLAIN AST ${sql}`)
    }
  })
})

test('each table is replicated, and keeps the tokens of what it stored where one server does', () => {
  expect(tables.length).toBeGreaterThan(40)
  for (const table of tables) {
    const made = onCluster
      .flat()
      .find((sql) => sql.includes(`EXISTS \`${localName(table.name)}\` ON CLUSTER`))
    const window = table.settings.find(({ name }) => name.endsWith('deduplication_window'))?.value
    expect(made, table.name).toContain(
      `ENGINE = Replicated${table.engine}('/clickhouse/tables/{database}/{table}/{shard}', '{replica}'`,
    )
    expect(made, table.name).toContain(
      window === undefined
        ? 'replicated_deduplication_window = 0'
        : `replicated_deduplication_window = ${window}, replicated_deduplication_window_seconds = 604800`,
    )
    expect(made).not.toContain('non_replicated')
    expect(made?.includes('{engine}') ?? true).toBe(false)
  }
})

test('rows that an engine merges are on one shard: those of a model, or of one key', () => {
  for (const table of tables) {
    const key = shardedBy(table)
    expect(key, table.name).toBe(
      table.columns.includes('model_id') ? 'model_id' : table.sortedBy[0],
    )
    if (table.engine !== 'MergeTree') expect(table.sortedBy, table.name).toContain(key)
  }
})

test('a materialized view works on its shard alone', () => {
  const views = onCluster.flat().filter((sql) => sql.startsWith('CREATE MATERIALIZED VIEW'))
  expect(views.map((sql) => /TO `(\w+)`/.exec(sql)![1])).toEqual([
    'outcome_changes_local',
    'newest_verdicts_local',
    'outcome_changes_local',
  ])
  for (const sql of views) expect(sql).toMatch(/FROM `\w+_local`/)
})

test('what services send goes to the tables on shards; what is not known is refused', () => {
  const { statementsFor } = clusterOf({ cluster: 'c', database: 'd' })
  expect(statementsFor("ALTER TABLE predictions DROP PARTITION ID '202601'")).toEqual([
    "ALTER TABLE `predictions_local` ON CLUSTER 'c'\n    DROP PARTITION ID '202601'",
  ])
  expect(
    statementsFor(
      "ALTER TABLE labels DELETE IN PARTITION ID '202601' WHERE model_id IN (SELECT 1, 2) SETTINGS mutations_sync = 0, x = 1",
    ),
  ).toEqual([
    "ALTER TABLE `labels_local` ON CLUSTER 'c'\n    DELETE IN PARTITION ID '202601' WHERE model_id IN (SELECT 1, 2) SETTINGS mutations_sync = 0, x = 1",
  ])
  expect(statementsFor("DELETE FROM event_counts WHERE model_id = 'm'")).toEqual([
    "DELETE FROM `event_counts_local` ON CLUSTER 'c' WHERE model_id = 'm'",
  ])
  expect(statementsFor('TRUNCATE TABLE erasing_labels')).toEqual([
    "TRUNCATE TABLE `erasing_labels_local` ON CLUSTER 'c'",
  ])
  for (const { table, where } of SUBJECT_TABLES)
    expect(statementsFor(`ALTER TABLE ${table} DELETE WHERE ${where}`)).toHaveLength(1)
  const trial = 'CREATE TABLE IF NOT EXISTS trial_of_predictions AS predictions ENGINE = Null'
  expect(statementsFor(trial)).toEqual([trial])
  expect(statementsFor('INSERT INTO labels SELECT 1')).toEqual(['INSERT INTO labels SELECT 1'])
  for (const sql of [
    'ALTER TABLE predictions FREEZE',
    'DROP TABLE predictions',
    'CREATE TABLE x (a Int8) ENGINE = MergeTree ORDER BY a',
    'CREATE TABLE IF NOT EXISTS x (a Int8) ENGINE = Memory',
    'CREATE TABLE IF NOT EXISTS x (a Int8) ENGINE = MergeTree ORDER BY a PRIMARY KEY a SAMPLE BY a',
  ])
    expect(() => statementsFor(sql), sql).toThrow()
})

test('the engine reads what is printed for analysts; a policy stands on every table by model', () => {
  const teams = [
    { name: "o'hara`s \\ team", models: ["m'1", 'm2'] },
    { name: 'b', models: ['m3'] },
  ]
  const rules = readersRules()
  withEngine((run) => {
    for (const cluster of [undefined, 'c1']) {
      const printed = analystStatements(rules, teams, { database: 'plumbline', cluster })
      for (const sql of printed) expect(run(`EXPLAIN AST ${sql}`), sql).not.toBe('')
      const policies = printed.filter((sql) => sql.includes("USING model_id IN ('m\\'1', 'm2')"))
      expect(policies).toHaveLength(rules.tables.length * (cluster ? 2 : 1))
      const granted = printed.flatMap(
        (sql) => /GRANT.* ON `plumbline`\.`(\w+)`/.exec(sql)?.[1] ?? [],
      )
      for (const other of rules.others) expect(granted).not.toContain(other)
    }
  })
  expect(analystStatements(rules, [], { database: 'd', cluster: undefined })).toHaveLength(1)
})
