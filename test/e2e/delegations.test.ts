/** What a person delegated ends with that person's keys, or with the right to approve, in a running service. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newKey, type KeyEntry } from '../../lib/http/keys/key-file.ts'
import { temporaryDirectory } from '../harness.ts'
import { startTarget, until, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const file = join(directory, 'keys.json')
let plumbline: Running
const texts = new Map<string, string>()
const entries = new Map<string, KeyEntry>()

function keyOf(id: string, ...grants: string[]) {
  const { text, kept } = newKey()
  texts.set(id, text)
  entries.set(id, { id, grants, ...kept })
}
const write = () => writeFileSync(file, JSON.stringify({ keys: [...entries.values()] }))

beforeAll(async () => {
  const models = join(directory, 'models')
  mkdirSync(models)
  const launch = '{ kind: webhook, url: "http://127.0.0.1:9/" }'
  for (const model of ['m', 'n'])
    writeFileSync(
      join(models, `${model}.yaml`),
      `model_id: ${model}\ntask: binary\nretrain: [{ name: asked, when: 'schedule("0 0 1 1 *")', approval: one, launch: ${launch} }]\n`,
    )
  keyOf('ann', 'approver')
  keyOf('eve', 'approver@model:m', 'approver@model:n')
  keyOf('zoe', 'approver')
  keyOf('bob', 'analyst')
  keyOf('carol', 'operator')
  write()
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: models,
    PLUMBLINE_AUTH_FILE: file,
  })
})
afterAll(() => plumbline?.stop())

async function ask(as: string, path: string, body?: object) {
  const response = await fetch(`${plumbline.url}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${texts.get(as)}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, any> }
}
const delegates = (as: string, to: string, more: object = {}) =>
  ask(as, '/v1/delegations', {
    ...{ to, reason: 'away', until: new Date(Date.now() + 86_400_000).toISOString(), ...more },
  })
async function approveFor(name: string, model = 'm') {
  const { body } = await ask('carol', '/v1/runs', {
    ...{ model_id: model, policy: 'asked', reason: 'r' },
  })
  return ask('bob', `/v1/runs/${body['run_id']}/approve-for`, { for: name, message: 'seen' })
}
/** Waits until the service has read the keys as they are now. */
const keysAreRead = (id: string, status: number) =>
  until('the keys are read', async () => (await ask(id, '/v1/delegations')).status === status)

test('a key that is revoked ends what its holder delegated, and a new key does not bring it back', async () => {
  const { body: made } = await delegates('ann', 'bob')
  expect(made).toMatchObject({ delegator: 'ann', known_by: 'key', end_reason: '' })
  expect((await approveFor('ann')).status).toBe(200)
  const old = entries.get('ann')!
  entries.delete('ann')
  write()
  await keysAreRead('ann', 401)
  const refused = await approveFor('ann')
  expect(refused).toMatchObject({ status: 403, body: { code: 'not_delegated' } })
  expect(refused.body['detail']).toContain('no key of ann is good any more')
  const { body: list } = await ask('carol', '/v1/delegations')
  expect(list['delegations'][0]).toMatchObject({
    ...{ delegation_id: made['delegation_id'], revoked_by: 'policy' },
    end_reason: 'no key of ann is good any more',
  })
  const { body: audit } = await ask('carol', '/v1/audit?action=delegation&order=newest')
  expect(audit['entries'][0]).toMatchObject({ action: 'delegation.ended', actor: 'policy' })
  entries.set('ann', old)
  write()
  await keysAreRead('ann', 200)
  expect((await approveFor('ann')).status).toBe(403)
})

test('whoever may approve some models no more has delegated no more of them', async () => {
  await delegates('eve', 'bob', { models: ['m', 'n'] })
  expect((await approveFor('eve', 'n')).status).toBe(200)
  entries.set('eve', { ...entries.get('eve')!, grants: ['approver@model:m', 'analyst@model:n'] })
  write()
  await until('the right is gone', async () => {
    const asked = { until: '2099-01-01T00:00:00Z', to: 'bob', reason: 'r', models: ['n'] }
    return (await ask('eve', '/v1/delegations', asked)).status === 403
  })
  const refused = await approveFor('eve', 'n')
  expect(refused.status).toBe(403)
  expect(refused.body['detail']).toContain('eve may not approve runs of n any more')
  expect((await approveFor('eve', 'm')).status).toBe(200)
})

test('a key that ends by its time ends it too, another of the same holder keeps it', async () => {
  await delegates('zoe', 'bob')
  const { kept } = newKey()
  const second = { id: 'zoe', grants: ['approver'], ...kept }
  entries.set('second', second)
  entries.set('zoe', { ...entries.get('zoe')!, expires: '2026-01-01T00:00:00Z' })
  write()
  await keysAreRead('zoe', 401)
  expect((await approveFor('zoe')).status).toBe(200)
  entries.set('second', { ...second, expires: '2026-01-01T00:00:00Z' })
  write()
  await until('no key is left', async () => (await approveFor('zoe')).status === 403)
})
