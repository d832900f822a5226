/**
 * Every login and certificate that a broker may ask for, through the settings; and what is said
 * where it refuses.
 */
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { writeFileSync } from 'node:fs'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaLog } from '../../../lib/event-log/kafka.ts'
import type { EventLog } from '../../../lib/event-log/port.ts'
import { PlatformConfig } from '../../../lib/platform/platform-config.ts'
import { kafkaProblems, kafkaSecurity } from '../../../lib/platform/kafka-security.ts'
import { readConfig } from '../../../lib/runtime/config.ts'
import { runModules, type Module } from '../../../lib/runtime/modules.ts'
import { TOPICS } from '../../../schemas/topics.ts'
import { temporaryDirectory } from '../../harness.ts'
import { until } from '../../servers/processes.ts'
import {
  PASSWORD,
  startSecureKafka,
  startTokenServer,
  USER,
  type SecureKafka,
  type TokenServer,
} from '../../servers/secure-kafka.ts'

const topic = TOPICS.predictions.topic
const directory = temporaryDirectory()
const passwordFile = join(directory, 'password')
/**
 * Below the broker's 15 s for a login, so that a token decides; its fifth is left when another one
 * is asked for.
 */
const TOKEN_SECONDS = 12
let broker: SecureKafka
let tokens: TokenServer
let logged = ''

type Settings = Record<string, string>

beforeAll(async () => {
  tokens = await startTokenServer(TOKEN_SECONDS)
  broker = await startSecureKafka(directory, tokens)
  writeFileSync(passwordFile, `${PASSWORD}\n`)
}, 120_000)
afterAll(async () => {
  await broker?.kafka.stop()
  await tokens?.stop()
})

const tls = (): Settings => ({
  PLUMBLINE_KAFKA_BROKERS: broker.sasl,
  PLUMBLINE_KAFKA_TLS: 'on',
  PLUMBLINE_KAFKA_CA_FILE: broker.certificates.ca,
})
const byPassword = (mechanism: string, password = PASSWORD): Settings => ({
  ...tls(),
  PLUMBLINE_KAFKA_SASL_MECHANISM: mechanism,
  PLUMBLINE_KAFKA_SASL_USERNAME: USER,
  PLUMBLINE_KAFKA_SASL_PASSWORD: password,
})
const byToken = (secret = tokens.clientSecret): Settings => ({
  ...tls(),
  PLUMBLINE_KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
  PLUMBLINE_KAFKA_OAUTH_TOKEN_URL: tokens.url,
  PLUMBLINE_KAFKA_OAUTH_CLIENT_ID: tokens.clientId,
  PLUMBLINE_KAFKA_OAUTH_CLIENT_SECRET: secret,
  PLUMBLINE_KAFKA_OAUTH_SCOPE: 'kafka',
})
const mutual = (): Settings => ({
  ...tls(),
  PLUMBLINE_KAFKA_BROKERS: broker.mutualTls,
  PLUMBLINE_KAFKA_CERT_FILE: broker.certificates.cert,
  PLUMBLINE_KAFKA_KEY_FILE: broker.certificates.key,
})
function byPasswordFile(): Settings {
  const { PLUMBLINE_KAFKA_SASL_PASSWORD: _, ...rest } = byPassword('SCRAM-SHA-512')
  return { ...rest, PLUMBLINE_KAFKA_SASL_PASSWORD_FILE: passwordFile }
}

const log = pino(
  { level: 'trace' },
  new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      logged += chunk.toString()
      done()
    },
  }),
)

function logOf(settings: Settings): EventLog {
  const config = readConfig(PlatformConfig, settings)
  expect(kafkaProblems(config)).toEqual([])
  return kafkaLog({
    brokers: config.PLUMBLINE_KAFKA_BROKERS!.split(','),
    clientId: 'test',
    topics: Object.values(TOPICS),
    security: kafkaSecurity(config, Date.now),
    naming: { groupPrefix: config.PLUMBLINE_KAFKA_GROUP_PREFIX },
    log,
  })
}

