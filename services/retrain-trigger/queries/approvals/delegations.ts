/** Who approves in whose stead, for which models and how long. */
import { randomUUID } from 'node:crypto'
import { appendAudit } from '../../../../lib/postgres/audit-log.ts'
import type { Sql } from '../../../../lib/postgres/port.ts'
import { Problem } from '../../../../lib/runtime/errors.ts'
import { CLAIMED, personOf } from '../../../../lib/runtime/person-names.ts'
import type { DelegationAnswer } from '../../../../schemas/http/runs/delegations.ts'
import type { Ledger } from '../ledger.ts'

/** A delegation as `GET /v1/delegations` shows it. */
export type Delegation = DelegationAnswer

/** What a delegation is made of; times are epoch milliseconds. */
export interface NewDelegation {
  delegator: string
  delegate: string
  /** Undefined: every model. */
  models: readonly string[] | undefined
  beginsAt: number
  endsAt: number
  reason: string
  /** How the delegator is known. */
  knownBy: Delegation['known_by']
}

interface StoredDelegation {
  delegation_id: string
  delegator: string
  delegate: string
  models: string[] | null
  begins_at: Date
  ends_at: Date
  reason: string
  created_at: Date
  revoked_at: Date | null
  revoked_by: string
  known_by: Delegation['known_by']
  end_reason: string
}

const COLUMNS =
  'delegation_id, delegator, delegate, models, begins_at, ends_at, reason, created_at, revoked_at, revoked_by, known_by, end_reason'
/** Names the advisory lock under which delegations are made: two that would be a chain are one after the other. */
const LOCK = 7305183
/** Delegations of one person that have not ended. */
const MAX_OPEN = 100

const iso = (at: Date) => new Date(at).toISOString()

const toDelegation = (row: StoredDelegation): Delegation => ({
  ...row,
  begins_at: iso(row.begins_at),
  ends_at: iso(row.ends_at),
  created_at: iso(row.created_at),
  revoked_at: row.revoked_at && iso(row.revoked_at),
})

/**
 * Lets a person approve in another's stead, with its entry in the audit log.
 *
 * @throws {Problem} 400 where both are one person, 409 where it would be a chain, or the delegator
 *   has 100 that have not ended
 */
export const delegate = (
  { postgres, now }: Ledger,
  { delegator, delegate: to, models, beginsAt, endsAt, reason, knownBy }: NewDelegation,
): Promise<Delegation> =>
  postgres.transaction(async (tx) => {
    if (personOf(delegator) === personOf(to))
      throw new Problem(400, 'own_delegate', `${delegator} and ${to} are one person`)
    await tx.query('select pg_advisory_xact_lock($1)', [LOCK])
    const at = new Date(now())
    const [begins, ends] = [new Date(beginsAt), new Date(endsAt)]
    await refuseChain(tx, { delegator, to, models, begins, ends })
    const [count] = await tx.query<{ open: number }>(
      'select count(*)::int as open from approval_delegations where delegator_person = $1 and ends_at > $2 and revoked_at is null',
      [personOf(delegator), at],
    )
    if (count!.open >= MAX_OPEN)
      throw new Problem(
        409,
        'too_many_delegations',
        `${delegator} has ${MAX_OPEN} delegations that have not ended: revoke one`,
      )
    const [row] = await tx.query<StoredDelegation>(
      `insert into approval_delegations (delegation_id, delegator, delegator_person, delegate, delegate_person, models, begins_at, ends_at, reason, created_at, known_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning ${COLUMNS}`,
      [
        randomUUID(),
        delegator,
        personOf(delegator),
        to,
        personOf(to),
        models ?? null,
        begins,
        ends,
        reason,
        at,
        knownBy,
      ],
    )
    const made = toDelegation(row!)
    const {
      delegation_id: subject,
      created_at: _at,
      revoked_at: _no,
      revoked_by: _by,
      end_reason: _why,
      ...rest
    } = made
    const detail = { ...rest, message: reason }
    await appendAudit(tx, { at, actor: delegator, action: 'delegation.made', subject, detail })
    return made
  })

interface Span {
  delegator: string
  to: string
  models: readonly string[] | undefined
  begins: Date
  ends: Date
}

/** What was delegated is not delegated on: neither by its delegate, nor to somebody who is away. */
async function refuseChain(tx: Sql, { delegator, to, models, begins, ends }: Span): Promise<void> {
  const [link] = await tx.query<StoredDelegation>(
    `select ${COLUMNS} from approval_delegations
     where (delegate_person = $1 or delegator_person = $2) and revoked_at is null
       and begins_at < $4 and ends_at > $3
       and (models is null or $5::text[] is null or models && $5::text[])
     order by ends_at limit 1`,
    [personOf(delegator), personOf(to), begins, ends, models ?? null],
  )
  if (!link) return
  const span = `until ${iso(link.ends_at)}`
  throw new Problem(
    409,
    'chained_delegation',
    personOf(link.delegate) === personOf(delegator)
      ? `${delegator} approves in the stead of ${link.delegator} ${span}: what was delegated is not delegated on`
      : `${to} has delegated to ${link.delegate} ${span}: what was delegated is not delegated on`,
  )
}

/**
 * Why a delegation holds no more, for a model or for any of its models; undefined where it does
 * hold.
 */
export type Lapsed = (delegation: Delegation, modelId?: string) => string | undefined

/** Who ends what holds no more. */
const BY_ITSELF = 'policy'

