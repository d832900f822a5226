/** Watches the room on the disks that a process writes to; readiness reports it. */
import { statfs } from 'node:fs/promises'
import { messageOf } from '../runtime/errors.ts'

/** Which folders need how much room. */
export interface DiskSpaceOptions {
  /** Folders that exist; two on one file system are reported twice. */
  folders: readonly string[]
  /** Bytes that each must have free for this user; 0 asks nothing. */
  minFreeBytes: number
  now: () => number
}

/**
 * A sentence for each folder with too little room, or undefined when there is enough; asked of the
 * system once a second.
 */
export type DiskProblem = () => Promise<string | undefined>

const ASKED_AGAIN_MS = 1000

/** Watches the room of folders. */
export function diskSpace({ folders, minFreeBytes, now }: DiskSpaceOptions): DiskProblem {
  let asked = -Infinity
  let answer: Promise<string | undefined> = Promise.resolve(undefined)
  return () => {
    if (minFreeBytes > 0 && now() - asked >= ASKED_AGAIN_MS) {
      asked = now()
      answer = Promise.all(folders.map((folder) => problemOf(folder, minFreeBytes))).then(
        (found) => found.filter((one) => one !== undefined).join('; ') || undefined,
      )
    }
    return answer
  }
}

async function problemOf(folder: string, minFreeBytes: number): Promise<string | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder)
    const free = bavail * bsize
    if (free >= minFreeBytes) return undefined
    return `${folder} has ${free} bytes free, fewer than the ${minFreeBytes} of PLUMBLINE_MIN_FREE_BYTES`
  } catch (error) {
    return `the room in ${folder} cannot be asked for: ${messageOf(error)}`
  }
}