/** A log with a consumer of each kind, and what they were given. */
function consuming(settings: Settings, group: string) {
  const eventLog = logOf(settings)
  const stored: string[] = []
  const hinted: string[] = []
  const ranges = eventLog.ranges({
    topic,
    group,
    mapping: 'm1',
    lastStored: async () => ({ epoch: 0, next: 0 }),
    store: async ({ messages }) => {
      for (const { value } of messages) stored.push(value.toString())
    },
  })
  const wakeUps = eventLog.wakeUps({
    topic: TOPICS.windows.topic,
    group: `${group}-wake-ups`,
    onMessage: async ({ key }) => void hinted.push(key),
  })
  const controller = new AbortController()
  const modules: Module[] = [eventLog.module, ranges, wakeUps.module]
  const running = runModules(modules, controller.signal, log)
  return {
    eventLog,
    stored,
    hinted,
    owns: wakeUps.owns,
    running,
    stop: async () => {
      controller.abort()
      await running
    },
  }
}

const WAYS: Record<string, () => Settings> = {
  'PLAIN over TLS': () => byPassword('PLAIN'),
  'SCRAM-SHA-256 over TLS': () => byPassword('SCRAM-SHA-256'),
  'SCRAM-SHA-512 over TLS, the password in a file': byPasswordFile,
  'OAUTHBEARER over TLS': () => byToken(),
  'a certificate of the client': mutual,
  'SCRAM-SHA-512 without TLS': () => ({
    PLUMBLINE_KAFKA_BROKERS: broker.saslPlain,
    PLUMBLINE_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    PLUMBLINE_KAFKA_SASL_USERNAME: USER,
    PLUMBLINE_KAFKA_SASL_PASSWORD: PASSWORD,
  }),
}

test.each(Object.keys(WAYS))('by %s a log sends, stores and hears', async (way) => {
  const value = `by ${way}`
  const one = consuming(WAYS[way]!(), `group ${way}`)
  try {
    await until('connected', () =>
      one.eventLog.check().then(
        () => true,
        () => false,
      ),
    )
    await until('wake-ups are owned', async () => one.owns('any'))
    // A megabyte: more than a record of TLS, and than a chunk of a socket.
    const long = value + 'x'.repeat(700_000)
    await one.eventLog.append(topic, [
      { key: 'm/one', value },
      { key: 'm/two', value: long },
    ])
    await until('stored', async () => [value, long].every((each) => one.stored.includes(each)))
    // What is sent before a consumer has asked where the topic ends is nobody's.
    await until('heard', async () => {
      await one.eventLog.append(TOPICS.windows.topic, [{ key: way, value: '' }])
      return one.hinted.includes(way)
    })
  } finally {
    await one.stop()
  }
})

test('a token is renewed, and a login made again, while messages come', async () => {
  const one = consuming(byToken(), 'renewed')
  try {
    await until('connected', () =>
      one.eventLog.check().then(
        () => true,
        () => false,
      ),
    )
    const before = tokens.given()
    let sent = 0
    await until('twenty tokens more were given', async () => {
      await one.eventLog.append(topic, [{ key: 'm/renewed', value: `renewed ${sent++}` }])
      return tokens.given() >= before + 20
    })
    await until(
      'all of them are stored',
      async () => new Set(one.stored.filter((value) => value.startsWith('renewed'))).size === sent,
    )
  } finally {
    await one.stop()
  }
})

test('a token server that is away is waited for', async () => {
  tokens.away = true
  const one = consuming(byToken(), 'away')
  try {
    await until('the log says so', async () => logged.includes('gave no token: 503'))
    await expect(one.eventLog.check()).rejects.toThrow('gave no token: 503')
    tokens.away = false
    await until('connected', () =>
      one.eventLog.check().then(
        () => true,
        () => false,
      ),
    )
  } finally {
    tokens.away = false
    await one.stop()
  }
})

