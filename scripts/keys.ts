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
import { changeKeyFile, createKey, revokeKey, rotateKey } from '../lib/http/keys/key-changes.ts'
import { endOf, nameOf, type KeyEntry } from '../lib/http/keys/key-file.ts'
import { readKeyFile } from '../lib/http/keys/key-callers.ts'
import { readUses, type Uses } from '../lib/http/keys/key-uses.ts'
import { messageOf } from '../lib/runtime/errors.ts'
import { didYouMean } from '../lib/runtime/nearest-name.ts'

const COMMANDS = ['create', 'list', 'rotate', 'revoke']
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

/** What is printed, and the keys that the file then holds. */
interface Done {
  stdout: string
  stderr: string
  entries: KeyEntry[]
}

const CHANGES: Readonly<Record<string, (entries: readonly KeyEntry[], asked: Asked) => Done>> = {
  create,
  rotate,
  revoke,
}

function create(entries: readonly KeyEntry[], { id, grant, expires, now }: Asked): Done {
  if (id === undefined || !grant) throw new Error(`create needs --id and --grant; ${USAGE}`)
  const { entries: after, made } = createKey(entries, { id, grants: grant }, { expires, now })
  return { ...printed(made), entries: after }
}

function rotate(entries: readonly KeyEntry[], asked: Asked): Done {
  const { entries: after, made, old } = rotateKey(entries, { ...asked, key: keyIn(asked) })
  const { stdout, stderr } = printed(made)
  return {
    stdout,
    stderr: `${stderr}${nameOf(old)} is good until ${old.expires}\n`,
    entries: after,
  }
}

function revoke(entries: readonly KeyEntry[], asked: Asked): Done {
  const { entries: after, old } = revokeKey(entries, keyIn(asked))
  return { stdout: '', stderr: `${nameOf(old)} of ${old.id} is revoked\n`, entries: after }
}

function keyIn({ key }: Asked): string {
  if (key === undefined) throw new Error(`--key is needed: list tells the names; ${USAGE}`)
  return key
}

function printed({ text, entry }: { text: string; entry: KeyEntry }) {
  const until = entry.expires === undefined ? 'for ever' : `until ${entry.expires}`
  return {
    stdout: `${text}\n`,
    stderr: `${nameOf(entry)} of ${entry.id} is good ${until}; the key is not shown again\n`,
  }
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
  if (command === 'list')
    return void process.stdout.write(listed(readKeyFile(asked.file), readUses(dataDir), asked.now))
  const change = CHANGES[command]
  if (!change) throw new Error(`${USAGE}${didYouMean(command, COMMANDS)}`)
  const isNew = command === 'create' && !existsSync(asked.file)
  const { stdout, stderr } = changeKeyFile(
    asked.file,
    (entries) => change(entries, asked),
    isNew ? [] : undefined,
  )
  process.stderr.write(stderr)
  process.stdout.write(stdout)
}

try {
  main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
