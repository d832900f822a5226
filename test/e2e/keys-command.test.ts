/** `npm run keys`: a key is made, used, rotated with overlap, listed and revoked, in a running service. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { runScript, startTarget, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const file = join(directory, 'keys.json')
const dataDir = join(directory, 'data')
let plumbline: Running
let first: string

function keys(...args: string[]) {
  const env = { PLUMBLINE_AUTH_FILE: file, PLUMBLINE_DATA_DIR: dataDir }
  const { status, stdout, stderr } = runScript('keys.ts', args, env)
  return { status, stdout, stderr }
}
const create = (...args: string[]) => keys('create', '--id', 'ann', ...args).stdout.trim()
interface Declared {
  content: Record<string, { schema: object }>
}
interface Answer {
  secret?: string
  detail?: string
  keys?: { key: string; last_used_at: string | null }[]
}
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

test('an admin makes, rotates and revokes keys over HTTP, which the audit log tells without secrets', async () => {
  const root = keys('create', '--id', 'root', '--grant', 'admin').stdout.trim()
  const some = keys('create', '--id', 'eve', '--grant', 'admin@model:m').stdout.trim()
  await vi.waitFor(async () => expect(await statusBy(some, '/v1/session')).toBe(200))
  const { paths, components } = (await (await fetch(`${plumbline.url}/docs/json`)).json()) as {
    paths: Record<string, Record<string, { responses: Record<string, Declared> }>>
    components: object
  }
  const ajv = new Ajv2020({ strict: false })
  /** Asks, and holds the answer against what the document declares. */
  const asked = async (operation: string, path: string, body?: object, key = root) => {
    const [method = '', template = ''] = operation.split(' ')
    const response = await fetch(`${plumbline.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as Answer
    const { content } = paths[template]![method.toLowerCase()]!.responses[response.status]!
    const [media] = Object.values(content)
    expect(ajv.validate({ ...media!.schema, components }, answer), ajv.errorsText()).toBe(true)
    return { status: response.status, answer }
  }
  await vi.waitFor(async () => expect((await asked('GET /v1/keys', '/v1/keys')).status).toBe(200), {
    timeout: 20_000,
  })
  const bob = { id: 'bob', grants: ['analyst@team:risk'], expires: '30d' }
  const made = await asked('POST /v1/keys', '/v1/keys', bob)
  expect(made).toMatchObject({ status: 201, answer: { made: { id: 'bob' }, replaced: null } })
  const secret = made.answer.secret!
  const name = nameIn(secret)
  const rotation = `/v1/keys/${name}/rotate`
  const next = await asked('POST /v1/keys/{key}/rotate', rotation, { overlap: '1h' })
  expect(next).toMatchObject({ status: 201, answer: { replaced: { key: name } } })
  await vi.waitFor(
    async () => expect(await statusBy(next.answer.secret!, '/v1/models')).toBe(200),
    { timeout: 20_000 },
  )
  const revoked = await asked('DELETE /v1/keys/{key}', `/v1/keys/${name}`)
  expect(revoked).toMatchObject({ status: 200, answer: { revoked: { key: name, id: 'bob' } } })
  await vi.waitFor(async () => expect(await statusBy(secret)).toBe(401), { timeout: 20_000 })

  const before = readFileSync(file, 'utf8')
  const refused: [string, string, object | undefined, number, string][] = [
    ['DELETE /v1/keys/{key}', `/v1/keys/${name}`, undefined, 404, 'no key is named'],
    ['POST /v1/keys', '/v1/keys', { ...bob, grants: ['analist'] }, 400, 'did you mean analyst?'],
    ['POST /v1/keys', '/v1/keys', { ...bob, id: 'policy' }, 400, 'part of Plumbline'],
    ['POST /v1/keys', '/v1/keys', { ...bob, expires: '1d ago' }, 400, 'a time to come'],
    ['POST /v1/keys', '/v1/keys', { ...bob, id: 'BOB' }, 400, 'under two spellings'],
    ['POST /v1/keys/{key}/rotate', rotation, {}, 404, 'no key is named'],
  ]
  for (const [operation, path, body, status, sentence] of refused) {
    const { status: told, answer } = await asked(operation, path, body)
    expect([told, answer.detail]).toEqual([status, expect.stringContaining(sentence)])
  }
  // An admin of one model could make a key for all.
  expect((await asked('GET /v1/keys', '/v1/keys', undefined, some)).status).toBe(403)
  expect((await asked('POST /v1/keys', '/v1/keys', bob, some)).status).toBe(403)
  expect(readFileSync(file, 'utf8')).toBe(before)

  const usesFile = join(dataDir, 'key-uses.json')
  const uses = JSON.parse(readFileSync(usesFile, 'utf8')) as Record<string, string>
  const used = '2026-01-02T03:04:05.000Z'
  writeFileSync(usesFile, JSON.stringify({ ...uses, [nameIn(next.answer.secret!)]: used }))
  const { keys: listed } = (await asked('GET /v1/keys', '/v1/keys')).answer
  expect(
    listed!.find(({ key }) => key === nameIn(next.answer.secret!))!.last_used_at! >= used,
  ).toBe(true)
  const text = JSON.stringify(listed)
  for (const one of [root, secret, next.answer.secret!]) expect(text).not.toContain(one.slice(17))
  expect(text).not.toMatch(/hash|salt/)
  const log = await (
    await fetch(`${plumbline.url}/v1/audit`, { headers: { authorization: `Bearer ${root}` } })
  ).text()
  expect(log).not.toContain(secret.slice(17))
  const { entries } = JSON.parse(log) as { entries: { action: string; actor: string }[] }
  // Those made by hand are noticed, and told of apart.
  const byHttp = ['key.created', 'key.revoked', 'key.rotated']
  const acts = entries.filter(({ action }) => byHttp.includes(action))
  expect(acts.map(({ action }) => action).toSorted()).toEqual(byHttp)
  expect(acts.every(({ actor }) => actor === 'root')).toBe(true)
})

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
