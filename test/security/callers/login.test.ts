/**
 * People sign in at a real OpenID provider, by authorisation code and PKCE, and come back with a
 * session of the pages.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../../harness.ts'
import { AUDIENCE, PAGES, startIssuer, type Issuer } from '../../servers/oidc-issuer.ts'
import { startTarget, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
let issuer: Issuer
let plumbline: Running

beforeAll(async () => {
  issuer = await startIssuer()
  const secretFile = join(directory, 'secret')
  writeFileSync(secretFile, `${PAGES.secret}\n`)
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: join(import.meta.dirname, '../../no-models'),
    PLUMBLINE_OIDC_ISSUER: issuer.url,
    PLUMBLINE_OIDC_AUDIENCE: AUDIENCE,
    PLUMBLINE_OIDC_CLIENT_ID: PAGES.id,
    PLUMBLINE_OIDC_CLIENT_SECRET_FILE: secretFile,
  })
})
afterAll(async () => {
  await plumbline?.stop()
  await issuer?.stop()
})

/** What a browser keeps of cookies, by origin; their paths are left out. */
type Jar = Map<string, string>
async function visit(address: string, jar: Jar): Promise<Response> {
  const { origin } = new URL(address)
  const mine = [...jar].filter(([key]) => key.startsWith(`${origin} `))
  const cookie = mine.map(([key, value]) => `${key.split(' ')[1]}=${value}`).join('; ')
  const response = await fetch(address, { redirect: 'manual', headers: { cookie } })
  for (const set of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!
    if (value === '') jar.delete(`${origin} ${name}`)
    else jar.set(`${origin} ${name}`, value!)
  }
  return response
}

/** Follows redirects up to one to an address that `stops` says yes to; gives that address. */
async function follow(address: string, jar: Jar, stops: (to: string) => boolean): Promise<string> {
  for (let at = address, hops = 0; hops < 12; hops++) {
    const response = await visit(at, jar)
    const to = response.headers.get('location')
    if (!to) throw new Error(`${at} answered ${response.status}: ${await response.text()}`)
    at = new URL(to, at).href
    if (stops(at)) return at
  }
  throw new Error('redirects without an end')
}
const isCallback = (to: string) => to.startsWith(`${plumbline.url}/callback`)
const callerBy = async (jar: Jar) =>
  ((await (await visit(`${plumbline.url}/v1/session`, jar)).json()) as { caller: unknown }).caller

test('a person signs in, is known by name and roles, and signs out', async () => {
  const jar: Jar = new Map()
  const before = await (await visit(`${plumbline.url}/v1/session`, jar)).json()
  expect(before).toEqual({ caller: null, key_needed: true, login_at: '/login' })
  const begun = await visit(`${plumbline.url}/login?return=/runs`, jar)
  const asked = new URL(begun.headers.get('location')!)
  expect(asked.origin).toBe(issuer.url)
  expect(Object.fromEntries(asked.searchParams)).toMatchObject({
    response_type: 'code',
    client_id: PAGES.id,
    redirect_uri: `${plumbline.url}/callback`,
    code_challenge_method: 'S256',
    code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
  })
  const callback = await follow(asked.href, jar, isCallback)
  const back = await visit(callback, jar)
  expect(back.headers.get('location')).toBe('/runs')
  const session = back.headers.getSetCookie().find((set) => set.startsWith('plumbline_session='))
  expect(session).toMatch(/; HttpOnly; SameSite=Strict; Max-Age=43200$/)
  expect(await callerBy(jar)).toEqual({ id: 'ann', scopes: ['read', 'review'] })

  // The code, its state and its browser's cookie are good once.
  const again = await visit(callback, new Map(jar))
  expect(await again.json()).toMatchObject({ status: 401, code: 'login_failed' })

  const cookie = `plumbline_session=${jar.get(`${plumbline.url} plumbline_session`)}`
  const left = await fetch(`${plumbline.url}/v1/session`, {
    method: 'DELETE',
    headers: { cookie, 'x-plumbline-page': '1' },
  })
  expect(left.status).toBe(204)
  expect(await callerBy(jar)).toBeNull()
})

test('a callback is of the browser that began, and of its state', async () => {
  const jar: Jar = new Map()
  const callback = await follow(`${plumbline.url}/login`, jar, isCallback)
  const other = await visit(callback, new Map())
  expect(await other.json()).toMatchObject({ status: 401, code: 'login_failed' })
  const forged = new URL(callback)
  forged.searchParams.set('state', 'another')
  const refused = await visit(forged.href, jar)
  expect(await refused.json()).toMatchObject({ status: 401, code: 'login_failed' })
  expect(await callerBy(jar)).toBeNull()
})

test.each(['//evil.example', 'https://evil.example', '/\\evil.example', '/callback', '/runs\n'])(
  'a sign-in does not lead to %j',
  async (to) => {
    const jar: Jar = new Map()
    const address = `${plumbline.url}/login?return=${encodeURIComponent(to)}`
    const back = await visit(await follow(address, jar, isCallback), jar)
    expect(back.headers.get('location')).toBe('/')
  },
)
