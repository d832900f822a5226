/** A real PostgreSQL server on a free port. */
import { spawn, spawnSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ended } from '../../deploy/local/child-process.ts'
import type { Signed } from './certificates.ts'
import { freePort } from '../../deploy/local/kafka.ts'
import { migratePostgres } from '../../lib/postgres/migrations.ts'
import { serverPostgres } from '../../lib/postgres/port.ts'
import { until } from './processes.ts'

/** Where Debian puts the programs of its newest version, which are not in the path. */
function programs(): string {
  const versions = '/usr/lib/postgresql'
  const newest = existsSync(versions)
    ? readdirSync(versions).toSorted((a, b) => Number(a) - Number(b))
    : []
  const found = newest.map((version) => join(versions, version, 'bin')).at(-1)
  if (!found) throw new Error('PostgreSQL is not installed: Debian: apt-get install postgresql')
  return found
}

/** PostgreSQL refuses to run as root; Debian's package has made a user for it. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const idOf = (flag: string) => Number(spawnSync('id', [flag, 'postgres']).stdout.toString())
  return { uid: idOf('-u'), gid: idOf('-g') }
}

/** PostgreSQL reads no key that others may read, or that is another's. */
function tlsArguments(
  directory: string,
  { cert, key }: Signed,
  owner: { uid?: number; gid?: number },
): string[] {
  const own = join(directory, 'server.key')
  writeFileSync(own, readFileSync(key), { mode: 0o600 })
  const shown = join(directory, 'server.crt')
  writeFileSync(shown, readFileSync(cert))
  if (owner.uid !== undefined)
    for (const path of [own, shown]) chownSync(path, owner.uid, owner.gid!)
  return ['-c', 'ssl=on', '-c', `ssl_cert_file=${shown}`, '-c', `ssl_key_file=${own}`]
}

/**
 * Starts a server with our tables, and resolves with its URL when it answers. The caller stops it,
 * which removes what it has written.
 *
 * @throws when PostgreSQL is not installed, with the sentence what to install
 */
export async function postgresServer(
  tls?: Signed,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const bin = programs()
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-postgres-'))
  const owner = unprivileged()
  if (owner.uid !== undefined) chownSync(directory, owner.uid, owner.gid!)
  const data = join(directory, 'data')
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'plumbline', '--no-sync'],
    { ...owner, cwd: directory },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr.toString()}`)
  const port = await freePort()
  const server = spawn(
    join(bin, 'postgres'),
    [
      ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', directory, '-F'],
      ...(tls ? tlsArguments(directory, tls, owner) : []),
    ],
    { ...owner, cwd: directory, stdio: 'ignore' },
  )
  const url = `postgres://plumbline@127.0.0.1:${port}/postgres`
  const db = serverPostgres(url)
  await until('PostgreSQL to answer', () =>
    db.query('select 1').then(
      () => true,
      () => false,
    ),
  )
  await migratePostgres(db)
  await db.close()
  const stop = async () => {
    await ended(server, 'SIGINT')
    rmSync(directory, { recursive: true, force: true })
  }
  return { url, stop }
}
