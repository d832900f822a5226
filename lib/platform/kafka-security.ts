/**
 * TLS and the login of Kafka from the settings: what does not fit together is told, what they name
 * is read.
 */
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { X509Certificate } from 'node:crypto'
import { mskToken } from '../event-log/kafka-connection/msk-token.ts'
import { requestToken } from '../event-log/kafka-connection/oauth-token.ts'
import { tokenCache } from '../event-log/kafka-connection/token-cache.ts'
import type { KafkaLogin, KafkaSecurity, KafkaTls } from '../event-log/kafka-connection/security.ts'
import { messageOf } from '../runtime/errors.ts'
import type { PlatformConfig } from './platform-config.ts'

type Name = keyof PlatformConfig & `PLUMBLINE_KAFKA_${string}`

const TLS_FILES = [
  'PLUMBLINE_KAFKA_CA_FILE',
  'PLUMBLINE_KAFKA_CERT_FILE',
  'PLUMBLINE_KAFKA_KEY_FILE',
] as const

/** A secret: given as it is, or by a file. */
interface Secret {
  value: Name
  file: Name
}
const PASSWORD: Secret = {
  value: 'PLUMBLINE_KAFKA_SASL_PASSWORD',
  file: 'PLUMBLINE_KAFKA_SASL_PASSWORD_FILE',
}
const CLIENT_SECRET: Secret = {
  value: 'PLUMBLINE_KAFKA_OAUTH_CLIENT_SECRET',
  file: 'PLUMBLINE_KAFKA_OAUTH_CLIENT_SECRET_FILE',
}

/** What a group of mechanisms must be told, may be told, and which secret is its own. */
interface LoginSettings {
  mechanisms: readonly string[]
  required: readonly Name[]
  optional: readonly Name[]
  secret?: Secret
}
const LOGINS: readonly LoginSettings[] = [
  {
    mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
    required: ['PLUMBLINE_KAFKA_SASL_USERNAME'],
    optional: [],
    secret: PASSWORD,
  },
  {
    mechanisms: ['OAUTHBEARER'],
    required: ['PLUMBLINE_KAFKA_OAUTH_TOKEN_URL', 'PLUMBLINE_KAFKA_OAUTH_CLIENT_ID'],
    optional: ['PLUMBLINE_KAFKA_OAUTH_SCOPE', 'PLUMBLINE_KAFKA_OAUTH_EXTENSIONS'],
    secret: CLIENT_SECRET,
  },
  { mechanisms: ['AWS_MSK_IAM'], required: [], optional: ['PLUMBLINE_KAFKA_AWS_REGION'] },
]

/**
 * A sentence for each setting of Kafka that is wrong, or does not fit the others; files are looked
 * at.
 */
export function kafkaProblems(config: PlatformConfig): string[] {
  if (config.PLUMBLINE_KAFKA_BROKERS === undefined)
    return [...TLS_FILES, 'PLUMBLINE_KAFKA_SASL_MECHANISM' as const]
      .filter((name) => config[name] !== undefined)
      .map((name) => `${name} is set, but PLUMBLINE_KAFKA_BROKERS is not`)
  return [
    ...brokerProblems(config.PLUMBLINE_KAFKA_BROKERS),
    ...tlsProblems(config),
    ...loginProblems(config),
  ]
}

const brokerProblems = (brokers: string): string[] =>
  brokers
    .split(',')
    .filter((broker) => !/^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/.test(broker))
    .map((broker) => `PLUMBLINE_KAFKA_BROKERS holds "${broker}", which is not host:port`)

function tlsProblems(config: PlatformConfig): string[] {
  const named = TLS_FILES.filter((name) => config[name] !== undefined)
  if (config.PLUMBLINE_KAFKA_TLS === 'off')
    return named.map((name) => `${name} is set, but PLUMBLINE_KAFKA_TLS is off: set it to on`)
  const unreadable = named.flatMap((name) => fileProblem(config, name))
  if (unreadable.length > 0) return unreadable
  const { PLUMBLINE_KAFKA_CERT_FILE: cert, PLUMBLINE_KAFKA_KEY_FILE: key } = config
  if ((cert === undefined) !== (key === undefined))
    return [
      cert === undefined
        ? 'PLUMBLINE_KAFKA_KEY_FILE is set, but PLUMBLINE_KAFKA_CERT_FILE is not'
        : 'PLUMBLINE_KAFKA_CERT_FILE is set, but PLUMBLINE_KAFKA_KEY_FILE is not',
    ]
  return [...caProblems(config), ...certificateProblems(config)]
}

function caProblems(config: PlatformConfig): string[] {
  const { ca } = kafkaTls(config)
  if (ca === undefined) return []
  return asCertificate('PLUMBLINE_KAFKA_CA_FILE', ca).problems
}

function certificateProblems(config: PlatformConfig): string[] {
  const { cert, key } = kafkaTls(config)
  if (cert === undefined || key === undefined) return []
  const { problems, certificate } = asCertificate('PLUMBLINE_KAFKA_CERT_FILE', cert)
  if (!certificate) return problems
  if (certificate.validToDate < new Date())
    return [`PLUMBLINE_KAFKA_CERT_FILE has expired: ${certificate.validTo}`]
  try {
    createSecureContext({ cert, key })
    return []
  } catch (error) {
    return [
      `PLUMBLINE_KAFKA_KEY_FILE is not the key of PLUMBLINE_KAFKA_CERT_FILE, or has a passphrase: ${messageOf(error)}`,
    ]
  }
}

function asCertificate(
  name: Name,
  pem: string,
): { problems: string[]; certificate?: X509Certificate } {
  try {
    return { problems: [], certificate: new X509Certificate(pem) }
  } catch {
    return { problems: [`${name} holds no certificate in PEM`] }
  }
}

