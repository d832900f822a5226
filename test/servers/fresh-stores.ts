/**
 * Stores as a first start leaves them, made once for a state of the migrations and copied after
 * that: a first start costs four CPU seconds more than one on a copy. No test runner is needed.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const KEPT = join(ROOT, '.local', 'fresh-stores')
/** What a store's first start depends on. */
const MADE_OF = ['schemas/clickhouse', 'schemas/postgres', 'package-lock.json']

/** Copies the stores that a folder lacks into it: `clickhouse`, `postgres`, or both. */
export function copyFreshStores(
  folder: string,
  stores: readonly ('clickhouse' | 'postgres')[],
): void {
  for (const store of stores) {
    const to = join(folder, store)
    if (!existsSync(to))
      cpSync(join(made(), store), to, { recursive: true, verbatimSymlinks: true })
  }
}

/** The folder of the stores as they are today. A process of its own makes it: chDB keeps its first. */
function made(): string {
  const folder = join(KEPT, fingerprint())
  if (existsSync(folder)) return folder
  mkdirSync(KEPT, { recursive: true })
  const making = mkdtempSync(join(KEPT, 'making-'))
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'test/servers/make-fresh-stores.ts'), making],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`the stores were not made: ${stderr}`)
  try {
    renameSync(making, folder)
  } catch (error) {
    // Another test file made them meanwhile.
    rmSync(making, { recursive: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

function fingerprint(): string {
  const hash = createHash('sha256')
  for (const path of MADE_OF.map((name) => join(ROOT, name)))
    for (const file of path.endsWith('.json') ? [path] : filesIn(path))
      hash.update(file).update(readFileSync(file))
  return hash.digest('hex').slice(0, 16)
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name))
