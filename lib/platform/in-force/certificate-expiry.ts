/** How long the certificates that this process shows to others still hold. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Gauge, type Registry } from 'prom-client'
import type { PlatformConfig } from '../platform-config.ts'

/** Certificates that are shown to servers, which are read once, by the setting of their file. */
const OF_CLIENTS = [
  ['kafka', 'PLUMBLINE_KAFKA_CERT_FILE'],
  ['schema_registry', 'PLUMBLINE_SCHEMA_REGISTRY_CERT_FILE'],
] as const

/** The settings that name those files. */
export type ClientCertificates = Pick<PlatformConfig, (typeof OF_CLIENTS)[number][1]>

/** What the gauge is made with. */
export interface ExpiryParts {
  registry: Registry
  /** When the certificate of the HTTP port ends, epoch milliseconds; undefined for plain HTTP. */
  ofServer: () => number | undefined
  /** Epoch milliseconds. */
  now: () => number
}

/**
 * Adds `plumbline_certificate_expiry_seconds`, with a series for each certificate that there is. The
 * files have been checked before.
 */
export function tellExpiries(settings: ClientCertificates, parts: ExpiryParts): void {
  const ofClients = OF_CLIENTS.flatMap(([name, setting]) => {
    const file = settings[setting]
    return file === undefined ? [] : [{ name, end: endOf(file) }]
  })
  new Gauge({
    name: 'plumbline_certificate_expiry_seconds',
    help: 'Seconds until a certificate that this process shows ends: that of the HTTP port (http), and those shown to servers.',
    labelNames: ['certificate'],
    registers: [parts.registry],
    collect() {
      const tell = (certificate: string, end: number) =>
        this.set({ certificate }, (end - parts.now()) / 1000)
      for (const { name, end } of ofClients) tell(name, end)
      const server = parts.ofServer()
      if (server !== undefined) tell('http', server)
    },
  })
}

const endOf = (file: string): number => Date.parse(new X509Certificate(readFileSync(file)).validTo)
