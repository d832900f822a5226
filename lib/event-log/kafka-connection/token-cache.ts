/**
 * A token is asked for once and used until little of its life is left, by all connections of a
 * process.
 */

/** A token and when it ends, epoch milliseconds. */
export interface Token {
  value: string
  expiresAtMs: number
}

/** Share of a token's life, from its request to its end, in which it is handed out. */
const USED_SHARE = 0.8
/**
 * A token has as long to live when it is handed out, or it is a new one: brokers take its end for
 * that of the login, kafkajs logs in anew ten seconds before, and brokers refuse to be asked more
 * than once a second.
 */
const MIN_LIFE_MS = 15_000

/**
 * Makes a source of tokens that live for a while yet; connections that ask at the same time share a
 * request. A request that fails is forgotten: the next login asks again.
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
    usedUntil = Math.min(
      askedAt + USED_SHARE * (token.expiresAtMs - askedAt),
      token.expiresAtMs - MIN_LIFE_MS,
    )
    return value
  }
  return async () => {
    if (now() < usedUntil) return value
    underWay ??= renewed().finally(() => (underWay = undefined))
    return underWay
  }
}