/** Whether a name is claimed, and nobody has checked it. */
const isClaimed = (name: string) => name.startsWith(CLAIMED)

/**
 * Holds, for the transaction, that a person may approve runs of a model in another's stead now.
 *
 * @param lapsed why a delegation holds no more, of one that does not
 * @returns the delegation
 * @throws {Problem} 403 where nothing says so
 */
export async function requireDelegation(
  tx: Sql,
  {
    by,
    inStead,
    modelId,
    at,
    lapsed,
  }: { by: string; inStead: string; modelId: string; at: Date; lapsed: Lapsed },
): Promise<Delegation> {
  const rows = await tx.query<StoredDelegation>(
    `select ${COLUMNS} from approval_delegations
     where delegate_person = $1 and delegator_person = $2 and (revoked_at is null or revoked_by = '${BY_ITSELF}')
       and begins_at <= $3 and ends_at > $3 and (models is null or $4 = any(models))
     order by revoked_at desc nulls first, ends_at desc limit ${MAX_OPEN} for share`,
    [personOf(by), personOf(inStead), at, modelId],
  )
  // A name that was only claimed gives nothing to whoever has a key of that name.
  const own = rows.filter((one) => isClaimed(one.delegate) === isClaimed(by)).map(toDelegation)
  const row = own.find((one) => one.revoked_at === null && lapsed(one, modelId) === undefined)
  if (row) return row
  const why = own[0] && (own[0].end_reason || lapsed(own[0], modelId))
  throw new Problem(
    403,
    'not_delegated',
    why === undefined
      ? `${inStead} has delegated no approval of ${modelId} to ${by} for this time`
      : `${why}, so nobody may approve in that person’s stead`,
  )
}

/** Delegations that one look ends; the others follow in the next. */
const MAX_LAPSED = 1000

/**
 * Ends the delegations of people who may not approve any more, each with its entry in the audit log:
 * a right that comes back does not bring them back.
 *
 * @returns how many
 */
export async function endLapsed({ postgres, now }: Ledger, lapsed: Lapsed): Promise<number> {
  const at = new Date(now())
  const rows = await postgres.query<StoredDelegation>(
    `select ${COLUMNS} from approval_delegations where revoked_at is null and ends_at > $1
     order by created_at limit ${MAX_LAPSED}`,
    [at],
  )
  let ended = 0
  for (const row of rows) {
    const message = lapsed(toDelegation(row))
    if (message === undefined) continue
    const by = { actor: BY_ITSELF, action: 'delegation.ended', message } as const
    if (await postgres.transaction((tx) => endWithin(tx, row.delegation_id, by, at))) ended++
  }
  return ended
}

/** Reads one delegation; undefined where there is none of that id. */
export async function readDelegation(sql: Sql, id: string): Promise<Delegation | undefined> {
  const [row] = await sql.query<StoredDelegation>(
    `select ${COLUMNS} from approval_delegations where delegation_id = $1`,
    [id],
  )
  return row && toDelegation(row)
}

/** Reads delegations that touch these models, or all where undefined, the newest first. */
export async function listDelegations(
  sql: Sql,
  models: readonly string[] | undefined,
  limit: number,
): Promise<Delegation[]> {
  const rows = await sql.query<StoredDelegation>(
    `select ${COLUMNS} from approval_delegations
     where $1::text[] is null or models is null or models && $1::text[] order by created_at desc, delegation_id limit $2`,
    [models ?? null, limit],
  )
  const isShown = (model: string) => models === undefined || models.includes(model)
  return rows.map((row) => ({ ...toDelegation(row), models: row.models?.filter(isShown) ?? null }))
}

/**
 * Takes a delegation back at once; approvals that were given by it stay.
 *
 * @throws {Problem} 404 where there is none of that id, 409 where it has ended
 */
export const revokeDelegation = (
  { postgres, now }: Ledger,
  id: string,
  actor: string,
  message: string,
): Promise<Delegation> =>
  postgres.transaction(async (tx) => {
    const by = { actor, action: 'delegation.revoked', message } as const
    const ended = await endWithin(tx, id, by, new Date(now()))
    if (!ended) throw await revocationRefusal(tx, id)
    return ended
  })

/** Ends a delegation within the caller's transaction; undefined where it has ended already. */
async function endWithin(
  tx: Sql,
  id: string,
  {
    actor,
    action,
    message,
  }: { actor: string; action: 'delegation.revoked' | 'delegation.ended'; message: string },
  at: Date,
): Promise<Delegation | undefined> {
  const [row] = await tx.query<StoredDelegation>(
    `update approval_delegations set revoked_at = $2, revoked_by = $3, end_reason = $4
     where delegation_id = $1 and revoked_at is null and ends_at > $2 returning ${COLUMNS}`,
    [id, at, actor, message],
  )
  if (!row) return undefined
  const { delegator, delegate: to } = row
  await appendAudit(tx, {
    at,
    actor,
    action,
    subject: id,
    detail: { delegator, delegate: to, message },
  })
  return toDelegation(row)
}

async function revocationRefusal(tx: Sql, id: string): Promise<Problem> {
  const known = await readDelegation(tx, id)
  if (!known) return new Problem(404, 'unknown_delegation', `there is no delegation ${id}`)
  const { revoked_at: revoked, revoked_by: by, ends_at: ends } = known
  const how = revoked === null ? `ended at ${ends}` : `was taken back by ${by} at ${revoked}`
  return new Problem(409, 'delegation_ended', `the delegation ${how}`)
}
