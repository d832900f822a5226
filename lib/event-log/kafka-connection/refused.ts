/** What no further attempt mends: a login that Kafka refuses, a certificate that is not trusted. */

/** A login was refused; the message is the whole sentence, and holds no secret. */
export class KafkaRefused extends Error {
  /** What kafkajs asks. */
  readonly retriable = false
  constructor(sentence: string) {
    super(sentence)
    this.name = 'KafkaRefused'
  }
}

/** What Kafka's own errors say about a login, by their type. */
const LOGIN_ERRORS: Readonly<Record<string, string>> = {
  UNSUPPORTED_SASL_MECHANISM:
    'Kafka does not offer the mechanism of PLUMBLINE_KAFKA_SASL_MECHANISM on this listener',
  SASL_AUTHENTICATION_FAILED: 'Kafka refused the login',
  ILLEGAL_SASL_STATE:
    'Kafka asks for no login on this listener: unset PLUMBLINE_KAFKA_SASL_MECHANISM, or name the port that does',
}

const UNTRUSTED =
  'the certificate of Kafka is not signed by a CA that is trusted: name that CA in PLUMBLINE_KAFKA_CA_FILE'
const CLIENT_CERTIFICATE =
  'Kafka did not take our certificate: check PLUMBLINE_KAFKA_CERT_FILE and PLUMBLINE_KAFKA_KEY_FILE'

/** What errors of a TLS handshake mean, by their code. */
const TLS_ERRORS: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  CERT_HAS_EXPIRED: 'the certificate of Kafka has expired',
  CERT_NOT_YET_VALID: 'the certificate of Kafka is not valid yet: compare the clocks',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate of Kafka is for other names than the one in PLUMBLINE_KAFKA_BROKERS, or than its brokers advertise',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'Kafka asks for a certificate of ours: name it in PLUMBLINE_KAFKA_CERT_FILE and PLUMBLINE_KAFKA_KEY_FILE',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: CLIENT_CERTIFICATE,
}

/** The members of an error of kafkajs that are looked at. */
interface KafkaError extends Error {
  type?: string
  code?: string | number
  broker?: string
}

/**
 * Why Kafka will not have us, as one sentence, from an error of kafkajs and whatever it wraps.
 *
 * @returns undefined where another attempt may succeed
 */
export function refusalIn(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e instanceof KafkaRefused) return e.message
    const { type, code, broker, message } = e as KafkaError
    const login = type === undefined ? undefined : LOGIN_ERRORS[type]
    if (login) return `${login}: ${message}`
    const tls = typeof code === 'string' ? TLS_ERRORS[code] : undefined
    if (tls) return `${tls} (${broker ?? 'a broker'}: ${code})`
  }
  return undefined
}

/** Whether an error of kafkajs, or what it wraps, says that we may not do what we asked for. */
export function isUnauthorized(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause)
    if ((e as KafkaError).type?.endsWith('_AUTHORIZATION_FAILED')) return true
  return false
}

/** What may lie behind a connection that Kafka closes without a word; empty for other errors. */
export function hintFor(error: unknown): string {
  for (let e = error; e instanceof Error; e = e.cause)
    if (e.name === 'KafkaJSConnectionClosedError' || (e as KafkaError).code === 'ECONNRESET')
      return ' (a listener that wants TLS, or a login, or neither, closes connections so: PLUMBLINE_KAFKA_TLS, PLUMBLINE_KAFKA_SASL_MECHANISM)'
  return ''
}
