/**
 * Roles, row policies and quotas of analysts on a ClickHouse server, by the same rules as the port of
 * the embedded engine has. Pure.
 */
import { escape } from '../port.ts'
import { localName } from './cluster.ts'
import type { RowRules } from './row-rules.ts'
import { quotedName } from './tokens.ts'

/** A team and its models. */
export interface Team {
  name: string
  models: readonly string[]
}

/** Where the tables are; on a cluster every server gets the same. */
export interface AnalystsPlace {
  database: string
  cluster: string | undefined
}

/** What an analyst's question and hour may use: as readers of the embedded engine's port have it. */
const BOUNDS = Object.entries({
  max_execution_time: 30,
  max_memory_usage: 512_000_000,
  max_result_bytes: 100_000_000,
  max_result_rows: 5_000_000,
  max_threads: 2,
})
  .map(([name, value]) => `${name} = ${value} MAX ${value}`)
  .join(', ')
const QUOTA =
  'MAX queries = 3600, result_rows = 50000000, result_bytes = 2000000000, execution_time = 900'

/**
 * Statements that may be run again whenever teams or models have changed: they replace what they
 * made before. Users are given a team's role by `GRANT ROLE TO user`; a role that is left over from
 * a team that is gone is for a person to drop.
 */
export function analystStatements(
  rules: RowRules,
  teams: readonly Team[],
  { database, cluster }: AnalystsPlace,
): string[] {
  const on = cluster === undefined ? '' : ` ON CLUSTER '${escape(cluster)}'`
  const tableOf = (name: string) => `${quotedName(database)}.${quotedName(name)}`
  // Rows of a cluster are read on their shard, under the same user.
  const stored = rules.tables.flatMap((name) =>
    cluster === undefined ? [name] : [name, localName(name)],
  )
  const roles = teams.map(({ name }) => roleOf(name))
  return [
    `CREATE SETTINGS PROFILE OR REPLACE plumbline_analysts${on} SETTINGS readonly = 2, ${BOUNDS}`,
    ...teams.flatMap(({ name, models }) => {
      const role = roleOf(name)
      const ids = models.map((model) => `'${escape(model)}'`).join(', ')
      return [
        `CREATE ROLE IF NOT EXISTS ${role}${on} SETTINGS PROFILE plumbline_analysts`,
        ...[...stored, ...rules.views].map(
          (table) => `GRANT${on} SELECT, SHOW ON ${tableOf(table)} TO ${role}`,
        ),
        ...stored.map(
          (table) =>
            `CREATE ROW POLICY OR REPLACE ${role}${on} ON ${tableOf(table)} USING model_id IN (${ids}) TO ${role}`,
        ),
      ]
    }),
    ...(roles.length === 0
      ? []
      : [
          // Whoever has no team, the services among them, goes on reading everything.
          ...stored.map(
            (table) =>
              `CREATE ROW POLICY OR REPLACE plumbline_others${on} ON ${tableOf(table)} USING 1 TO ALL EXCEPT ${roles.join(', ')}`,
          ),
          `CREATE QUOTA OR REPLACE plumbline_analysts${on} KEYED BY user_name FOR INTERVAL 1 hour ${QUOTA} TO ${roles.join(', ')}`,
        ]),
  ]
}

/** The team's name is a person's: it may hold anything. */
const roleOf = (team: string) =>
  `\`plumbline_team_${team.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
