/**
 * The real schema registry behind TLS: who is trusted, who is let in, and what a wrong setting
 * says.
 */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRegistry, type LocalRegistry } from '../../../deploy/local/registry.ts'
import { schemaRegistry } from '../../../lib/events/avro/schema-registry.ts'
import { PlatformConfig } from '../../../lib/platform/platform-config.ts'
import { registryAccess } from '../../../lib/platform/registry-access.ts'
import { readConfig } from '../../../lib/runtime/config.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import { certificateAuthority, type Signed } from '../../servers/certificates.ts'
import { temporaryDirectory } from '../../harness.ts'

const directory = temporaryDirectory()
const authority = certificateAuthority(directory, 'authority')
const stranger = certificateAuthority(directory, 'stranger')
const serverPair = authority.sign('registry')
const client = authority.sign('plumbline')
const SCHEMA = JSON.stringify({ type: 'record', name: 'r', fields: [] })
const ANN = { PLUMBLINE_SCHEMA_REGISTRY_USER: 'ann', PLUMBLINE_SCHEMA_REGISTRY_PASSWORD: 'p:w' }

let registry: LocalRegistry
let server: Server
let connections = 0

beforeAll(async () => {
  registry = await startRegistry()
  server = createServer({
    cert: readFileSync(serverPair.cert),
    key: readFileSync(serverPair.key),
    ca: readFileSync(authority.ca),
    requestCert: true,
    rejectUnauthorized: true,
  })
  server.on('connection', () => connections++)
  server.on('request', (request, response) => {
    void (async () => {
      const { pathname } = new URL(registry.url)
      const expected = `Basic ${Buffer.from('ann:p:w').toString('base64')}`
      if (request.headers.authorization !== expected) return response.writeHead(401).end()
      const body = await text(request)
      const answer = await fetch(registry.url + request.url!.slice(pathname.length), {
        method: request.method!,
        headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
        ...(body !== '' && { body }),
      })
      return response.writeHead(answer.status).end(await answer.text())
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}, 120_000)
afterAll(async () => {
  server?.closeAllConnections()
  server?.close()
  await registry?.stop()
})

/** The client as the settings make it. */
function configured(settings: Record<string, string>, pair?: Signed) {
  const { pathname } = new URL(registry.url)
  const { port } = server.address() as AddressInfo
  const url = `https://127.0.0.1:${port}${pathname}`
  const access = registryAccess(
    readConfig(PlatformConfig, {
      PLUMBLINE_SCHEMA_REGISTRY_URL: url,
      ...settings,
      ...(pair && {
        PLUMBLINE_SCHEMA_REGISTRY_CERT_FILE: pair.cert,
        PLUMBLINE_SCHEMA_REGISTRY_KEY_FILE: pair.key,
      }),
    }),
  )
  return schemaRegistry(url, access)
}

const failure = (work: Promise<unknown>) => work.then(() => '', messageOf)

test('a schema is registered and read with the authority, the certificate and the credentials', async () => {
  const asked = configured({ ...ANN, PLUMBLINE_SCHEMA_REGISTRY_CA_FILE: authority.ca }, client)
  const id = await asked.register('tls-value', SCHEMA)
  expect(await asked.byId(id)).toEqual({ schema: SCHEMA, type: 'AVRO', references: 0 })
})

test('a registry of another authority is not trusted, says so in one sentence, and is not asked again', async () => {
  const before = connections
  const asked = configured({ ...ANN, PLUMBLINE_SCHEMA_REGISTRY_CA_FILE: stranger.ca }, client)
  const said = await failure(asked.byId(1))
  expect(said).toMatch(
    /^the certificate of the schema registry at https:\S+ is not trusted \([^():]+\): PLUMBLINE_SCHEMA_REGISTRY_CA_FILE names the authorities that are$/,
  )
  expect(connections - before).toBe(1)
})

test('without a file the authorities of Node are trusted, and ours is none of them', async () => {
  expect(await failure(configured(ANN, client).byId(1))).toContain('is not trusted')
})

test('a client without its certificate, or with a stranger’s, is told which settings are meant', async () => {
  const settings = { ...ANN, PLUMBLINE_SCHEMA_REGISTRY_CA_FILE: authority.ca }
  for (const pair of [undefined, stranger.sign('other')])
    expect(await failure(configured(settings, pair).byId(1))).toContain(
      'PLUMBLINE_SCHEMA_REGISTRY_CERT_FILE',
    )
})

test('wrong credentials: the answer is told', async () => {
  const settings = { ...ANN, PLUMBLINE_SCHEMA_REGISTRY_PASSWORD: 'no' }
  const asked = configured({ ...settings, PLUMBLINE_SCHEMA_REGISTRY_CA_FILE: authority.ca }, client)
  expect(await failure(asked.byId(1))).toBe('the schema registry answered 401 for schema 1')
})

test('files that hold something else, or are not there, end the start in one sentence', () => {
  const junk = join(directory, 'junk.pem')
  writeFileSync(junk, 'no certificate')
  const access = (settings: Record<string, string>) => () =>
    registryAccess(
      readConfig(PlatformConfig, {
        PLUMBLINE_SCHEMA_REGISTRY_URL: 'https://registry',
        ...settings,
      }),
    )
  const CA = 'PLUMBLINE_SCHEMA_REGISTRY_CA_FILE'
  const CERT = 'PLUMBLINE_SCHEMA_REGISTRY_CERT_FILE'
  const KEY = 'PLUMBLINE_SCHEMA_REGISTRY_KEY_FILE'
  expect(access({ [CA]: junk })).toThrow(
    `${CA} names a file that begins with no certificate in PEM`,
  )
  expect(access({ [CA]: join(directory, 'absent') })).toThrow(`${CA} cannot be read: ENOENT`)
  expect(access({ [CERT]: client.cert })).toThrow(`${CERT} and ${KEY} belong together`)
  expect(access({ [CERT]: client.cert, [KEY]: serverPair.key })).toThrow(
    `${CERT} and ${KEY} are not a pair`,
  )
  expect(access({ [CA]: authority.ca, PLUMBLINE_SCHEMA_REGISTRY_URL: 'http://registry' })).toThrow(
    `${CA} is for TLS, and PLUMBLINE_SCHEMA_REGISTRY_URL is no https address`,
  )
})
