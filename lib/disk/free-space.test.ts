import { refusingWhenFull } from '../event-log/refuse-when-full.ts'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diskSpace } from './free-space.ts'
import type { EventLog } from '../event-log/port.ts'

test('a folder with less room than asked for is told with its bytes; zero asks nothing', async () => {
  const folders = [tmpdir()]
  const told = (minFreeBytes: number) => diskSpace({ folders, minFreeBytes, now: Date.now })()
  expect(await told(1)).toBeUndefined()
  expect(await told(0)).toBeUndefined()
  expect(await told(2 ** 52)).toMatch(
    new RegExp(`^${tmpdir()} has \\d+ bytes free, fewer than the ${2 ** 52} of`),
  )
})

test('the system is asked once a second', async () => {
  let now = 0
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-disk-'))
  const problem = diskSpace({ folders: [folder], minFreeBytes: 1, now: () => now })
  expect(await problem()).toBeUndefined()
  rmSync(folder, { recursive: true })
  now = 999
  expect(await problem()).toBeUndefined()
  now = 1000
  expect(await problem()).toContain(`the room in ${folder} cannot be asked for: ENOENT`)
})

test('a full log refuses events and lets what ends earlier ones pass', async () => {
  const appended: string[] = []
  let full: string | undefined = '/data has 0 bytes free'
  const log = refusingWhenFull(
    { append: async (topic: string) => void appended.push(topic) } as unknown as EventLog,
    ['events'],
    async () => full,
  )
  await expect(log.append('events', [])).rejects.toMatchObject({
    status: 503,
    code: 'disk_full',
    message: full,
    headers: { 'retry-after': '30' },
  })
  await log.append('dead letters', [])
  full = undefined
  await log.append('events', [])
  expect(appended).toEqual(['dead letters', 'events'])
})

/** A file system of one mebibyte, or undefined where only root may mount one. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-small-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'pipe' })
    return folder
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
}

test('a disk that is really full is told of', async (context) => {
  const folder = smallDisk()
  if (!folder) return context.skip('only root may mount a file system')
  try {
    const minFreeBytes = 256 << 10
    const problem = () => diskSpace({ folders: [folder], minFreeBytes, now: Date.now })()
    expect(await problem()).toBeUndefined()
    expect(() => writeFileSync(join(folder, 'fills'), Buffer.alloc(2 << 20))).toThrow('ENOSPC')
    expect(statfsSync(folder).bavail).toBe(0)
    expect(await problem()).toContain(`${folder} has 0 bytes free`)
  } finally {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  }
})
