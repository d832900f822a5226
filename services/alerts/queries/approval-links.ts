/** Links by which the reader of a message answers the run that it is about. */
import { linkToken, type LinkFacts } from '../../../lib/http/links/approval-token.ts'
import type { LinkKeys } from '../../../lib/http/links/link-keys.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { Message } from '../decide/messages.ts'

/** What making links needs. */
export interface LinkParts {
  postgres: Sql
  linkKeys: LinkKeys
  /** Address of the service, without a slash at its end. */
  base: () => string
  /** Epoch milliseconds. */
  now: () => number
}

const DAY_MS = 86_400_000
/** A link is good until its run may no longer be approved, and for so long at most. */
const MAX_GOOD_MS = 7 * DAY_MS

/**
 * A message as it is sent: one that asks a person for an approval has the link for that person in
 * place of its page. A delivery that is tried again has the same link.
 *
 * @returns the message, and the token of its link, or ''
 */
export async function approvalLink(
  { postgres, linkKeys, base, now }: LinkParts,
  deliveryId: string,
  { approval, ...message }: Message,
): Promise<{ told: Message; token: string }> {
  const [key] = approval ? linkKeys() : []
  if (!approval || key === undefined) return { told: message, token: '' }
  const last = now() + MAX_GOOD_MS
  const expires = Math.min(
    last,
    approval.expires_at === null ? last : Date.parse(approval.expires_at),
  )
  const { run_id: runId, person } = approval
  const [row] = await postgres.query<Omit<LinkFacts, 'expires_at'> & { expires_at: Date }>(
    `insert into approval_links (link_id, run_id, person, created_at, expires_at) values ($1, $2, $3, $4, $5)
     on conflict (link_id) do update set link_id = excluded.link_id returning link_id, run_id, person, expires_at`,
    [deliveryId, runId, person, new Date(now()), new Date(expires)],
  )
  const token = linkToken(key, { ...row!, expires_at: new Date(row!.expires_at).toISOString() })
  // What follows # is sent to no server, and so stands in no log and no referrer.
  const page = `${base()}/approve?run=${encodeURIComponent(runId)}#${token}`
  return { told: { ...message, page }, token }
}
