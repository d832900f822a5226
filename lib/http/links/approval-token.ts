/** The token of a link by which one person answers one run once. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a link is made for; its token proves all of it. */
export interface LinkFacts {
  link_id: string
  run_id: string
  /** Who answers by it. */
  person: string
  /** RFC 3339 in UTC. */
  expires_at: string
}

/** Keeps a token of one purpose from being one of another that has the same key. */
const PURPOSE = 'plumbline approval link 1'
const TOKEN = /^([\w-]{1,64})\.([\w-]{43})$/

const mac = (key: string, { link_id, run_id, person, expires_at }: LinkFacts): Buffer =>
  createHmac('sha256', key)
    .update(JSON.stringify([PURPOSE, link_id, run_id, person, expires_at]))
    .digest()

/** The token of a link: its id, and an HMAC (SHA-256) of what it is made for, in base64url. */
export const linkToken = (key: string, facts: LinkFacts): string =>
  `${facts.link_id}.${mac(key, facts).toString('base64url')}`

/** The id of the link that a token names; undefined for what has not the shape of one. */
export const linkIdOf = (token: string): string | undefined => TOKEN.exec(token)?.[1]

/** Whether a token was made for this by one of the keys; takes the same time for every token. */
export function isTokenFor(token: string, keys: readonly string[], facts: LinkFacts): boolean {
  const given = Buffer.from(TOKEN.exec(token)?.[2] ?? '', 'base64url')
  if (given.length !== 32) return false
  return keys.map((key) => timingSafeEqual(mac(key, facts), given)).includes(true)
}
