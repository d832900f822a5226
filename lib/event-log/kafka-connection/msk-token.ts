/**
 * Tokens for Amazon MSK: a request to connect that AWS' own credentials sign, good for some
 * minutes.
 */
import type { Token } from './token-cache.ts'

/**
 * Signs a token with the credentials that AWS' own chain finds: environment, profile, web identity,
 * container, instance.
 *
 * @throws Error where there are no credentials
 */
export async function mskToken(region: string): Promise<Token> {
  // The signer is loaded at the first login: it has some hundred files, and few clusters want it.
  const { generateAuthToken } = await import('aws-msk-iam-sasl-signer-js')
  try {
    const { token, expiryTime } = await generateAuthToken({ region })
    return { value: token, expiresAtMs: expiryTime }
  } catch (cause) {
    throw new Error('AWS gives no credentials to sign a login with', { cause })
  }
}
