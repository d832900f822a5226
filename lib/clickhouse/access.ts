/**
 * Who may do what in the embedded engine, as its own roles: the wall behind the list of what a
 * reader may say. Nobody has sources besides files (other hosts, other databases, programs), and a
 * reader not even those.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A role of the embedded engine: the owner may change everything, a reader may only ask. */
export type EngineRole = 'plumbline_owner' | 'plumbline_reader'

/** Files are how a batch comes in: the spool's, read by the insert that stores it. */
const OWNER = [
  'GRANT SELECT, INSERT, ALTER, CREATE, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, CHECK, SHOW, KILL QUERY, SYSTEM, MOVE PARTITION BETWEEN SHARDS ON *.*',
  'GRANT TABLE ENGINE ON *',
  'GRANT SET DEFINER ON *',
  'GRANT READ ON FILE',
]
const READER = [
  'GRANT SELECT, SHOW ON default.*',
  'GRANT SELECT, SHOW ON system.*',
  'GRANT SELECT, SHOW ON information_schema.*',
  'GRANT SELECT, SHOW ON INFORMATION_SCHEMA.*',
  'GRANT CREATE TEMPORARY TABLE ON *.*',
]

/**
 * Arguments that open the engine of a data directory; the files they name are written anew beside
 * it, readable by their owner alone. They hold no secret: the one user has no password, and only
 * this process can speak to the engine.
 */
export function accessArguments(path: string): readonly string[] {
  const directory = `${path}.access`
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const users = join(directory, 'users.xml')
  const config = join(directory, 'config.xml')
  writeWhole(users, usersXml())
  writeWhole(
    config,
    `<clickhouse>
  <users_config>${escapeXml(users)}</users_config>
${settingsXml(ENGINE_SETTINGS)}
</clickhouse>
`,
  )
  return [`--config-file=${config}`]
}

/**
 * What the engine does unasked. A table that finds no work looks again after a tenth of a second,
 * then after twice as long each time: with ClickHouse's own tenth more, an empty engine wakes a
 * hundred times a second for minutes. Looks that begin seldom are no way out: a table deletes rows
 * part by part, and would wait as long between any two.
 */
const ENGINE_SETTINGS = {
  memory_worker_period_ms: 500,
  background_processing_pool_task_sleep_seconds_when_no_work_multiplier: 2,
  background_move_processing_pool_task_sleep_seconds_when_no_work_multiplier: 2,
  background_streaming_processing_pool_task_sleep_seconds_when_no_work_multiplier: 2,
}

const settingsXml = (settings: Readonly<Record<string, number>>) =>
  Object.entries(settings)
    .map(([name, value]) => `  <${name}>${value}</${name}>`)
    .join('\n')

function usersXml(): string {
  return `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <roles>
    <plumbline_owner><grants>${grantsXml(OWNER)}</grants></plumbline_owner>
    <plumbline_reader><grants>${grantsXml(READER)}</grants></plumbline_reader>
  </roles>
  <users>
    <default>
      <password/>
      <profile>default</profile>
      <quota>default</quota>
      <networks><ip>::/0</ip></networks>
      <grants>${grantsXml(['GRANT plumbline_owner', 'GRANT plumbline_reader'])}</grants>
    </default>
  </users>
</clickhouse>
`
}

const grantsXml = (grants: readonly string[]) =>
  grants.map((grant) => `<query>${escapeXml(grant)}</query>`).join('')

const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Writes a file whole or not at all, and never through a link that somebody has put there. */
function writeWhole(path: string, text: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' })
  renameSync(draft, path)
}
