/** How callers are known: by the keys of a file, by the tokens of an OIDC issuer, by both, or not at all. */
import type { Registry } from 'prom-client'
import { noKeys, openAccess, readKeyFile, type Authenticate } from '../http/api-keys.ts'
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
  return problems
}

/**
 * Who sends a request, by what the configuration knows callers by.
 *
 * @param registry where refused tokens are counted
 * @throws {ConfigError} when the key file is missing or malformed
 */
export function callersOf(config: PlatformConfig, registry: Registry): Authenticate {
  const { PLUMBLINE_AUTH_FILE: file, PLUMBLINE_OIDC_ISSUER: issuer } = config
  if (!issuer) return file ? readKeyFile(file) : openAccess
  const tokens = tokenCallers(
    {
      issuer,
      audience: config.PLUMBLINE_OIDC_AUDIENCE!,
      nameClaim: config.PLUMBLINE_OIDC_NAME_CLAIM,
      rolesClaim: config.PLUMBLINE_OIDC_ROLES_CLAIM,
      rolePrefix: config.PLUMBLINE_OIDC_ROLE_PREFIX,
    },
    registry,
  )
  return keysAndTokens(file ? readKeyFile(file) : noKeys, tokens)
}
