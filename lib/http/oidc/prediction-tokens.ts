/**
 * Tokens by which a browser may rate one prediction: JSON Web Tokens (RFC 7519) signed with
 * HMAC-SHA256, which any library of them makes, and the emitters too.
 */
import { errors, jwtVerify, SignJWT } from 'jose'
import { Problem } from '../../runtime/errors.ts'

/** The audience of these tokens: no other token signed with the key is one. */
const AUDIENCE = 'plumbline-feedback'
const MAX_NAMES = 20
const MAX_ID = 200
/** Characters of a token that holds the longest claims. */
const MAX_TOKEN = 20_000
/** Seconds that the clocks of two machines may differ by. */
const CLOCK_TOLERANCE_S = 5

/** What a token allows: labels of these names, of one prediction, for a while. */
export interface PredictionClaims {
  model_id: string
  prediction_id: string
  names: readonly string[]
  /** Seconds since 1970 at which it ends. */
  exp: number
}

/** A token that is not good, why in one word, for counts, and in a sentence. */
export class TokenRefused extends Problem {
  readonly reason: 'absent' | 'forged' | 'expired'

  constructor(reason: TokenRefused['reason'], detail: string) {
    super(401, 'unauthorized', detail)
    this.reason = reason
  }
}

/** Signs claims with a key of 32 bytes or more. */
export const signedPrediction = ({ exp, ...claims }: PredictionClaims, key: Buffer) =>
  new SignJWT({ ...claims, names: [...claims.names] })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setAudience(AUDIENCE)
    .setExpirationTime(exp)
    .sign(key)

/**
 * The claims of a token that one of the keys has signed and that has not ended.
 *
 * @param authorization the header, `Bearer <token>`
 * @param now milliseconds since 1970
 * @throws {TokenRefused} with a sentence that tells nothing of the keys
 */
export async function predictionClaims(
  authorization: string | undefined,
  keys: readonly Buffer[],
  now: number,
): Promise<PredictionClaims> {
  const [, token] = /^Bearer ([\w.-]+)$/.exec(authorization ?? '') ?? []
  if (token === undefined || token.length > MAX_TOKEN)
    throw new TokenRefused(
      'absent',
      'a rating needs the token of its prediction: Authorization: Bearer <token>',
    )
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['HS256'],
        audience: AUDIENCE,
        requiredClaims: ['exp'],
        currentDate: new Date(now),
        clockTolerance: CLOCK_TOLERANCE_S,
      })
      if (isClaims(payload)) return payload
      break
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        throw new TokenRefused('expired', 'the token of this prediction has expired')
    }
  }
  throw new TokenRefused('forged', 'the token is none that this service’s feedback key has signed')
}

function isClaims(payload: object): payload is PredictionClaims {
  const { model_id, prediction_id, names } = payload as Record<string, unknown>
  return (
    isId(model_id) &&
    isId(prediction_id) &&
    Array.isArray(names) &&
    names.length <= MAX_NAMES &&
    names.every(isId)
  )
}

const isId = (value: unknown) =>
  typeof value === 'string' && value.length > 0 && value.length <= MAX_ID
