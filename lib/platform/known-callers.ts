/**
 * How callers are known: by the keys of a file, by the tokens of an OIDC issuer, by both, or not at
 * all.
 */
import { readFileSync } from 'node:fs'
import type { Registry } from 'prom-client'
import { noKeys, openAccess, type Authenticate } from '../http/api-keys.ts'
import { keyCallers } from '../http/keys/key-callers.ts'
import { useRecorder } from '../http/keys/key-uses.ts'
import { codeFlow, type CodeFlow } from '../http/oidc/code-flow.ts'
import type { ClaimRules } from '../http/oidc/token-claims.ts'
import { messageOf } from '../runtime/errors.ts'
import type { Granted } from '../http/grants.ts'
import type { Models } from '../models/model-files.ts'
import { asGranted } from '../models/ownership.ts'
import type { Logger } from '../runtime/log.ts'
import { isSafeAddress, keysAndTokens, tokenCallers } from '../http/oidc/bearer-tokens.ts'
import type { PlatformConfig } from './platform-config.ts'

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1'])

/** Every problem of the settings by which callers are known, as sentences that name the setting. */
export function callerProblems(config: PlatformConfig): string[] {
  const { PLUMBLINE_OIDC_ISSUER: issuer, PLUMBLINE_OIDC_AUDIENCE: audience } = config
  const problems: string[] = []
  if (!config.PLUMBLINE_AUTH_FILE && !issuer && !LOOPBACK.has(config.PLUMBLINE_HTTP_HOST))
    problems.push(
      `PLUMBLINE_HTTP_HOST ${config.PLUMBLINE_HTTP_HOST} is not loopback: set PLUMBLINE_AUTH_FILE or PLUMBLINE_OIDC_ISSUER`,
    )
  if (issuer && !isSafeAddress(issuer))
    problems.push(
      `PLUMBLINE_OIDC_ISSUER ${issuer} must be an https address, or http on loopback: whoever stands between could give keys of their own`,
    )
  if (issuer && !audience)
    problems.push(
      'PLUMBLINE_OIDC_AUDIENCE is required with PLUMBLINE_OIDC_ISSUER: without it a token for any other service would be good here',
    )
  if (audience && !issuer)
    problems.push('PLUMBLINE_OIDC_AUDIENCE is set, and PLUMBLINE_OIDC_ISSUER is not')
  return [...problems, ...loginProblems(config)]
}

function loginProblems(config: PlatformConfig): string[] {
  const { PLUMBLINE_OIDC_CLIENT_SECRET: secret, PLUMBLINE_OIDC_CLIENT_SECRET_FILE: file } = config
  const clientId = config.PLUMBLINE_OIDC_CLIENT_ID
  const problems: string[] = []
  if (clientId && !config.PLUMBLINE_OIDC_ISSUER)
    problems.push('PLUMBLINE_OIDC_CLIENT_ID is set, and PLUMBLINE_OIDC_ISSUER is not')
  if ((secret ?? file) !== undefined && !clientId)
    problems.push(
      'a secret of PLUMBLINE_OIDC_CLIENT_ID is set, and PLUMBLINE_OIDC_CLIENT_ID is not',
    )
  if (secret !== undefined && file !== undefined)
    problems.push(
      'PLUMBLINE_OIDC_CLIENT_SECRET and PLUMBLINE_OIDC_CLIENT_SECRET_FILE are both set: set one',
    )
  try {
    if (clientSecretOf(config) === '') problems.push(`${file} holds no secret`)
  } catch (error) {
    problems.push(`PLUMBLINE_OIDC_CLIENT_SECRET_FILE cannot be read: ${messageOf(error)}`)
  }
  return problems
}

function clientSecretOf(config: PlatformConfig): string | undefined {
  const file = config.PLUMBLINE_OIDC_CLIENT_SECRET_FILE
  if (file === undefined) return config.PLUMBLINE_OIDC_CLIENT_SECRET
  return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
}

/** How people sign in at the issuer; undefined where the configuration names no client. */
export function loginOf(config: PlatformConfig): CodeFlow | undefined {
  const { PLUMBLINE_OIDC_ISSUER: issuer, PLUMBLINE_OIDC_CLIENT_ID: clientId } = config
  if (!issuer || !clientId) return undefined
  const clientSecret = clientSecretOf(config)
  const scope = config.PLUMBLINE_OIDC_SCOPE
  return codeFlow({ ...claimRulesOf(config), issuer, clientId, clientSecret, scope })
}

const claimRulesOf = (config: PlatformConfig): ClaimRules => ({
  nameClaim: config.PLUMBLINE_OIDC_NAME_CLAIM,
  rolesClaim: config.PLUMBLINE_OIDC_ROLES_CLAIM,
  rolePrefix: config.PLUMBLINE_OIDC_ROLE_PREFIX,
  teamsClaim: config.PLUMBLINE_OIDC_TEAMS_CLAIM,
  teamPrefix: config.PLUMBLINE_OIDC_TEAM_PREFIX,
})

/**
 * Who sends a request, by what the configuration knows callers by.
 *
 * @throws {ConfigError} when the key file is missing or malformed
 */
export function callersOf(config: PlatformConfig, parts: CallerParts): Authenticate {
  const { PLUMBLINE_AUTH_FILE: file, PLUMBLINE_OIDC_ISSUER: issuer } = config
  const keys = file ? keysOf(file, parts) : undefined
  if (!issuer) return keys ?? openAccess
  const audience = config.PLUMBLINE_OIDC_AUDIENCE!
  const tokens = tokenCallers({ ...claimRulesOf(config), issuer, audience }, parts.registry)
  return keysAndTokens(keys ?? noKeys, tokens)
}

/** What callers are known with. */
export interface CallerParts {
  /** Where refused tokens are counted. */
  registry: Registry
  log: Logger
  /** Where the last use of each key is kept. */
  dataDir: string
  /** Epoch milliseconds. */
  now: () => number
}

/** Declared models as grants pick them. */
export const grantedModels = ({ declared }: Models): readonly Granted[] => declared.map(asGranted)

const keysOf = (file: string, { log, dataDir, now }: CallerParts): Authenticate =>
  keyCallers(file, {
    now,
    used: useRecorder(dataDir, now, (error) =>
      log.warn({ error: messageOf(error) }, 'the last uses of keys cannot be written'),
    ),
    failed: (problem) =>
      log.error({ problem }, 'the key file has changed and cannot be read: the keys before stay'),
  })
