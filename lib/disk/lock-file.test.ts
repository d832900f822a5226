import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../test/harness.ts'
import { beganAt, lockFile } from './lock-file.ts'

const directory = temporaryDirectory()
const held = (pid: number) => `held by ${pid}`

test('a lock is held by the living process that took it', async () => {
  const path = join(directory, 'held.lock')
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  try {
    await expect.poll(() => beganAt(other.pid!)).toBeDefined()
    writeFileSync(path, `${other.pid} ${beganAt(other.pid!)}\n`)
    expect(() => lockFile(path, held)).toThrow(`held by ${other.pid}`)
    // The number is in use again, by a process that began at another time.
    writeFileSync(path, `${other.pid} another-boot 1\n`)
    const unlock = lockFile(path, held)
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid} ${beganAt(process.pid)}\n`)
    unlock()
    expect(existsSync(path)).toBe(false)
  } finally {
    other.kill('SIGKILL')
  }
})

test.each([
  '',
  'garbage',
  '-1',
  '0',
  '4194304999 x',
  '99999999999999999999',
  `${process.pid} x`,
  '1',
])('a lock file that says %j holds nothing', (content) => {
  const path = join(directory, 'stale.lock')
  writeFileSync(path, content)
  lockFile(path, held)()
})
