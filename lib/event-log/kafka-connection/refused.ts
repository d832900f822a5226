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
}

const UNTRUSTED =
  'the certificate of Kafka is not signed by a CA that is trusted: name that CA in PLUMBLINE_KAFKA_CA_FILE'
const CLIENT_CERTIFICATE =
  'Kafka did not take our certificate, or asks for one: check PLUMBLINE_KAFKA_CERT_FILE and PLUMBLINE_KAFKA_KEY_FILE'
/**
 * What brokers answer about a client's certificate; the code's beginning differs between releases
 * of OpenSSL.
 */
const CERTIFICATE_ALERT =
  /^ERR_SSL_.*ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_(?:REQUIRED|UNKNOWN|EXPIRED|REVOKED)|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA)$/

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
}

const meaningOf = (code: string): string | undefined =>
  CERTIFICATE_ALERT.test(code) ? CLIENT_CERTIFICATE : TLS_ERRORS[code]

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
    const tls = typeof code === 'string' ? meaningOf(code) : undefined
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

/** What may lie behind an error that says little, in brackets; empty for others. */
export function hintFor(error: unknown): string {
  for (let e = error; e instanceof Error; e = e.cause) {
    if ((e as KafkaError).type === 'ILLEGAL_SASL_STATE')
      return ' (a listener that asks for no login answers so: PLUMBLINE_KAFKA_SASL_MECHANISM)'
    if (e.name === 'KafkaJSConnectionClosedError' || (e as KafkaError).code === 'ECONNRESET')
      return ' (a listener that wants TLS, or a login, or neither, closes connections so: PLUMBLINE_KAFKA_TLS, PLUMBLINE_KAFKA_SASL_MECHANISM)'
  }
  return ''
}
