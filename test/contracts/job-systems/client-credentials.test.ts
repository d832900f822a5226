/** Launches that show a token of the client credentials grant, from an issuer over real HTTP. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { clientTokens, TokenRefused } from '../../../lib/http/oidc/client-credentials.ts'
import { parseAllowed } from '../../../lib/http/outgoing/address-rules.ts'
import { guardedFetch } from '../../../lib/http/outgoing/guarded-fetch.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { fetchWithToken } from '../../../services/retrain-trigger/launchers/with-token.ts'

let server: Server
let base: string
let now = Date.UTC(2026, 0, 1)
/** Tokens that were made, the newest last, and what the issuer was sent. */
let made: string[]
let asked: { authorization: string; form: string }[]
let refusal: { status: number; body: object } | undefined
/** The token that the endpoint takes; any unless given. */
let taken: string | undefined

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const { authorization = '' } = request.headers
      const send = (status: number, body: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      if (request.url !== '/token')
        return send(taken === undefined || authorization === `Bearer ${taken}` ? 200 : 401, {})
      asked.push({ authorization, form: text })
      if (refusal) return send(refusal.status, refusal.body)
      made.push(`t${made.length + 1}`)
      return send(200, { access_token: made.at(-1), token_type: 'Bearer', expires_in: 600 })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  made = []
  asked = []
  refusal = undefined
  taken = undefined
})
afterAll(() => void server.close())

const client = () => ({
  ...{ token_url: `${base}/token`, client_id: 'plumb line', client_secret: 'secret://env/CLIENT' },
  scope: 'jobs',
})
const parts = (secret: string | undefined = 's3cret') => {
  const fetch = guardedFetch(parseAllowed('loopback'))
  return { fetch, tokens: clientTokens({ fetch, environment: () => secret, now: () => now }) }
}
const signal = () => AbortSignal.timeout(60_000)

test('a token is asked for once, used until shortly before its end, and then renewed', async () => {
  const { tokens } = parts()
  expect(await tokens.get(client(), signal())).toBe('t1')
  now += 569_000
  expect(await tokens.get(client(), signal())).toBe('t1')
  now += 2000
  expect(await tokens.get(client(), signal())).toBe('t2')
  const basic = Buffer.from('plumb+line:s3cret').toString('base64')
  expect(asked[0]).toMatchObject({ authorization: `Basic ${basic}` })
  expect(Object.fromEntries(new URLSearchParams(asked[0]!.form))).toEqual({
    grant_type: 'client_credentials',
    scope: 'jobs',
  })
  await tokens.get({ ...client(), scope: 'other' }, signal())
  expect(made).toHaveLength(3)
})

test('a token that the endpoint refuses is renewed once, and a refusal of that one stays', async () => {
  const all = parts()
  const request = { method: 'POST', headers: {}, body: '{}', signal: signal() }
  taken = 't2'
  expect((await fetchWithToken(all, `${base}/jobs`, request, client())).status).toBe(200)
  expect(made).toEqual(['t1', 't2'])
  taken = 'none'
  expect((await fetchWithToken(all, `${base}/jobs`, request, client())).status).toBe(401)
  expect(made).toHaveLength(3)
})

test('an issuer that refuses says why, without the secret; one that is away may pass', async () => {
  const { tokens } = parts()
  const get = (of = tokens) => of.get(client(), signal())
  refusal = { status: 401, body: { error: 'invalid_client', error_description: 'not s3cret' } }
  const refused: unknown = await get().catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(TokenRefused)
  expect(String(refused)).toBe('Error: no token: its issuer answered 401: not ***')
  refusal = { status: 503, body: { error: 'later' } }
  expect(await get().catch((error: unknown) => error)).not.toBeInstanceOf(TokenRefused)
  await expect(get()).rejects.toThrow('no token: unexpected HTTP response status')
  asked = []
  await expect(get(parts('').tokens)).rejects.toThrow('secret://env/CLIENT is not set')
  expect(asked).toEqual([])
})

test('a client that cannot be is refused at start', () => {
  const file = (more: string) => () =>
    parseModel(`
model_id: m
task: binary
retrain:
  - name: p
    when: any(drift, alarm)
    launch: { kind: webhook, url: 'http://127.0.0.1:9/', ${more} }
`)
  const oauth = (secret: string) =>
    `oauth: { token_url: 'https://issuer.example.com/token', client_id: a, client_secret: ${secret} }`
  expect(file(oauth('secret://env/CLIENT'))).not.toThrow()
  expect(file(oauth('plain'))).toThrow('client_secret')
  expect(file(oauth('secret://env/PLUMBLINE_X'))).toThrow('is not sent out')
  expect(file(`headers: { Authorization: x }, ${oauth('secret://env/CLIENT')}`)).toThrow(
    'which headers has too',
  )
})
