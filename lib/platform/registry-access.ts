/** How the schema registry is asked, from the settings and the files they name. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { RegistryTls } from '../events/avro/registry-requests.ts'
import type { RegistryAccess } from '../events/avro/schema-registry.ts'
import { ConfigError } from '../runtime/config.ts'
import { messageOf } from '../runtime/errors.ts'
import type { PlatformConfig } from './platform-config.ts'

const CA = 'PLUMBLINE_SCHEMA_REGISTRY_CA_FILE'
const CERT = 'PLUMBLINE_SCHEMA_REGISTRY_CERT_FILE'
const KEY = 'PLUMBLINE_SCHEMA_REGISTRY_KEY_FILE'
const FILES = [CA, CERT, KEY] as const

/** The settings that {@link registryAccess} reads. */
export type RegistrySettings = Pick<
  PlatformConfig,
  | 'PLUMBLINE_SCHEMA_REGISTRY_URL'
  | 'PLUMBLINE_SCHEMA_REGISTRY_USER'
  | 'PLUMBLINE_SCHEMA_REGISTRY_PASSWORD'
  | typeof CA
  | typeof CERT
  | typeof KEY
>

/**
 * Credentials and TLS of the registry; the files are read once.
 *
 * @throws ConfigError with one sentence: a file that is absent or holds something else, a
 *   certificate without its key, files
 *   where the registry is not asked over TLS
 */
export function registryAccess(config: RegistrySettings): RegistryAccess {
  const username = config.PLUMBLINE_SCHEMA_REGISTRY_USER
  const password = config.PLUMBLINE_SCHEMA_REGISTRY_PASSWORD
  const tls = tlsOf(config)
  return { ...(username !== undefined && { auth: { username, password } }), ...(tls && { tls }) }
}

function tlsOf(config: RegistrySettings): RegistryTls | undefined {
  const named = FILES.filter((name) => config[name] !== undefined)
  if (named.length === 0) return undefined
  if (!config.PLUMBLINE_SCHEMA_REGISTRY_URL?.startsWith('https:'))
    throw new ConfigError([
      `${named[0]} is for TLS, and PLUMBLINE_SCHEMA_REGISTRY_URL is no https address`,
    ])
  if ((config[CERT] === undefined) !== (config[KEY] === undefined))
    throw new ConfigError([`${CERT} and ${KEY} belong together, and only one of them is set`])
  const [ca, cert, key] = FILES.map((name) => contentOf(name, config[name]))
  if (ca !== undefined) requireCertificate(CA, ca)
  if (cert !== undefined) requireCertificate(CERT, cert)
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  }
  requireUsable(tls)
  return tls
}

function contentOf(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError([`${name} cannot be read: ${messageOf(error)}`])
  }
}

function requireCertificate(name: string, pem: string): void {
  try {
    void new X509Certificate(pem)
  } catch {
    throw new ConfigError([`${name} names a file that begins with no certificate in PEM`])
  }
}

function requireUsable(tls: RegistryTls): void {
  try {
    createSecureContext(tls)
  } catch (error) {
    throw new ConfigError([`${CERT} and ${KEY} are not a pair: ${messageOf(error)}`])
  }
}

/** Every problem of the settings of the schema registry, as sentences. */
export function registryProblems(config: PlatformConfig): readonly string[] {
  try {
    registryAccess(config)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
