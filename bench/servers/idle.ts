/**
 * What an all-in-one process costs while nothing comes: its CPU time and its memory, as the kernel
 * counts them.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTarget, type Running } from '../../test/servers/processes.ts'
import { cpuSecondsOf } from '../process-cpu.ts'
import type { Result } from '../result.ts'

/**
 * Pauses between looks have grown to their longest by then, and what the start left is worked off.
 */
const SETTLE_SECONDS = 30
const SECONDS = 60

/** Measures one process with empty stores and the models of this repository, over a minute. */
export async function benchIdle(): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const running = await startTarget('all', {
    PLUMBLINE_DATA_DIR: directory,
    PLUMBLINE_MODELS_DIR: 'models',
  })
  try {
    await pause(SETTLE_SECONDS)
    const before = cpuSecondsOf(running.child.pid!)
    await pause(SECONDS)
    const used = cpuSecondsOf(running.child.pid!) - before
    const common = { against: '', ratio: null, rounds: 1, settings: { seconds: SECONDS } }
    return [
      { ...common, name: 'idle: share of a core', value: (100 * used) / SECONDS, unit: '%' },
      { ...common, name: 'idle: resident memory', value: statusMiB(running, 'VmRSS'), unit: 'MiB' },
      {
        ...common,
        name: 'idle: resident memory, the most since the start',
        value: statusMiB(running, 'VmHWM'),
        unit: 'MiB',
      },
    ]
  } finally {
    await running.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

function statusMiB({ child }: Running, field: string): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)![1]) / 1024
}
