/** Model files change while the process runs: all of them, or none. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, expect, test, vi } from 'vitest'
import { ConfigError } from '../../runtime/config.ts'
import { liveModels } from './live-models.ts'
import type { Models } from '../model-files.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'models-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}
const file = (id: string, more = '') => `model_id: ${id}\ntask: binary\n${more}`

function live(folder: string, everyMs = 0, check?: (models: Models) => void) {
  const registry = new Registry()
  let at = 0
  const parts = {
    folder,
    everyMs,
    registry,
    log: pino({ level: 'silent' }),
    now: () => ++at,
    ...(check && { check }),
  }
  return { ...liveModels(parts), registry }
}

test('a reading puts all changes in force, and parses only what changed', () => {
  const folder = folderOf({ 'a.yaml': file('a'), 'b.yaml': file('b') })
  const { models, reload, inForce } = live(folder)
  const [a, b] = [models.get('a'), models.get('b')]
  let changes = 0
  models.onChange!(() => changes++)
  reload()
  expect(changes).toBe(0)
  writeFileSync(join(folder, 'b.yaml'), file('b', 'threshold: 0.7'))
  writeFileSync(join(folder, 'c.yaml'), file('c'))
  reload()
  expect(changes).toBe(1)
  expect(models.get('a')).toBe(a)
  // Whoever holds the old one goes on with it.
  expect(b.threshold).toBe(0.5)
  expect(models.get('b').threshold).toBe(0.7)
  expect(models.declared.map(({ modelId }) => modelId)).toEqual(['a', 'b', 'c'])
  rmSync(join(folder, 'a.yaml'))
  reload()
  expect(models.get('a').task).toBeUndefined()
  const { files } = inForce()
  expect(files.map((one) => [one.file, one.modelId])).toEqual([
    ['b.yaml', 'b'],
    ['c.yaml', 'c'],
  ])
  expect(files[0]!.sha256).toMatch(/^[0-9a-f]{64}$/)
})

test('one problem in one file, and nothing changes until all is well', async () => {
  const folder = folderOf({ 'a.yaml': file('a') })
  const { models, reload, inForce, registry } = live(folder)
  writeFileSync(join(folder, 'a.yaml'), file('a', 'threshold: 0.7'))
  writeFileSync(join(folder, 'b.yaml'), file('b', 'treshold: 0.7'))
  reload()
  expect(models.declared.map(({ threshold }) => threshold)).toEqual([0.5])
  expect(inForce().refused?.problems).toEqual([expect.stringMatching(/^b\.yaml: .*treshold/)])
  expect(await registry.metrics()).toMatch(/loads_total\{outcome="refused"\} 1[^]*problems 1\n/)
  rmSync(join(folder, 'b.yaml'))
  reload()
  expect(models.declared.map(({ threshold }) => threshold)).toEqual([0.7])
  expect(inForce().refused).toBeUndefined()
  expect(await registry.metrics()).toMatch(/loads_total\{outcome="loaded"\} 1[^]*problems 0\n/)
})

test('a folder that goes away takes no model with it', () => {
  const folder = folderOf({ 'a.yaml': file('a') })
  const { models, reload, inForce } = live(folder)
  rmSync(folder, { recursive: true })
  reload()
  expect(models.declared).toHaveLength(1)
  expect(inForce().refused?.problems).toEqual([`the folder ${folder} is gone`])
  mkdirSync(folder)
  reload()
  // A folder that is there and empty says that there are none.
  expect(models.declared).toEqual([])
})

test('models that other settings do not let work are refused as a whole', () => {
  const folder = folderOf({ 'a.yaml': file('a') })
  const { models, reload, inForce } = live(folder, 0, ({ declared }) => {
    if (declared.some(({ privacy }) => privacy)) throw new ConfigError(['there is no key'])
  })
  writeFileSync(join(folder, 'a.yaml'), file('a', 'privacy: { hash: [user_id] }\n'))
  writeFileSync(join(folder, 'b.yaml'), file('b'))
  reload()
  expect(models.declared).toHaveLength(1)
  expect(inForce().refused?.problems).toEqual(['there is no key'])
})

test('a start is refused as ever', () => {
  expect(() => live(folderOf({ 'a.yaml': 'task: binary' }))).toThrow(ConfigError)
})

test('files that change are read without being told to', async () => {
  const folder = folderOf({ 'a.yaml': file('a') })
  const { models, watching } = live(folder, 5)
  const stopping = new AbortController()
  const running = watching!.run!(stopping.signal)
  writeFileSync(join(folder, 'b.yaml'), file('b'))
  await vi.waitFor(() => expect(models.declared).toHaveLength(2), { timeout: 20_000 })
  stopping.abort()
  await running
})
