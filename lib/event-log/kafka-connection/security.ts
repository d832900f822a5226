/** How a client of Kafka is secured: TLS, and the login. */
import type { ConnectionOptions } from 'node:tls'

/** Certificates in PEM; without a CA those that Node trusts. */
export interface KafkaTls {
  ca?: string | undefined
  /** The client's own certificate and its key, for brokers that ask for one. */
  cert?: string | undefined
  key?: string | undefined
}

/**
 * A login with a name and a password; the password is read at each login, so that a file may
 * change.
 */
export interface PasswordLogin {
  mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  username: string
  password: () => string
}

/** A login with a token: of OAuth, or one that AWS signs for MSK. */
export interface TokenLogin {
  mechanism: 'OAUTHBEARER' | 'AWS_MSK_IAM'
  /** Who logs in, for messages. */
  username: string
  /**
   * A token that is valid for a while yet.
   *
   * @throws {KafkaRefused} where whoever gives tokens refuses; any other error where it may give
   *   one later
   */
  token: () => Promise<string>
  /** SASL extensions, such as Confluent's `logicalCluster`. */
  extensions?: Readonly<Record<string, string>>
}

/** How a client logs in: the mechanism, and what it needs. */
export type KafkaLogin = PasswordLogin | TokenLogin

/** Neither TLS nor a login where absent. */
export interface KafkaSecurity {
  tls?: KafkaTls | undefined
  login?: KafkaLogin | undefined
}

/** The options of a TLS connection, without what is unset. */
export const tlsOptions = ({ ca, cert, key }: KafkaTls): ConnectionOptions => ({
  ...(ca !== undefined && { ca }),
  ...(cert !== undefined && { cert }),
  ...(key !== undefined && { key }),
})
