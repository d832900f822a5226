/** A broker that asks for TLS and logins, with certificates and tokens made for one test. */
import { createSign, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { makeCertificates, tlsExtras, type Certificates } from '../../deploy/local/certificates.ts'
import {
  freePort,
  startKafka,
  whyNoKafka,
  type KafkaExtras,
  type LocalKafka,
} from '../../deploy/local/kafka.ts'

/** An OAuth server: tokens for one client, and the keys that they are checked with. */
export interface TokenServer {
  url: string
  jwksUrl: string
  clientId: string
  clientSecret: string
  /** How many tokens it gave. */
  given: () => number
  /** It answers 503 while this holds. */
  away: boolean
  stop: () => Promise<void>
}

/** @param lifetimeSeconds of its tokens, which brokers take for that of the login too */
export async function startTokenServer(lifetimeSeconds: number): Promise<TokenServer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwks = {
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }],
  }
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const token = () => {
    const now = Math.floor(Date.now() / 1000)
    const head = encoded({ alg: 'RS256', kid: 'one', typ: 'JWT' })
    const body = encoded({
      sub: 'plumbline',
      iat: now,
      exp: now + lifetimeSeconds,
      aud: 'kafka',
      scope: 'kafka',
    })
    const signature = createSign('RSA-SHA256')
      .update(`${head}.${body}`)
      .sign(privateKey, 'base64url')
    return `${head}.${body}.${signature}`
  }
  let given = 0
  const clientSecret = 'oauth-client-secret'
  const server = createServer((request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    if (request.url === '/jwks') return answer(200, jwks)
    if (started.away) return answer(503, {})
    const basic = Buffer.from(`${started.clientId}:${clientSecret}`).toString('base64')
    if (request.headers.authorization !== `Basic ${basic}`)
      return answer(401, { error: 'invalid_client', error_description: 'unknown client' })
    given++
    return answer(200, { access_token: token(), expires_in: lifetimeSeconds, token_type: 'Bearer' })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const started: TokenServer = {
    url: `${url}/token`,
    jwksUrl: `${url}/jwks`,
    clientId: 'plumbline',
    clientSecret,
    given: () => given,
    away: false,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
  return started
}

export const USER = 'ann'
export const PASSWORD = 'the-password-of-ann'

/**
 * A broker with a plain listener, one of SASL over TLS, and one that asks for a client's
 * certificate.
 */
export interface SecureKafka {
  kafka: LocalKafka
  sasl: string
  /** SASL without TLS. */
  saslPlain: string
  mutualTls: string
  certificates: Certificates
  /** SIGKILL, and the same broker again. */
  restart: () => Promise<void>
}

/** Starts the broker; tokens are those of `tokens`. */
export async function startSecureKafka(
  directory: string,
  tokens: TokenServer,
): Promise<SecureKafka> {
  const missing = whyNoKafka()
  if (missing) throw new Error(missing)
  const certificates = makeCertificates(join(directory, 'certificates'))
  const [port, controllerPort] = [await freePort(), await freePort()]
  const [sasl, saslPlain, mutualTls] = [await freePort(), await freePort(), await freePort()]
  const options = {
    directory: join(directory, 'kafka'),
    port,
    controllerPort,
    extra: extrasOf(certificates, tokens, { sasl, saslPlain, mutualTls }),
  }
  const started: SecureKafka = {
    kafka: await startKafka(options),
    sasl: `127.0.0.1:${sasl}`,
    saslPlain: `127.0.0.1:${saslPlain}`,
    mutualTls: `127.0.0.1:${mutualTls}`,
    certificates,
    restart: async () => {
      await started.kafka.kill()
      started.kafka = await startKafka(options)
    },
  }
  return started
}

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']

function extrasOf(
  certificates: Certificates,
  { jwksUrl }: TokenServer,
  ports: { sasl: number; saslPlain: number; mutualTls: number },
): KafkaExtras {
  const security = 'org.apache.kafka.common.security'
  const logins = (listener: string) => {
    const at = `listener.name.${listener}`
    return {
      [`${at}.sasl.enabled.mechanisms`]: MECHANISMS.join(','),
      [`${at}.plain.sasl.jaas.config`]: `${security}.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
      [`${at}.scram-sha-256.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
      [`${at}.scram-sha-512.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
      [`${at}.oauthbearer.sasl.jaas.config`]: `${security}.oauthbearer.OAuthBearerLoginModule required;`,
      [`${at}.oauthbearer.sasl.server.callback.handler.class`]: `${security}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
      [`${at}.sasl.oauthbearer.jwks.endpoint.url`]: jwksUrl,
      // The default one of 4.1 looks at no signature.
      [`${at}.sasl.oauthbearer.jwt.validator.class`]: `${security}.oauthbearer.BrokerJwtValidator`,
      [`${at}.sasl.oauthbearer.expected.audience`]: 'kafka',
      // Each login is good for so long, and is then made again on the connection.
      [`${at}.connections.max.reauth.ms`]: 15_000,
    }
  }
  const tls = tlsExtras(certificates, [
    `SASL_SSL://127.0.0.1:${ports.sasl}`,
    `SASL_PLAINTEXT://127.0.0.1:${ports.saslPlain}`,
    `SSL://127.0.0.1:${ports.mutualTls}`,
  ])
  return {
    ...tls,
    properties: {
      ...tls.properties,
      'listener.name.ssl.ssl.client.auth': 'required',
      ...logins('sasl_ssl'),
      ...logins('sasl_plaintext'),
    },
    javaOptions: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${jwksUrl}`],
    scram: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(
      (mechanism) => `${mechanism}=[name=${USER},password=${PASSWORD}]`,
    ),
  }
}
