/** Approvals in another's stead, kept in a real control database. */
import { beforeAll, expect, test } from 'vitest'
import { type EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import { approveRun } from '../../../services/retrain-trigger/queries/approvals/approvals.ts'
import {
  delegate,
  listDelegations,
  revokeDelegation,
} from '../../../services/retrain-trigger/queries/approvals/delegations.ts'
import type { Ledger } from '../../../services/retrain-trigger/queries/ledger.ts'
import { recordDecision } from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import { readTransitions } from '../../../services/retrain-trigger/queries/run-history.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'

const DAY = 86_400_000
let postgres: EmbeddedPostgres
let ledger: Ledger
let now = Date.UTC(2026, 0, 1)

beforeAll(async () => {
  postgres = await migratedPostgres(temporaryDirectory())
  ledger = { postgres, now: () => now }
})

let causes = 0
async function askedBy(actor: string, approval: 'one' | 'two', modelId = 'm'): Promise<Run> {
  const about = { modelId, cause: `d${causes++}`, windowEnd: undefined }
  const decision = { action: 'launch', reason: 'r' } as const
  const policy = { name: 'p', approval }
  const run = await recordDecision(
    ledger,
    { ...about, policy: 'p', revision: 0, decision },
    { ...about, policy, reason: 'r', decidedAt: 0, labelsKnown: 0, modelFile: '', actor },
  )
  return run!
}
const lets = (
  delegator: string,
  to: string,
  more: { models?: string[]; days?: [number, number] },
) =>
  delegate(ledger, {
    ...{ delegator, delegate: to, models: more.models, reason: 'away', knownBy: 'key' as const },
    beginsAt: now + (more.days?.[0] ?? 0) * DAY,
    endsAt: now + (more.days?.[1] ?? 1) * DAY,
  })
const approve = (run: Run, actor: string, inStead?: string) =>
  approveRun(ledger, run.run_id, {
    actor,
    message: 'seen',
    inStead: inStead === undefined ? undefined : { person: inStead, lapsed: () => undefined },
  })
/** Each test begins when what was delegated before has ended. */
const later = () => (now += 400 * DAY)

test('a delegate approves for the delegator, and the run and its log say so', async () => {
  later()
  const made = await lets('ann', 'bob', { models: ['m'] })
  const run = await askedBy('policy', 'one')
  const approved = await approve(run, 'Bob', 'Ann')
  expect(approved).toMatchObject({
    ...{ state: 'queued', approvals: ['Bob'] },
    delegated: [{ by: 'Bob', for: 'ann', delegation_id: made.delegation_id }],
  })
  expect((await readTransitions(postgres, run.run_id))[1]).toMatchObject({
    ...{ state: 'approve', actor: 'Bob', for: 'ann', reason: 'seen' },
  })
  const [entry] = await postgres.query<{ action: string; actor: string }>(
    'select action, actor from audit_log where subject = $1',
    [made.delegation_id],
  )
  expect(entry).toEqual({ action: 'delegation.made', actor: 'ann' })
})

test('it holds for its models and its time alone, until it is revoked', async () => {
  later()
  const made = await lets('ann', 'bob', { models: ['m'], days: [1, 2] })
  const [run, other] = [await askedBy('policy', 'one'), await askedBy('policy', 'one', 'n')]
  const refused = { status: 403, code: 'not_delegated' }
  await expect(approve(run, 'bob', 'ann')).rejects.toMatchObject(refused)
  now += 1.5 * DAY
  await expect(approve(other, 'bob', 'ann')).rejects.toMatchObject(refused)
  await expect(approve(run, 'eve', 'ann')).rejects.toMatchObject(refused)
  await expect(approve(run, 'bob', 'eve')).rejects.toMatchObject(refused)
  // A name that somebody claims is not the person with a key of that name.
  await expect(approve(run, 'claimed:bob', 'ann')).rejects.toMatchObject(refused)
  await revokeDelegation(ledger, made.delegation_id, 'ann', 'back')
  await expect(approve(run, 'bob', 'ann')).rejects.toMatchObject(refused)
  await expect(revokeDelegation(ledger, made.delegation_id, 'ann', 'b')).rejects.toMatchObject({
    ...{ status: 409, message: expect.stringContaining('was taken back by ann') },
  })
  await expect(revokeDelegation(ledger, 'none', 'ann', 'b')).rejects.toMatchObject({ status: 404 })
})

test('whoever asked approves neither by a delegate nor as one', async () => {
  later()
  await lets('Ann', 'bob', {})
  const [own, asDelegate] = [await askedBy('claimed:ann', 'two'), await askedBy('bob', 'two')]
  for (const run of [own, asDelegate])
    await expect(approve(run, 'bob', 'ann')).rejects.toMatchObject({ code: 'own_request' })
})

test('delegator and delegate are no two people, in either order, under no spelling', async () => {
  later()
  await lets('ann', 'bob', {})
  const first = await askedBy('policy', 'two')
  await approve(first, 'bob', 'ann')
  for (const actor of ['ann', 'ＡＮＮ', 'Bob', 'claimed:bob'])
    await expect(approve(first, actor)).rejects.toMatchObject({ code: 'already_approved' })
  expect(await approve(first, 'eve')).toMatchObject({ state: 'queued' })
  for (const before of ['Ann', 'BOB']) {
    const run = await askedBy('policy', 'two')
    await approve(run, before)
    await expect(approve(run, 'bob', 'ann')).rejects.toMatchObject({ code: 'already_approved' })
  }
})

test('one person is the delegate of two others once for a run', async () => {
  later()
  await lets('ann', 'bob', {})
  await lets('eve', 'bob', {})
  const run = await askedBy('policy', 'two')
  await approve(run, 'bob', 'ann')
  await expect(approve(run, 'bob', 'eve')).rejects.toMatchObject({ code: 'already_approved' })
})

test('what was delegated is not delegated on, and nobody is their own delegate', async () => {
  later()
  await lets('ann', 'bob', { models: ['m'], days: [0, 10] })
  const chained = { status: 409, code: 'chained_delegation' }
  await expect(lets('Bob', 'eve', {})).rejects.toMatchObject(chained)
  await expect(lets('eve', 'ANN', { models: ['m'] })).rejects.toMatchObject(chained)
  await expect(lets('bob', 'ann', {})).rejects.toMatchObject(chained)
  await lets('bob', 'eve', { models: ['n'] })
  await lets('bob', 'eve', { days: [10, 11] })
  await expect(lets('ann', 'claimed:ＡＮＮ', {})).rejects.toMatchObject({ status: 400 })
})

test('of two that would be a chain at one moment one is made', async () => {
  later()
  const made = await Promise.allSettled([lets('ann', 'bob', {}), lets('bob', 'eve', {})])
  expect(made.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
})

test('a list holds the models of its reader alone', async () => {
  later()
  await lets('ann', 'bob', { models: ['m', 'secret'] })
  await lets('eve', 'bob', { models: ['secret'] })
  const [newest, ...others] = await listDelegations(postgres, ['m'], 100)
  expect(newest).toMatchObject({ delegator: 'ann', models: ['m'] })
  expect(JSON.stringify(others)).not.toContain('secret')
})

test('nobody has more than 100 that have not ended', async () => {
  later()
  for (let i = 0; i < 100; i++) await lets('ann', `delegate ${i}`, {})
  await expect(lets('ann', 'bob', {})).rejects.toMatchObject({ code: 'too_many_delegations' })
})
