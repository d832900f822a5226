/** A token is asked for once and used until little of its life is left, by all connections of a process. */

/** A token and when it ends, epoch milliseconds. */
export interface Token {
  value: string
  expiresAtMs: number
}

/** Of a token's life, from its request to its end, the part after which another one is asked for. */
const USED_SHARE = 0.8

/**
 * Makes a source of tokens that are valid for a fifth of their life yet; connections that ask at the same time share a request.
 * A request that fails is forgotten: the next login asks again.
 */
export function tokenCache(
  request: () => Promise<Token>,
  now: () => number,
): () => Promise<string> {
  let value = ''
  let usedUntil = 0
  let underWay: Promise<string> | undefined
  const renewed = async (): Promise<string> => {
    const askedAt = now()
    const token = await request()
    value = token.value
    usedUntil = askedAt + USED_SHARE * (token.expiresAtMs - askedAt)
    return value
  }
  return async () => {
    if (now() < usedUntil) return value
    underWay ??= renewed().finally(() => (underWay = undefined))
    return underWay
  }
}