function loginProblems(config: PlatformConfig): string[] {
  const mechanism = config.PLUMBLINE_KAFKA_SASL_MECHANISM
  const own = LOGINS.find(({ mechanisms }) => mechanisms.includes(mechanism ?? ''))
  const foreign = LOGINS.filter((login) => login !== own)
    .flatMap(namesOf)
    .filter((name) => config[name] !== undefined)
    .map((name) =>
      mechanism === undefined
        ? `${name} is set, but PLUMBLINE_KAFKA_SASL_MECHANISM is not`
        : `${name} is set, but the mechanism ${mechanism} does not use it`,
    )
  if (!own) return foreign
  const missing = own.required
    .filter((name) => config[name] === undefined)
    .map((name) => `${name} is required by the mechanism ${mechanism}`)
  return [...foreign, ...missing, ...secretProblems(config, own), ...mskProblems(config)]
}

const namesOf = ({ required, optional, secret }: LoginSettings): Name[] => [
  ...required,
  ...optional,
  ...(secret ? [secret.value, secret.file] : []),
]

function secretProblems(config: PlatformConfig, { secret }: LoginSettings): string[] {
  if (!secret) return []
  const { value, file } = secret
  if (config[value] !== undefined && config[file] !== undefined)
    return [`${value} and ${file} are both set: one of them is enough`]
  if (config[file] !== undefined) return fileProblem(config, file)
  if (config[value] !== undefined) return []
  return [
    `${value} or ${file} is required by the mechanism ${config.PLUMBLINE_KAFKA_SASL_MECHANISM}`,
  ]
}

function mskProblems(config: PlatformConfig): string[] {
  if (config.PLUMBLINE_KAFKA_SASL_MECHANISM !== 'AWS_MSK_IAM') return []
  return [
    ...(config.PLUMBLINE_KAFKA_TLS === 'off'
      ? ['PLUMBLINE_KAFKA_TLS must be on for the mechanism AWS_MSK_IAM']
      : []),
    ...(regionOf(config) === undefined
      ? ['PLUMBLINE_KAFKA_AWS_REGION is required: the first broker’s name holds no region']
      : []),
  ]
}

function fileProblem(config: PlatformConfig, name: Name): string[] {
  try {
    return readText(config, name) === '' ? [`${name} is an empty file`] : []
  } catch (error) {
    return [`${name} cannot be read: ${messageOf(error)}`]
  }
}

const readText = (config: PlatformConfig, name: Name) =>
  readFileSync(String(config[name]), 'utf8').replace(/\r?\n$/, '')

const kafkaTls = (config: PlatformConfig): KafkaTls => {
  const read = (name: Name) => (config[name] === undefined ? undefined : readText(config, name))
  return {
    ca: read('PLUMBLINE_KAFKA_CA_FILE'),
    cert: read('PLUMBLINE_KAFKA_CERT_FILE'),
    key: read('PLUMBLINE_KAFKA_KEY_FILE'),
  }
}

/** Reads the value of a secret whenever it is asked for. */
const secretOf =
  (config: PlatformConfig, { value, file }: Secret) =>
  (): string =>
    config[file] === undefined ? String(config[value]) : readText(config, file)

/** Region in the name of an MSK broker: `b-1.demo.abc123.c2.kafka.eu-central-1.amazonaws.com`. */
const regionOf = ({
  PLUMBLINE_KAFKA_AWS_REGION: region,
  PLUMBLINE_KAFKA_BROKERS: brokers = '',
}: PlatformConfig) =>
  region ?? /\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com/.exec(brokers)?.[1]

/**
 * TLS and login as the settings say.
 *
 * @param config without {@link kafkaProblems}
 */
export function kafkaSecurity(config: PlatformConfig, now: () => number): KafkaSecurity {
  return {
    tls: config.PLUMBLINE_KAFKA_TLS === 'on' ? kafkaTls(config) : undefined,
    login: kafkaLogin(config, now),
  }
}

function kafkaLogin(config: PlatformConfig, now: () => number): KafkaLogin | undefined {
  const mechanism = config.PLUMBLINE_KAFKA_SASL_MECHANISM
  if (mechanism === undefined) return undefined
  if (mechanism === 'OAUTHBEARER') return oauthLogin(config, now)
  if (mechanism === 'AWS_MSK_IAM') {
    const region = regionOf(config)!
    return {
      mechanism,
      username: `AWS in ${region}`,
      token: tokenCache(() => mskToken(region), now),
    }
  }
  return {
    mechanism,
    username: config.PLUMBLINE_KAFKA_SASL_USERNAME!,
    password: secretOf(config, PASSWORD),
  }
}

function oauthLogin(config: PlatformConfig, now: () => number): KafkaLogin {
  const client = {
    tokenUrl: config.PLUMBLINE_KAFKA_OAUTH_TOKEN_URL!,
    clientId: config.PLUMBLINE_KAFKA_OAUTH_CLIENT_ID!,
    clientSecret: secretOf(config, CLIENT_SECRET),
    scope: config.PLUMBLINE_KAFKA_OAUTH_SCOPE,
  }
  return {
    mechanism: 'OAUTHBEARER',
    username: client.clientId,
    token: tokenCache(() => requestToken(client, now), now),
    extensions: extensionsOf(config.PLUMBLINE_KAFKA_OAUTH_EXTENSIONS),
  }
}

const extensionsOf = (text = ''): Record<string, string> =>
  Object.fromEntries(
    text
      .split(',')
      .filter((pair) => pair !== '')
      .map((pair) => pair.split('=') as [string, string]),
  )
