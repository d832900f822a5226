/** What settings of Kafka are refused, each with one sentence. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCertificates, type Certificates } from '../../deploy/local/certificates.ts'
import { readConfig } from '../runtime/config.ts'
import { kafkaProblems, kafkaSecurity } from './kafka-security.ts'
import { PlatformConfig } from './platform-config.ts'

const directory = mkdtempSync(join(tmpdir(), 'plumbline-'))
let files: Certificates
beforeAll(() => {
  files = makeCertificates(join(directory, 'certificates'))
  writeFileSync(join(directory, 'empty'), '')
  writeFileSync(join(directory, 'secret'), 'from a file\r\n')
})
afterAll(() => rmSync(directory, { recursive: true }))

type Settings = Record<string, string>

/** The settings with their common beginning left out. */
const config = (settings: Settings) =>
  readConfig(
    PlatformConfig,
    Object.fromEntries(
      Object.entries({ BROKERS: 'kafka:9093', ...settings }).map(([name, value]) => [
        `PLUMBLINE_KAFKA_${name}`,
        value,
      ]),
    ),
  )

const SCRAM = { SASL_MECHANISM: 'SCRAM-SHA-512', SASL_USERNAME: 'ann', SASL_PASSWORD: 'secret' }
const OAUTH = {
  SASL_MECHANISM: 'OAUTHBEARER',
  OAUTH_TOKEN_URL: 'https://id/token',
  OAUTH_CLIENT_ID: 'us',
  OAUTH_CLIENT_SECRET: 'secret',
}
const MSK = { TLS: 'on', SASL_MECHANISM: 'AWS_MSK_IAM' }
const MSK_BROKER = 'b-1.demo.abc.c2.kafka.eu-central-1.amazonaws.com:9098'

const at = (name: string) => join(directory, name)
const WRONG: Record<string, () => { settings: Settings; says: RegExp }> = {
  'no port': () => ({
    settings: { BROKERS: 'kafka,b:9092' },
    says: /BROKERS holds "kafka", which is not host:port/,
  }),
  'a login without brokers': () => ({
    settings: { ...SCRAM, BROKERS: '' },
    says: /SASL_MECHANISM is set, but PLUMBLINE_KAFKA_BROKERS is not/,
  }),
  'a CA without TLS': () => ({
    settings: { CA_FILE: files.ca },
    says: /CA_FILE is set, but PLUMBLINE_KAFKA_TLS is off/,
  }),
  'a file that is not there': () => ({
    settings: { TLS: 'on', CA_FILE: '/nowhere.pem' },
    says: /CA_FILE cannot be read: ENOENT/,
  }),
  'an empty file': () => ({
    settings: { TLS: 'on', CA_FILE: at('empty') },
    says: /CA_FILE is an empty file/,
  }),
  'a CA that is a key': () => ({
    settings: { TLS: 'on', CA_FILE: files.key },
    says: /CA_FILE holds no certificate in PEM/,
  }),
  'a certificate without its key': () => ({
    settings: { TLS: 'on', CERT_FILE: files.cert },
    says: /CERT_FILE is set, but PLUMBLINE_KAFKA_KEY_FILE is not/,
  }),
  'the key of another certificate': () => ({
    settings: { TLS: 'on', CERT_FILE: files.ca, KEY_FILE: files.key },
    says: /KEY_FILE is not the key of PLUMBLINE_KAFKA_CERT_FILE, or has a passphrase/,
  }),
  'a login without its mechanism': () => ({
    settings: { SASL_USERNAME: 'ann' },
    says: /SASL_USERNAME is set, but PLUMBLINE_KAFKA_SASL_MECHANISM is not/,
  }),
  'no password': () => ({
    settings: { ...SCRAM, SASL_PASSWORD: '' },
    says: /SASL_PASSWORD or PLUMBLINE_KAFKA_SASL_PASSWORD_FILE is required by the mechanism SCRAM-SHA-512/,
  }),
  'two passwords': () => ({
    settings: { ...SCRAM, SASL_PASSWORD_FILE: at('secret') },
    says: /SASL_PASSWORD and PLUMBLINE_KAFKA_SASL_PASSWORD_FILE are both set/,
  }),
  'a setting of another mechanism': () => ({
    settings: { ...SCRAM, OAUTH_SCOPE: 'kafka' },
    says: /OAUTH_SCOPE is set, but the mechanism SCRAM-SHA-512 does not use it/,
  }),
  'no address for tokens': () => ({
    settings: { ...OAUTH, OAUTH_TOKEN_URL: '' },
    says: /OAUTH_TOKEN_URL is required by the mechanism OAUTHBEARER/,
  }),
  'MSK without TLS': () => ({
    settings: { ...MSK, TLS: 'off', AWS_REGION: 'eu-central-1' },
    says: /TLS must be on for the mechanism AWS_MSK_IAM/,
  }),
  'MSK without a region': () => ({ settings: MSK, says: /AWS_REGION is required/ }),
}

test.each(Object.keys(WRONG))('%s is one sentence', (name) => {
  const { settings, says } = WRONG[name]!()
  const problems = kafkaProblems(config(settings))
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(says)
})

test('a mechanism that there is not is told with those that there are', () => {
  expect(() => config({ SASL_MECHANISM: 'GSSAPI' })).toThrow(
    /PLUMBLINE_KAFKA_SASL_MECHANISM must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, AWS_MSK_IAM/,
  )
})

test('what fits together is taken', () => {
  for (const settings of [
    {},
    { BROKERS: 'a:1,[::1]:9092,c.example:9094' },
    { TLS: 'on' },
    { TLS: 'on', CA_FILE: files.ca, CERT_FILE: files.cert, KEY_FILE: files.key },
    SCRAM,
    { ...OAUTH, OAUTH_EXTENSIONS: 'logicalCluster=lkc-1,identityPoolId=pool-1' },
    { ...MSK, BROKERS: MSK_BROKER },
  ])
    expect(kafkaProblems(config(settings))).toEqual([])
})

test('a password in a file is read at each login, without the end of its line', () => {
  const { SASL_PASSWORD: _, ...rest } = SCRAM
  const { login } = kafkaSecurity(config({ ...rest, SASL_PASSWORD_FILE: at('secret') }), Date.now)
  const password = () => (login && 'password' in login ? login.password() : undefined)
  expect(password()).toBe('from a file')
  writeFileSync(at('secret'), 'another')
  expect(password()).toBe('another')
})

test('extensions go with a token', () => {
  const { login } = kafkaSecurity(
    config({ ...OAUTH, OAUTH_EXTENSIONS: 'logicalCluster=lkc-1,identityPoolId=pool-1' }),
    Date.now,
  )
  expect(login).toMatchObject({
    extensions: { logicalCluster: 'lkc-1', identityPoolId: 'pool-1' },
  })
})
