/**
 * Makes, lists, rotates and revokes the API keys of `PLUMBLINE_AUTH_FILE` (or `--file`):
 *
 *     npm run keys -- create --id ann --grant analyst --grant operator@team:risk [--expires 90d]
 *     npm run keys -- list
 *     npm run keys -- rotate --key NAME [--overlap 24h] [--expires 90d]
 *     npm run keys -- revoke --key NAME
 *
 * A new key is printed once, alone on stdout; the file keeps a salted hash. Processes see a change
 * within a second.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { replaceFile } from '../lib/disk/data-folder.ts'
import { lockFile } from '../lib/disk/lock-file.ts'
import { parseKeyFile, endOf, nameOf, newKey, type KeyEntry } from '../lib/http/keys/key-file.ts'
import { readKeyFile } from '../lib/http/keys/key-callers.ts'
import { readUses, type Uses } from '../lib/http/keys/key-uses.ts'
import { durationMs } from '../lib/runtime/durations.ts'
import { messageOf } from '../lib/runtime/errors.ts'
import { didYouMean } from '../lib/runtime/nearest-name.ts'

const COMMANDS = ['create', 'list', 'rotate', 'revoke'] as const
const USAGE =
  'usage: npm run keys -- create --id ID --grant ROLE[@model:M|@team:T|@environment:E] … [--expires 90d|TIME|never] | list | rotate --key NAME [--overlap 24h] [--expires 90d|TIME|never] | revoke --key NAME; all with [--file KEYS.json]'

/** What the command line says. */
interface Asked {
  file: string
  id?: string | undefined
  key?: string | undefined
  grant?: string[] | undefined
  expires: string
  overlap: string
  dataDir: string
  /** Epoch milliseconds. */
  now: number
}

/** What is printed, and the keys that the file then holds where it changes. */
interface Done {
  stdout: string
  stderr?: string
  entries?: KeyEntry[]
}

/**
 * Does one command on the keys of a file.
 *
 * @throws {Error} with a sentence for what cannot be done
 */
function done(command: string, entries: readonly KeyEntry[], asked: Asked): Done {
  if (command === 'create') return create(entries, asked)
  if (command === 'list') return { stdout: listed(entries, readUses(asked.dataDir), asked.now) }
  if (command === 'rotate') return rotate(entries, asked)
  if (command === 'revoke') {
    const { entry, others } = pick(entries, asked.key)
    const stderr = `${nameOf(entry)} of ${entry.id} is revoked\n`
    return { stdout: '', stderr, entries: others }
  }
  throw new Error(`${USAGE}${didYouMean(command, COMMANDS)}`)
}

function create(entries: readonly KeyEntry[], { id, grant, expires, now }: Asked): Done {
  if (id === undefined || !grant) throw new Error(`create needs --id and --grant; ${USAGE}`)
  return made(entries, { id, grants: grant }, { expires, now })
}

function rotate(entries: readonly KeyEntry[], { key, overlap, expires, now }: Asked): Done {
  const { entry, others } = pick(entries, key)
  if ((endOf(entry) ?? Infinity) <= now)
    throw new Error(`${nameOf(entry)} of ${entry.id} has ended: create a new key`)
  const ends = Math.min(endOf(entry) ?? Infinity, now + durationMs(overlap))
  const old = { ...entry, expires: new Date(ends).toISOString() }
  const { id, scopes, grants } = entry
  const may = scopes ? { scopes } : { grants: grants! }
  const { stderr = '', ...rest } = made([...others, old], { id, ...may }, { expires, now })
  return { ...rest, stderr: `${stderr}${nameOf(entry)} is good until ${old.expires}\n` }
}

