/** Links by which one person answers one run once. */
import { isTokenFor, linkIdOf, type LinkFacts } from '../../../../lib/http/links/approval-token.ts'
import type { Sql } from '../../../../lib/postgres/port.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import type { Ledger } from '../ledger.ts'
import type { Run, StoredRun } from '../run-record.ts'
import { rejectWithin } from '../run-transitions.ts'
import { approveWithin } from './approvals.ts'

/** A link as it is held against what somebody shows. */
export interface ShownLink {
  token: string
  /** The run of the page that shows it. */
  runId: string
  /** Keys whose links are good. */
  keys: readonly string[]
}

/** How links end that answer nothing: each is counted. */
export const LINK_REFUSALS = ['forged', 'other_run', 'used', 'expired', 'revoked'] as const
type LinkRefusal = (typeof LINK_REFUSALS)[number]

const STATUS = { forged: 403, other_run: 403, used: 409, expired: 410, revoked: 410 } as const

const refuse = (why: LinkRefusal, message: string) =>
  new Problem(STATUS[why], `link_${why}`, message)

type StoredLink = Omit<LinkFacts, 'expires_at'> & {
  expires_at: Date
  used_at: Date | null
  act: string | null
  state: StoredRun['state'] | null
}

/**
 * Whose link it is and until when it is good, RFC 3339.
 *
 * @param lock `for update of approval_links` where the link is used, so that one use is the first
 * @throws {Problem} 403 for a link that is not genuine or of another run, 409 for one that was used,
 *   410 for one that has expired, or whose run awaits no approval any more
 */
export async function requireLink(
  tx: Sql,
  { token, runId, keys }: ShownLink,
  at: Date,
  lock: '' | 'for update of l' = '',
): Promise<LinkFacts> {
  const id = linkIdOf(token)
  const [row] = id
    ? await tx.query<StoredLink>(
        `select l.link_id, l.run_id, l.person, l.expires_at, l.used_at, l.act, r.state
         from approval_links l left join runs r using (run_id) where l.link_id = $1 ${lock}`,
        [id],
      )
    : []
  const facts = row && {
    link_id: row.link_id,
    run_id: row.run_id,
    person: row.person,
    expires_at: new Date(row.expires_at).toISOString(),
  }
  if (!row || !facts || !isTokenFor(token, keys, facts))
    throw refuse('forged', 'this link is not genuine: open the one in the newest message')
  if (row.run_id !== runId) throw refuse('other_run', 'this link is for another run')
  if (row.used_at)
    throw refuse(
      'used',
      `this link was used once already, at ${new Date(row.used_at).toISOString()}, to ${row.act}`,
    )
  if (new Date(row.expires_at) <= at)
    throw refuse('expired', `this link was good until ${facts.expires_at}`)
  if (row.state !== 'awaiting_approval')
    throw refuse('revoked', `the run is ${row.state ?? 'gone'}: there is nothing to answer`)
  return facts
}

/** What a person answers by a link. */
export interface LinkAnswer {
  act: 'approve' | 'reject'
  /** Why, for the audit log. */
  message: string
}

/**
 * Answers a run by a link, which is used then: of several at one moment one is the first. An answer
 * that is refused leaves the link as it was.
 *
 * @throws {Problem} as {@link requireLink}, and as approving or rejecting does
 */
export const answerByLink = (
  { postgres, now }: Ledger,
  shown: ShownLink,
  { act, message }: LinkAnswer,
): Promise<Run> =>
  postgres.transaction(async (tx) => {
    const at = new Date(now())
    const {
      link_id: link,
      run_id: runId,
      person,
    } = await requireLink(tx, shown, at, 'for update of l')
    await tx.query('update approval_links set used_at = $2, act = $3 where link_id = $1', [
      link,
      at,
      act,
    ])
    const answer = { actor: person, message, link }
    return act === 'approve'
      ? approveWithin(tx, runId, answer, at)
      : rejectWithin(tx, runId, answer, at)
  })
