/**
 * A lock file that names the process which holds it, and when that process began: after a crash or
 * a reboot the same number may be another process's, which holds nothing.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'

const TRIES = 10

/**
 * Takes the lock; a stale file is removed. Returns what gives it back.
 *
 * @param held the sentence for a lock that a living process holds
 * @throws Error with that sentence
 */
export function lockFile(path: string, held: (pid: number) => string): () => void {
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = openSync(path, 'wx', 0o600)
      writeSync(handle, `${process.pid} ${beganAt(process.pid) ?? ''}\n`)
      closeSync(handle)
      return () => rmSync(path, { force: true })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === TRIES) throw cause
      const holder = holderOf(path)
      if (holder !== undefined) throw new Error(held(holder), { cause })
      rmSync(path, { force: true })
    }
  }
}

/**
 * The living process that holds the lock; undefined where the file is stale, unreadable or our own
 * of an earlier life.
 */
function holderOf(path: string): number | undefined {
  const [pid = '', ...began] = readText(path).trim().split(' ')
  const holder = /^\d{1,10}$/.test(pid) ? Number(pid) : 0
  if (holder <= 0 || holder === process.pid) return undefined
  const now = beganAt(holder)
  return now !== undefined && now === began.join(' ') ? holder : undefined
}

/**
 * When a process began, as text that no later process of the same number shares; undefined where
 * there is no such process. Linux gives the boot and the clock ticks since it; elsewhere `ps` says
 * it.
 */
export function beganAt(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  if (stat !== '') {
    // The name of the command, in parentheses, may hold spaces and parentheses itself.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return `${readText('/proc/sys/kernel/random/boot_id').trim()} ${ticks}`
  }
  if (process.platform === 'linux') return undefined
  try {
    const began = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
    return began.trim() || undefined
  } catch {
    return undefined
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
