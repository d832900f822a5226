/** `npm run keys`: a key is made, used, rotated with overlap, listed and revoked, in a running service. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { startTarget, type Running } from '../processes.ts'

const directory = temporaryDirectory()
const file = join(directory, 'keys.json')
const dataDir = join(directory, 'data')
let plumbline: Running
let first: string

function keys(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...process.execArgv.filter((flag) => !flag.startsWith('--input-type')),
      join(import.meta.dirname, '../../scripts/keys.ts'),
      ...args,
    ],
    {
      encoding: 'utf8',
      env: { ...process.env, PLUMBLINE_AUTH_FILE: file, PLUMBLINE_DATA_DIR: dataDir },
    },
  )
  return { status, stdout, stderr }
}
const create = (...args: string[]) => keys('create', '--id', 'ann', ...args).stdout.trim()
const nameIn = (key: string) => key.split('_')[1]!
const statusBy = async (key: string, path = '/v1/models') =>
  (await fetch(`${plumbline.url}${path}`, { headers: { authorization: `Bearer ${key}` } })).status

beforeAll(async () => {
  first = create('--grant', 'analyst')
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: dataDir,
    PLUMBLINE_MODELS_DIR: join(import.meta.dirname, '../no-models'),
    PLUMBLINE_AUTH_FILE: file,
  })
})
afterAll(() => plumbline?.stop())

test('a key is printed once; the file of its owner alone keeps no key', async () => {
  expect(first).toMatch(/^plb_[0-9a-f]{12}_[\w-]{43}$/)
  expect(readFileSync(file, 'utf8')).not.toContain(first.slice(17))
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(existsSync(`${file}.lock`)).toBe(false)
  expect(await statusBy(first)).toBe(200)
  expect(keys('list').stdout).not.toContain(first.slice(17))
})

test('a running service takes a new key, both of a rotation, and none that is revoked', async () => {
  const rotated = keys('rotate', '--key', nameIn(first), '--overlap', '1h')
  expect(rotated.stderr).toContain(`${nameIn(first)} is good until 20`)
  const next = rotated.stdout.trim()
  await vi.waitFor(async () => expect(await statusBy(next)).toBe(200), { timeout: 20_000 })
  expect(await statusBy(first)).toBe(200)
  expect(keys('revoke', '--key', nameIn(first))).toMatchObject({ status: 0, stdout: '' })
  await vi.waitFor(async () => expect(await statusBy(first)).toBe(401), { timeout: 20_000 })
  expect(await statusBy(next)).toBe(200)
})

test('a rotation without overlap ends the old key at once', async () => {
  const key = create('--grant', 'analyst')
  keys('rotate', '--key', nameIn(key), '--overlap', '0s')
  await vi.waitFor(async () => expect(await statusBy(key)).toBe(401), { timeout: 20_000 })
  expect(keys('list').stdout).toContain('(ended)')
})

test('the list tells who, what, until when, and the last use', () => {
  const line = keys('list')
    .stdout.split('\n')
    .find((row) => row.startsWith('key\t'))
  expect(line).toBe('key\tid\tmay\tcreated\texpires\tlast used')
  const uses = JSON.parse(readFileSync(join(dataDir, 'key-uses.json'), 'utf8')) as object
  expect(Object.keys(uses)).toContain(nameIn(first))
})

test('what cannot be done is one sentence, and the file stays', () => {
  const before = readFileSync(file, 'utf8')
  const wrong: [string[], string][] = [
    [['creat', '--id', 'x'], 'did you mean create?'],
    [['create', '--id', 'x', '--grant', 'analist'], 'did you mean analyst?'],
    [['create', '--id', 'policy', '--grant', 'analyst'], 'name of a part of Plumbline'],
    [['create', '--id', 'Ann', '--grant', 'analyst'], 'one name under two spellings'],
    [['create', '--id', 'x', '--grant', 'analyst', '--expires', '2001-01-01'], 'a time to come'],
    [['create', '--id', 'x'], 'create needs --id and --grant'],
    [['revoke', '--key', 'nothing'], 'no key is named nothing'],
    [['rotate'], '--key is needed'],
  ]
  for (const [args, sentence] of wrong) {
    const { status, stdout, stderr } = keys(...args)
    expect({ args, status, stdout }).toEqual({ args, status: 1, stdout: '' })
    expect(stderr).toContain(sentence)
  }
  expect(readFileSync(file, 'utf8')).toBe(before)
}, 60_000)

test('a key that was made by hand is rotated into a made one that may do the same', () => {
  const old = join(directory, 'old.json')
  const sha256 = createHash('sha256').update('by-hand').digest('hex')
  writeFileSync(old, JSON.stringify({ keys: [{ id: 'eve', sha256, scopes: ['emit'] }] }))
  expect(keys('rotate', '--key', sha256.slice(0, 12), '--file', old).status).toBe(0)
  const { keys: kept } = JSON.parse(readFileSync(old, 'utf8')) as { keys: object[] }
  expect(kept).toMatchObject([
    { id: 'eve', sha256 },
    { id: 'eve', scopes: ['emit'] },
  ])
})
