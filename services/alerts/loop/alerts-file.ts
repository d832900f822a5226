/** The file of alerts: read and checked at a start, and again when it changes. */
import { createHash } from 'node:crypto'
import { Gauge, type Registry } from 'prom-client'
import type { OutgoingTls } from '../../../lib/http/outgoing/guarded-fetch.ts'
import type { SecretOf } from '../../../lib/models/secret-references.ts'
import { ConfigError } from '../../../lib/runtime/config.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import { fileSignature } from '../../../lib/runtime/reload/folder-signature.ts'
import {
  liveReading,
  type LiveReading,
  type Reading,
} from '../../../lib/runtime/reload/live-reading.ts'
import { writtenText } from '../../../lib/runtime/reload/written-file.ts'
import { yamlIn } from '../../../lib/runtime/yaml.ts'
import type { AlertsFile, Receiver } from '../../../schemas/alerts-file.ts'
import { crossProblems, hasShape, shapeProblems } from '../decide/file-problems.ts'

/** A file of alerts that holds no problem. */
export interface LoadedAlerts {
  file: AlertsFile
  /** TLS settings by the name of the receiver that has them. */
  tls: ReadonlyMap<string, OutgoingTls>
  /** Hash of the file's text and of the files it names; 16 hex digits. */
  revision: string
}

/**
 * Reads the file of alerts.
 *
 * @param hasLinks whether there are keys for links by which approvers answer
 * @throws {ConfigError} with every problem, each as a sentence that begins with the path
 */
export function readAlertsFile(path: string, secretOf: SecretOf, hasLinks = false): LoadedAlerts {
  try {
    const text = writtenText(path)
    const file = yamlIn(text)
    const shape = shapeProblems(file)
    if (!hasShape(file)) throw new ConfigError(shape)
    const problems = crossProblems(file, secretOf, hasLinks)
    const tls = tlsOf(file.receivers, problems)
    if (problems.length > 0) throw new ConfigError(problems)
    const hash = createHash('sha256')
      .update(text)
      .update(JSON.stringify([...tls]))
    return { file, tls, revision: hash.digest('hex').slice(0, 16) }
  } catch (error) {
    const found = error instanceof ConfigError ? error.problems : [messageOf(error)]
    throw new ConfigError(found.map((problem) => `${path}: ${problem}`))
  }
}

function tlsOf(receivers: readonly Receiver[], problems: string[]): Map<string, OutgoingTls> {
  const pem = (key: string, path: string | undefined) => {
    if (path === undefined) return undefined
    try {
      const text = writtenText(path)
      if (text.includes('-----BEGIN ')) return text
      problems.push(`${key}: ${path} is no PEM`)
    } catch (error) {
      problems.push(`${key}: ${path} ${messageOf(error)}`)
    }
    return undefined
  }
  const all = receivers.flatMap(({ name, tls }, i): [string, OutgoingTls][] => {
    if (!tls) return []
    const key = (field: string) => `receivers.${i}.tls.${field}`
    const ca = pem(key('ca_file'), tls.ca_file)
    const cert = pem(key('cert_file'), tls.cert_file)
    const own = pem(key('key_file'), tls.key_file)
    return [[name, { ...(ca && { ca }), ...(cert && { cert }), ...(own && { key: own }) }]]
  })
  return new Map(all)
}

/** What is in force of the file of alerts; times are epoch milliseconds. */
export interface AlertsInForce extends LoadedAlerts, Omit<Reading<LoadedAlerts>, 'value'> {
  path: string
}

/** The file of alerts as it changes. */
export interface LiveAlerts extends Omit<LiveReading<LoadedAlerts>, 'inForce'> {
  inForce: () => AlertsInForce
}

/** What a live file of alerts is made of. */
export interface LiveAlertsParts {
  path: string
  secretOf: SecretOf
  /** Whether there are keys for links by which approvers answer. */
  hasLinks?: boolean
  /** Distance of two looks, milliseconds; 0: only `reload` reads. */
  everyMs: number
  registry: Registry
  log: Logger
  now: () => number
}

/**
 * Reads the file, and again when it changes.
 *
 * @throws {ConfigError} at the first reading only
 */
export function liveAlerts({
  path,
  secretOf,
  hasLinks,
  registry,
  ...parts
}: LiveAlertsParts): LiveAlerts {
  const problems = new Gauge({
    name: 'plumbline_alerts_file_problems',
    help: 'Problems of the file of alerts for which its last reading was refused; 0 when it was not.',
    registers: [registry],
  })
  const live = liveReading({
    ...parts,
    name: 'alerts file',
    signature: () => fileSignature(path),
    read: () => readAlertsFile(path, secretOf, hasLinks),
    isSame: (a, b) => a.revision === b.revision,
    told: ({ file }) => ({ receivers: file.receivers.length }),
    count: (_outcome, n) => problems.set(n),
  })
  return {
    ...live,
    inForce: () => {
      const { value, loadedAt, refused } = live.inForce()
      return { ...value, path, loadedAt, refused }
    },
  }
}
