/** SQL that is printed for whoever may change a ClickHouse server. */
import { printedMigrations, readersRules } from '../clickhouse/migrations.ts'
import { analystStatements, type Team } from '../clickhouse/schema/analyst-sql.ts'
import type { Models } from '../models/model-files.ts'
import { ConfigError } from '../runtime/config.ts'
import { messageOf } from '../runtime/errors.ts'
import { clickHouseProblems, clusterNames, type ClickHouseSettings } from './clickhouse-access.ts'
import { grantedModels } from './known-callers.ts'

/** Which migrations are printed: all, or those after one of them. */
export interface PrintedMigrations {
  after: string | undefined
}

/** @throws {ConfigError} for settings that contradict one another, or a migration there is not */
export function printedTables(config: ClickHouseSettings, { after }: PrintedMigrations): string {
  requireSound(config)
  try {
    return printedMigrations(clusterNames(config), after)
  } catch (error) {
    throw new ConfigError([messageOf(error)])
  }
}

/** What analysts of each team of the model files may read. @throws as {@link printedTables} */
export function printedAnalysts(config: ClickHouseSettings, models: Models): string {
  requireSound(config)
  return analystStatements(readersRules(), teamsOf(models), {
    database: config.PLUMBLINE_CLICKHOUSE_DATABASE ?? 'default',
    cluster: config.PLUMBLINE_CLICKHOUSE_CLUSTER,
  })
    .map((statement) => `${statement};\n`)
    .join('')
}

function requireSound(config: ClickHouseSettings): void {
  const problems = clickHouseProblems(config)
  if (problems.length > 0) throw new ConfigError(problems)
}

function teamsOf(models: Models): Team[] {
  const teams = new Map<string, string[]>()
  for (const { modelId, team } of grantedModels(models))
    if (team !== undefined) teams.set(team, [...(teams.get(team) ?? []), modelId])
  return [...teams].map(([name, ids]) => ({ name, models: ids }))
}
