/** The certificate of the HTTP port: read from its files, checked, and read anew when told to. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from '../runtime/config.ts'
import { messageOf } from '../runtime/errors.ts'

const CERT = 'PLUMBLINE_TLS_CERT_FILE'
const KEY = 'PLUMBLINE_TLS_KEY_FILE'

/** The settings that name the files. */
export interface CertificateSettings {
  PLUMBLINE_TLS_CERT_FILE?: string
  PLUMBLINE_TLS_KEY_FILE?: string
}

/** A certificate with its private key, as PEM, and what it says of itself. */
export interface ServerCertificate {
  cert: string
  key: string
  subject: string
  /** Time from which the certificate holds, epoch milliseconds; `validTo` is the end. */
  validFrom: number
  validTo: number
}

/**
 * Reads and checks the certificate that the settings name.
 *
 * @param now epoch milliseconds
 * @returns undefined where they name none
 * @throws {ConfigError} with one sentence: one file without the other, a file that is absent or
 *   holds something else, two that are no pair, a certificate that does not hold now
 */
export function readServerCertificate(
  settings: CertificateSettings,
  now: number,
): ServerCertificate | undefined {
  const { [CERT]: certFile, [KEY]: keyFile } = settings
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined)
    throw new ConfigError([`${CERT} and ${KEY} belong together, and only one of them is set`])
  const cert = contentOf(CERT, certFile)
  const key = contentOf(KEY, keyFile)
  const certificate = certificateOf(cert, certFile)
  if (!certificate.checkPrivateKey(privateKeyOf(key, keyFile)))
    throw new ConfigError([
      `${KEY} ${keyFile} is not the key of the certificate in ${CERT} ${certFile}`,
    ])
  const validFrom = Date.parse(certificate.validFrom)
  const validTo = Date.parse(certificate.validTo)
  if (now > validTo)
    throw new ConfigError([`${CERT} ${certFile} expired at ${new Date(validTo).toISOString()}`])
  if (now < validFrom)
    throw new ConfigError([
      `${CERT} ${certFile} holds from ${new Date(validFrom).toISOString()} on only`,
    ])
  return { cert, key, subject: certificate.subject.replaceAll('\n', ', '), validFrom, validTo }
}

function contentOf(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError([`${name} cannot be read: ${messageOf(error)}`])
  }
}

function certificateOf(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw new ConfigError([`${CERT} ${path} begins with no certificate in PEM`])
  }
}

function privateKeyOf(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new ConfigError([`${KEY} ${path} holds no private key in PEM without a passphrase`])
  }
}
