/** The certificate in force of the HTTP port, and the next one where its files hold a good one. */
import {
  readServerCertificate,
  type CertificateSettings,
  type ServerCertificate,
} from '../../http/server-certificate.ts'
import { ConfigError } from '../../runtime/config.ts'
import type { Logger } from '../../runtime/log.ts'

/** What is in force, and the last reading where it was refused; times are epoch milliseconds. */
export interface CertificateInForce extends Pick<
  ServerCertificate,
  'subject' | 'validFrom' | 'validTo'
> {
  refused: { at: number; problems: readonly string[] } | undefined
}

/** A certificate as its files change. */
export interface LiveCertificate {
  /** The one that the server begins with; undefined for plain HTTP. */
  begin: ServerCertificate | undefined
  /** Reads the files; shows what they hold, or logs why not and keeps the one in force. */
  reload: (show: (certificate: ServerCertificate) => void) => void
  /** Undefined for plain HTTP. */
  inForce: () => CertificateInForce | undefined
}

/**
 * Reads the certificate that the settings name.
 *
 * @throws {ConfigError} with one sentence, at the first reading only
 */
export function liveCertificate(
  settings: CertificateSettings,
  log: Logger,
  now: () => number,
): LiveCertificate {
  const begin = readServerCertificate(settings, now())
  let current = begin
  let refused: CertificateInForce['refused']
  return {
    begin,
    reload: (show) => {
      try {
        const next = readServerCertificate(settings, now())
        refused = undefined
        if (!next || (next.cert === current?.cert && next.key === current.key)) return
        show(next)
        current = next
        log.info(
          { subject: next.subject, valid_to: new Date(next.validTo).toISOString() },
          'certificate loaded',
        )
      } catch (error) {
        const problems = error instanceof ConfigError ? error.problems : [String(error)]
        refused = { at: now(), problems }
        log.error({ problems }, 'certificate refused: the one loaded before stays in force')
      }
    },
    inForce: () => {
      if (!current) return undefined
      const { subject, validFrom, validTo } = current
      return { subject, validFrom, validTo, refused }
    },
  }
}
