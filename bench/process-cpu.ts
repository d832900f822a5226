/** CPU time of other processes, as the kernel counts it. */
import { readFileSync } from 'node:fs'

/** The unit of CPU times in /proc. */
const TICKS_PER_SECOND = 100

/** CPU seconds of all threads of a process so far, in user and kernel mode. */
export function cpuSecondsOf(pid: number): number {
  const fields = fieldsOf(pid)
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** CPU seconds of those children of this process that have ended and were waited for. */
export function cpuSecondsOfEnded(): number {
  const fields = fieldsOf(process.pid)
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
}

/** What follows the name in brackets, which may hold spaces. */
function fieldsOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
