/**
 * Tokens of a real OpenID provider say who calls; a token that is wrong in any way is refused and
 * counted.
 */
import { join } from 'node:path'
import { exportSPKI, SignJWT, UnsecuredJWT } from 'jose'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tokenCallers } from '../../../lib/http/oidc/bearer-tokens.ts'
import { temporaryDirectory } from '../../harness.ts'
import { AUDIENCE, startIssuer, type Issuer } from '../../servers/oidc-issuer.ts'
import { post, startTarget, type Running } from '../../servers/processes.ts'

const NO_MODELS = join(import.meta.dirname, '../../no-models')
let issuer: Issuer
let plumbline: Running

beforeAll(async () => {
  issuer = await startIssuer()
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(temporaryDirectory(), 'data'),
    PLUMBLINE_MODELS_DIR: NO_MODELS,
    PLUMBLINE_CLICKHOUSE_HTTP_PORT: '-1',
    PLUMBLINE_OIDC_ISSUER: issuer.url,
    PLUMBLINE_OIDC_AUDIENCE: AUDIENCE,
    PLUMBLINE_OIDC_ROLES_CLAIM: 'scope',
  })
})
afterAll(async () => {
  await plumbline?.stop()
  await issuer?.stop()
})

const by = (token: string) => ({ authorization: `Bearer ${token}` })
const runsBy = (token: string) => fetch(`${plumbline.url}/v1/runs`, { headers: by(token) })
const nowS = () => Math.floor(Date.now() / 1000)
const claims = (more: object = {}) => ({
  ...{ iss: issuer.url, aud: AUDIENCE, sub: 'ann', scope: 'analyst', exp: nowS() + 600 },
  ...more,
})
const without = (claim: string) =>
  Object.fromEntries(Object.entries(claims()).filter(([name]) => name !== claim))
async function refusedFor(reason: string): Promise<number> {
  const text = await (await fetch(`${plumbline.url}/metrics`)).text()
  const found = new RegExp(`^plumbline_tokens_refused_total\\{reason="${reason}"\\} (\\d+)$`, 'm')
  return Number(found.exec(text)?.[1] ?? 0)
}

test('a token that the provider gives a client says who calls and what it may do', async () => {
  const token = await issuer.issued('analyst')
  expect((await runsBy(token)).status).toBe(200)
  const session = await fetch(`${plumbline.url}/v1/session`, { headers: by(token) })
  expect(await session.json()).toEqual({
    caller: { id: 'scheduler', scopes: ['read'] },
    key_needed: true,
    login_at: null,
  })
  const asked = await post(`${plumbline.url}/v1/runs`, {}, by(token))
  expect(asked.status).toBe(403)
  expect(await asked.json()).toMatchObject({ detail: 'scheduler lacks the scope operate' })
  const claimed = { reviewer: 'ann', model_id: 'm' }
  const other = await post(
    `${plumbline.url}/v1/reviews/claim`,
    claimed,
    by(await issuer.issued('reviewer')),
  )
  expect(await other.json()).toMatchObject({ status: 403, code: 'other_caller' })
})

test.each(['RS256', 'ES256', 'EdDSA'] as const)('a token signed by %s is taken', async (alg) => {
  expect((await runsBy(await issuer.signed(claims(), alg))).status).toBe(200)
})

test('without a role a token may do nothing, and without a token nobody may', async () => {
  expect((await runsBy(await issuer.signed(without('scope')))).status).toBe(403)
  expect((await fetch(`${plumbline.url}/v1/runs`)).status).toBe(401)
})

const hmacByPublicKey = async () =>
  new SignJWT(claims())
    .setProtectedHeader({ alg: 'HS256', kid: 'RS256' })
    .sign(Buffer.from(await exportSPKI(issuer.keys.RS256.publicKey)))
const cut = async () => {
  const [header, , signature] = (await issuer.signed(claims())).split('.')
  const body = Buffer.from(JSON.stringify(claims({ scope: 'admin' }))).toString('base64url')
  return `${header}.${body}.${signature}`
}