function made(
  entries: readonly KeyEntry[],
  may: Pick<KeyEntry, 'id' | 'scopes' | 'grants'>,
  { expires, now }: Pick<Asked, 'expires' | 'now'>,
): Done {
  const { text, kept } = newKey()
  const end = endAt(expires, now)
  const entry: KeyEntry = {
    ...may,
    ...kept,
    created: new Date(now).toISOString(),
    ...(end !== undefined && { expires: new Date(end).toISOString() }),
  }
  const until = entry.expires === undefined ? 'for ever' : `until ${entry.expires}`
  return {
    stdout: `${text}\n`,
    stderr: `${kept.key} of ${may.id} is good ${until}; the key is not shown again\n`,
    entries: [...entries, entry],
  }
}

/** @throws {Error} for what is neither `never`, a duration nor a time to come */
function endAt(expires: string, now: number): number | undefined {
  if (expires === 'never') return undefined
  const end = /^\d+[a-z]+$/.test(expires) ? now + durationMs(expires) : Date.parse(expires)
  if (end > now && end < Date.parse('9999-01-01T00:00:00Z')) return end
  throw new Error(`--expires ${expires} must be a duration such as 90d, a time to come, or never`)
}

function pick(entries: readonly KeyEntry[], name: string | undefined) {
  const names = entries.map(nameOf)
  if (name === undefined) throw new Error(`--key is needed: list tells the names; ${USAGE}`)
  const at = names.indexOf(name)
  if (at === -1) throw new Error(`no key is named ${name}${didYouMean(name, names)}`)
  return { entry: entries[at]!, others: entries.toSpliced(at, 1) }
}

function listed(entries: readonly KeyEntry[], uses: Uses, now: number): string {
  const rows = entries.map((entry) => {
    const end = endOf(entry)
    const used = uses.get(nameOf(entry))
    return [
      nameOf(entry),
      entry.id,
      entry.scopes ? `scopes ${entry.scopes.join(',')}` : entry.grants!.join(','),
      entry.created ?? '-',
      end === undefined ? 'never' : `${entry.expires}${end <= now ? ' (ended)' : ''}`,
      used === undefined ? '-' : new Date(used).toISOString(),
    ]
  })
  const heads = ['key', 'id', 'may', 'created', 'expires', 'last used']
  return [heads, ...rows].map((row) => `${row.join('\t')}\n`).join('')
}

/** Changes the file whole, one command at a time; what would not be read again is not written. */
function change(command: string, asked: Asked): Done {
  const release = lockFile(
    `${asked.file}.lock`,
    (pid) => `process ${pid} is changing ${asked.file}: try again`,
  )
  try {
    const isNew = command === 'create' && !existsSync(asked.file)
    const did = done(command, isNew ? [] : readKeyFile(asked.file), asked)
    if (!did.entries) return did
    const text = `${JSON.stringify({ keys: did.entries }, null, 2)}\n`
    const parsed = parseKeyFile(text)
    if (!Array.isArray(parsed)) throw new Error(parsed.problems.join('\n'))
    replaceFile(asked.file, text)
    return did
  } finally {
    release()
  }
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: {
      file: { type: 'string' },
      id: { type: 'string' },
      key: { type: 'string' },
      grant: { type: 'string', multiple: true },
      expires: { type: 'string', default: '90d' },
      overlap: { type: 'string', default: '24h' },
      'data-dir': { type: 'string' },
    },
    allowPositionals: true,
  })
  const [command = '', ...more] = positionals
  const file = values.file ?? process.env['PLUMBLINE_AUTH_FILE']
  if (more.length > 0) throw new Error(USAGE)
  if (!file) throw new Error('--file or PLUMBLINE_AUTH_FILE must name the key file')
  const dataDir = resolve(values['data-dir'] ?? process.env['PLUMBLINE_DATA_DIR'] ?? './data')
  const asked = { ...values, file: resolve(file), dataDir, now: Date.now() }
  const { stdout, stderr = '' } =
    command === 'list' ? done(command, readKeyFile(asked.file), asked) : change(command, asked)
  process.stderr.write(stderr)
  process.stdout.write(stdout)
}

try {
  main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