const REFUSED: Record<string, { settings: () => Settings; says: RegExp }> = {
  'a wrong password of PLAIN': {
    settings: () => byPassword('PLAIN', 'wrong-password'),
    says: /Kafka at 127\.0\.0\.1:\d+ refused the login of ann \(PLAIN\): .+/,
  },
  'a wrong password of SCRAM-SHA-256': {
    settings: () => byPassword('SCRAM-SHA-256', 'wrong-password'),
    says: /refused the login of ann \(SCRAM-SHA-256\): .+/,
  },
  'a wrong password of SCRAM-SHA-512': {
    settings: () => byPassword('SCRAM-SHA-512', 'wrong-password'),
    says: /refused the login of ann \(SCRAM-SHA-512\): .+/,
  },
  'a wrong secret of the OAuth client': {
    settings: () => byToken('wrong-secret'),
    says: /refused a token for Kafka to plumbline: 401 invalid_client: unknown client/,
  },
  'another CA': {
    settings: () => ({
      ...byPassword('PLAIN'),
      PLUMBLINE_KAFKA_CA_FILE: broker.certificates.otherCa,
    }),
    says: /not signed by a CA that is trusted: name that CA in PLUMBLINE_KAFKA_CA_FILE/,
  },
  'a name that is not in the certificate': {
    settings: () => ({
      ...byPassword('PLAIN'),
      PLUMBLINE_KAFKA_BROKERS: broker.sasl.replace('127.0.0.1', 'localhost'),
    }),
    says: /is for other names than the one in PLUMBLINE_KAFKA_BROKERS/,
  },
  'no certificate where one is asked for': {
    settings: () => ({ ...tls(), PLUMBLINE_KAFKA_BROKERS: broker.mutualTls }),
    says: /or asks for one: check PLUMBLINE_KAFKA_CERT_FILE/,
  },
}

test.each(Object.keys(REFUSED))('%s ends in a sentence', async (name) => {
  const { settings, says } = REFUSED[name]!
  const one = consuming(settings(), `refused ${name}`)
  const error = await one.running.then(
    () => undefined,
    (e: unknown) => e,
  )
  const [failure] = (error as AggregateError).errors as Error[]
  expect((failure!.cause as Error).message).toMatch(says)
})

test('a token that the broker refuses ends in a sentence', async () => {
  const strangers = await startTokenServer(60)
  try {
    const one = consuming(
      { ...byToken(), PLUMBLINE_KAFKA_OAUTH_TOKEN_URL: strangers.url },
      'strange',
    )
    const error = await one.running.then(
      () => undefined,
      (e: unknown) => e,
    )
    const [failure] = (error as AggregateError).errors as Error[]
    expect((failure!.cause as Error).message).toMatch(
      /refused the login of plumbline \(OAUTHBEARER\): .*invalid_token/,
    )
  } finally {
    await strangers.stop()
  }
})

test.each([
  'no TLS where it is spoken',
  'TLS where it is not',
  'no login where one is asked for',
  'a login where none is asked for',
])('%s is told in the log, and tried again', async (name) => {
  const settings: Record<string, Settings> = {
    'no TLS where it is spoken': { PLUMBLINE_KAFKA_BROKERS: broker.mutualTls },
    'TLS where it is not': { ...tls(), PLUMBLINE_KAFKA_BROKERS: broker.kafka.brokers },
    'no login where one is asked for': tls(),
    'a login where none is asked for': { ...byPassword('PLAIN'), ...mutual() },
  }
  const from = logged.length
  const one = consuming(settings[name]!, `told ${name}`)
  try {
    await until('the log names the settings', async () =>
      /\(a listener .*PLUMBLINE_KAFKA_(TLS|SASL_MECHANISM)|speaks TLS/.test(logged.slice(from)),
    )
  } finally {
    await one.stop()
  }
})

test('no secret is in the log', () => {
  for (const secret of [PASSWORD, tokens.clientSecret, 'wrong-password', 'wrong-secret', 'eyJ'])
    expect(logged).not.toContain(secret)
})
