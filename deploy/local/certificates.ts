/** Certificates for a broker on loopback, made for one run; needs `openssl`. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KafkaExtras } from './kafka.ts'

/** Certificates in PEM, by path. */
export interface Certificates {
  ca: string
  /** Key and certificate of the broker in one file. */
  broker: string
  cert: string
  key: string
  /** A CA that signed none of them. */
  otherCa: string
}

/** Makes a CA, and what it signs: a broker on loopback, and a client. */
export function makeCertificates(directory: string): Certificates {
  mkdirSync(directory, { recursive: true })
  const at = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  for (const ca of ['ca', 'other'])
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '2',
      '-subj',
      `/CN=${ca}`,
      '-keyout',
      at(`${ca}.key`),
      '-out',
      at(`${ca}.pem`),
    )
  const signed = (name: string, extensions: string) => {
    writeFileSync(at(`${name}.ext`), extensions)
    openssl(
      'req',
      ...newKey,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.csr`),
    )
    openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      at(`${name}.ext`),
      '-out',
      at(`${name}.pem`),
    )
  }
  signed('broker', 'subjectAltName=IP:127.0.0.1')
  signed('client', 'extendedKeyUsage=clientAuth')
  const both = readFileSync(at('broker.key'), 'utf8') + readFileSync(at('broker.pem'), 'utf8')
  writeFileSync(at('broker.both'), both)
  return {
    ca: at('ca.pem'),
    broker: at('broker.both'),
    cert: at('client.pem'),
    key: at('client.key'),
    otherCa: at('other.pem'),
  }
}

/** What a broker listens on and with over TLS, beside its plain listener. */
export function tlsExtras({ broker, ca }: Certificates, listeners: readonly string[]) {
  return {
    listeners,
    properties: {
      'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', ...PROTOCOLS].join(','),
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': broker,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': ca,
    },
  } satisfies KafkaExtras
}

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'].map(
  (name) => `${name}:${name}`,
)