test.each<[string, string, () => string | Promise<string>]>([
  ['expired', 'has expired', () => issuer.signed(claims({ exp: nowS() - 31 }))],
  ['not_yet_valid', 'is not valid yet', () => issuer.signed(claims({ nbf: nowS() + 90 }))],
  ['wrong_issuer', 'was not issued by', () => issuer.signed(claims({ iss: 'https://evil' }))],
  ['wrong_audience', 'is not meant for', () => issuer.signed(claims({ aud: ['https://other'] }))],
  ['missing_claim', 'lacks the claim exp', () => issuer.signed(without('exp'))],
  ['missing_claim', 'lacks the claim aud', () => issuer.signed(without('aud'))],
  ['wrong_algorithm', 'is not signed by', () => new UnsecuredJWT(claims()).encode()],
  ['wrong_algorithm', 'is not signed by', hmacByPublicKey],
  ['bad_signature', 'signature is not that of', cut],
  ['unknown_key', 'names no key', () => issuer.signed(claims(), 'RS256', { kid: 'new' })],
  ['unknown_key', 'names no key', () => issuer.signed(claims(), 'RS256', { kid: 'ES256' })],
  ['malformed', 'cannot be read', () => 'a.b.c'],
  ['no_name', 'must name its caller', () => issuer.signed(without('sub'))],
  ['reserved_name', 'no caller may have', () => issuer.signed(claims({ sub: 'claimed:ann' }))],
  ['reserved_name', 'no caller may have', () => issuer.signed(claims({ sub: 'Policy' }))],
])('%s: the token %s, and that is counted', async (reason, sentence, token) => {
  const before = await refusedFor(reason)
  const answer = await runsBy(await token())
  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toContain('invalid_token')
  const problem = (await answer.json()) as { code: string; detail: string }
  expect(problem.code).toBe(`token_${reason}`)
  expect(problem.detail).toContain(sentence)
  expect(await refusedFor(reason)).toBe(before + 1)
})

test('clocks may be 30 s apart', async () => {
  expect((await runsBy(await issuer.signed(claims({ exp: nowS() - 5 })))).status).toBe(200)
  expect((await runsBy(await issuer.signed(claims({ nbf: nowS() + 25 })))).status).toBe(200)
})

test('the keys are fetched once, and an unknown key does not make them be fetched each time', async () => {
  const before = issuer.keyFetches()
  expect(before).toBeLessThanOrEqual(2)
  for (let i = 0; i < 5; i++)
    await runsBy(await issuer.signed(claims(), 'RS256', { kid: `made-up-${i}` }))
  expect(issuer.keyFetches()).toBeLessThanOrEqual(before + 1)
})

test('a refused token stops no route that needs no key', async () => {
  const refused = by(await issuer.signed(claims({ exp: 1 })))
  expect((await fetch(`${plumbline.url}/health/live`, { headers: refused })).status).toBe(200)
  const session = await fetch(`${plumbline.url}/v1/session`, { headers: refused })
  expect(await session.json()).toEqual({ caller: null, key_needed: true, login_at: null })
})

test('an issuer that is away is 503 and not a way in', async () => {
  const away = await startIssuer()
  const token = await away.issued('admin')
  await away.stop()
  const registry = new Registry()
  const rules = { issuer: away.url, audience: AUDIENCE, nameClaim: 'sub', rolesClaim: 'scope' }
  const callerOf = tokenCallers({ ...rules, rolePrefix: '' }, registry)
  await expect(callerOf(token)).rejects.toMatchObject({ status: 503, code: 'issuer_unavailable' })
  expect(await registry.metrics()).toContain('{reason="issuer_unavailable"} 1')
})

test('keys are not taken from a document of another issuer', async () => {
  const other = `${issuer.url}/`
  const rules = { issuer: other, audience: AUDIENCE, nameClaim: 'sub', rolesClaim: 'scope' }
  const callerOf = tokenCallers({ ...rules, rolePrefix: '' }, new Registry())
  const token = await issuer.signed(claims({ iss: other }))
  await expect(callerOf(token)).rejects.toThrow('is the document of')
})
