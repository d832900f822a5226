/** The secret by which a launched job proves that it may report on its run, and on no other. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** A token, and what is stored of it. */
export interface RunToken {
  /** 43 characters that an address may hold. */
  token: string
  /** SHA-256 in hex: what is stored. */
  hash: string
}

/** Makes a token of 32 random bytes. */
export function newRunToken(): RunToken {
  const token = randomBytes(32).toString('base64url')
  return { token, hash: hashOfToken(token) }
}

/** Whether a token is one of those with these hashes; takes the same time for every token. */
export function isTokenOf(token: string, hashes: readonly string[]): boolean {
  const given = Buffer.from(hashOfToken(token))
  return hashes.map((hash) => timingSafeEqual(Buffer.from(hash), given)).includes(true)
}

const hashOfToken = (token: string) => createHash('sha256').update(token).digest('hex')
