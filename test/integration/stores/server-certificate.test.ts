/** The HTTP port with a certificate of its own: what is refused, what is served, and what follows. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { ConfigError } from '../../../lib/runtime/config.ts'
import { tellExpiries } from '../../../lib/platform/in-force/certificate-expiry.ts'
import { readServerCertificate } from '../../../lib/http/server-certificate.ts'
import { certificateAuthority } from '../../servers/certificates.ts'
import { temporaryDirectory } from '../../harness.ts'
import { spawnTarget, until, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
const authority = certificateAuthority(directory, 'authority')
const first = authority.sign('first')
const second = authority.sign('second')
const at = (name: string) => join(directory, name)
const settings = (cert?: string, key?: string) => ({
  ...(cert !== undefined && { PLUMBLINE_TLS_CERT_FILE: cert }),
  ...(key !== undefined && { PLUMBLINE_TLS_KEY_FILE: key }),
})
const NOW = Date.now()
const DAY = 86_400_000

let plumbline: Running | undefined
afterEach(async () => {
  await plumbline?.stop()
})

test('a certificate is read with its key, and none where none is named', () => {
  expect(readServerCertificate({}, NOW)).toBeUndefined()
  expect(readServerCertificate(settings(first.cert, first.key), NOW)).toMatchObject({
    subject: 'CN=first',
    cert: readFileSync(first.cert, 'utf8'),
  })
})

writeFileSync(at('text'), 'no PEM')
execFileSync(
  'openssl',
  ['ec', '-in', first.key, '-aes256', '-passout', 'pass:x', '-out', at('locked')],
  { stdio: 'pipe' },
)
test.each<[string, string | undefined, string | undefined, number, RegExp]>([
  [
    'no key',
    first.cert,
    undefined,
    0,
    /^PLUMBLINE_TLS_CERT_FILE and PLUMBLINE_TLS_KEY_FILE belong together, and only one of them is set$/,
  ],
  ['no certificate', undefined, first.key, 0, /belong together/],
  ['an absent file', at('absent'), first.key, 0, /^PLUMBLINE_TLS_CERT_FILE cannot be read: ENOENT/],
  [
    'text for a certificate',
    at('text'),
    first.key,
    0,
    /^PLUMBLINE_TLS_CERT_FILE .* begins with no certificate in PEM$/,
  ],
  [
    'text for a key',
    first.cert,
    at('text'),
    0,
    /^PLUMBLINE_TLS_KEY_FILE .* holds no private key in PEM/,
  ],
  [
    'a locked key',
    first.cert,
    at('locked'),
    0,
    /holds no private key in PEM without a passphrase$/,
  ],
  [
    'another key',
    first.cert,
    second.key,
    0,
    /^PLUMBLINE_TLS_KEY_FILE .* is not the key of the certificate in PLUMBLINE_TLS_CERT_FILE .*first\.crt$/,
  ],
  [
    'an old one',
    first.cert,
    first.key,
    3 * DAY,
    /^PLUMBLINE_TLS_CERT_FILE .*first\.crt expired at 20\d\d-.*Z$/,
  ],
  [
    'a future one',
    first.cert,
    first.key,
    -3 * DAY,
    /^PLUMBLINE_TLS_CERT_FILE .*first\.crt holds from 20\d\d-.*Z on only$/,
  ],
])('%s is refused in one sentence', (_what, cert, key, later, sentence) => {
  const read = () => readServerCertificate(settings(cert, key), NOW + later)
  expect(read).toThrow(ConfigError)
  try {
    read()
  } catch (error) {
    expect((error as ConfigError).problems).toEqual([expect.stringMatching(sentence)])
  }
})

/** What a route answers over TLS, on a connection of its own, and whose certificate is shown. */
const asked = (url: string, path: string, method = 'GET', body = '') =>
  new Promise<{ subject: string; text: string; cookie: string }>((resolve, reject) => {
    const sent = request(
      `${url.replace('http:', 'https:')}${path}`,
      {
        ca: readFileSync(authority.ca),
        agent: false,
        method,
        headers: { 'content-type': 'application/json', 'x-plumbline-page': '1' },
      },
      (response) => {
        const subject = (response.socket as TLSSocket).getPeerCertificate().subject.CN
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.on('end', () =>
          resolve({
            subject: String(subject),
            text,
            cookie: String(response.headers['set-cookie']),
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })

test('how long each certificate holds is a metric', async () => {
  const registry = new Registry()
  let now = NOW
  tellExpiries(
    { PLUMBLINE_KAFKA_CERT_FILE: first.cert },
    { registry, ofServer: () => NOW + 3000, now: () => now },
  )
  const told = async () => {
    const { values } = (await registry.getMetricsAsJSON())[0]! as unknown as {
      values: { labels: { certificate: string }; value: number }[]
    }
    return Object.fromEntries(values.map(({ labels, value }) => [labels.certificate, value]))
  }
  const { http, kafka } = await told()
  expect(http).toBe(3)
  expect(kafka).toBe(
    (new X509Certificate(readFileSync(first.cert)).validToDate.getTime() - NOW) / 1000,
  )
  now += 5000
  expect(await told()).toEqual({ http: -2, kafka: kafka! - 5 })
})

test('a process serves TLS alone, and shows the next certificate at SIGHUP where it is a good one', async () => {
  const [cert, key] = [at('tls.crt'), at('tls.key')]
  const put = (from: { cert: string; key: string }) => {
    copyFileSync(from.cert, cert)
    copyFileSync(from.key, key)
  }
  put(first)
  const { child, url } = (plumbline = await spawnTarget('all', {
    PLUMBLINE_DATA_DIR: at('data'),
    PLUMBLINE_LOG_LEVEL: 'info',
    ...settings(cert, key),
  }))
  const isReady = () =>
    asked(url, '/health/ready').then(
      ({ text }) => text.includes('"ready"'),
      () => false,
    )
  await until('the process', isReady)
  expect(plumbline.log()).toContain(`"http":"${url.replace('http:', 'https:')}"`)
  await expect(fetch(`${url}/health/live`)).rejects.toThrow()
  expect((await asked(url, '/v1/session', 'POST', '{"key":"any"}')).cookie).toContain('; Secure')
  const inForce = async () => {
    const { subject, text } = await asked(url, '/v1/config')
    return {
      subject,
      tls: (
        JSON.parse(text) as { tls: { subject: string; refused: { problems: string[] } | null } }
      ).tls,
    }
  }
  expect(await inForce()).toMatchObject({
    subject: 'first',
    tls: { subject: 'CN=first', refused: null },
  })

  const { text: metrics } = await asked(url, '/metrics')
  const [, seconds] =
    /^plumbline_certificate_expiry_seconds\{certificate="http"\} (\d+)/m.exec(metrics) ?? []
  expect(Number(seconds)).toBeGreaterThan(DAY / 1000)
  expect(Number(seconds)).toBeLessThanOrEqual((2 * DAY) / 1000)

  copyFileSync(second.cert, cert)
  child.kill('SIGHUP')
  await until('a refusal', async () => (await inForce()).tls.refused !== null)
  expect(await inForce()).toMatchObject({
    subject: 'first',
    tls: { refused: { problems: [expect.stringContaining('is not the key of')] } },
  })

  put(second)
  child.kill('SIGHUP')
  await until('the second', async () => (await inForce()).subject === 'second')
  expect((await inForce()).tls).toMatchObject({ subject: 'CN=second', refused: null })
})
