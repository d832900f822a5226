/** Two processes on one data folder: the second opens nothing, wherever the first one runs. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { ask, startTarget, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const running: Running[] = []
afterAll(async () => {
  for (const one of running) await one.stop('SIGKILL')
})

test('a process that sees no other process in its lock file finds the folder taken', async () => {
  const env = { PLUMBLINE_DATA_DIR: join(directory, 'data') }
  const first = await startTarget('all', env)
  running.push(first)
  // As the lock of a container looks from another one: no process of that number is there.
  const lock = join(directory, 'data', 'postgres.lock')
  writeFileSync(lock, '4194305 elsewhere 1\n')
  await expect(startTarget('all', env)).rejects.toThrow('cannot open the ClickHouse data directory')
  // It never came to the control database, which it would have thought to be free.
  expect(readFileSync(lock, 'utf8')).toBe('4194305 elsewhere 1\n')
  expect(await ask(first.clickhouseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect((await fetch(`${first.url}/health/ready`)).status).toBe(200)
})
