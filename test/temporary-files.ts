/**
 * Where tests keep their stores: in memory, where the machine has room for it. A start of a service
 * makes a thousand files and waits for the disk at each commit; on a disk that costs half as much
 * CPU again. `TMPDIR` decides where it is set.
 */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'

const MEMORY = '/dev/shm'
const PREFIX = 'plumbline-tests-'
/** Bytes that must be free: a whole run takes some hundred MiB at most. */
const NEEDED = 2 * 2 ** 30

/**
 * Points `TMPDIR` of all workers to a folder in memory, for one run of the tests.
 *
 * @returns what removes the folder; undefined where `TMPDIR` is set or there is no room
 */
export function setup(): (() => void) | undefined {
  if (process.env['TMPDIR'] !== undefined || !existsSync(MEMORY)) return undefined
  removeLeft()
  const { bavail, bsize } = statfsSync(MEMORY)
  if (bavail * bsize < NEEDED) return undefined
  const folder = mkdtempSync(join(MEMORY, `${PREFIX}${process.pid}-`))
  // PostgreSQL runs as a user of its own, and must reach its folder below.
  chmodSync(folder, 0o711)
  process.env['TMPDIR'] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}

/** Removes the folders of this user's runs that were killed; another's cannot be removed. */
function removeLeft(): void {
  for (const name of readdirSync(MEMORY)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    const left = join(MEMORY, name)
    if (statSync(left, { throwIfNoEntry: false })?.uid === process.getuid?.())
      rmSync(left, { recursive: true, force: true })
  }
}
