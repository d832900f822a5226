/**
 * Who may approve a run, kept in a real control database: two approvals are two people beside
 * whoever asked.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { type EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import { recordDecision } from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import type { Ledger } from '../../../services/retrain-trigger/queries/ledger.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import {
  approveRun,
  expireApprovals,
} from '../../../services/retrain-trigger/queries/approvals/approvals.ts'
import { readTransitions } from '../../../services/retrain-trigger/queries/run-history.ts'
import { readDueRuns, readRun } from '../../../services/retrain-trigger/queries/runs.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'

let postgres: EmbeddedPostgres
let ledger: Ledger

beforeAll(async () => {
  postgres = await migratedPostgres(temporaryDirectory())
  ledger = { postgres, now: Date.now }
})

let causes = 0
async function askedBy(actor: string | undefined, approval: 'one' | 'two'): Promise<Run> {
  const about = { modelId: 'm', cause: `c${causes++}`, windowEnd: undefined }
  const decision = { action: 'launch', reason: 'r' } as const
  const run = await recordDecision(
    ledger,
    { ...about, policy: 'p', revision: 0, decision },
    {
      ...{
        ...about,
        policy: { name: 'p', approval },
        reason: 'r',
        decidedAt: 0,
        labelsKnown: 0,
        modelFile: '',
      },
      ...(actor === undefined ? {} : { actor }),
    },
  )
  return run!
}
const approve = (run: Run, actor: string) =>
  approveRun(ledger, run.run_id, { actor, message: 'seen' })

test('a run says who asked for it', async () => {
  expect((await askedBy('claimed:ann', 'two')).requested_by).toBe('claimed:ann')
  expect((await askedBy(undefined, 'two')).requested_by).toBe('policy')
})

test('whoever asked is neither of two approvers, under no spelling', async () => {
  const run = await askedBy('ann', 'two')
  for (const actor of ['ann', 'Ann', 'claimed:ann', 'a\u200Bnn '])
    await expect(approve(run, actor)).rejects.toMatchObject({ status: 409, code: 'own_request' })
  await approve(run, 'bob')
  expect(await approve(run, 'eve')).toMatchObject({ state: 'queued', approvals: ['bob', 'eve'] })
})

test('one person under two spellings approves once', async () => {
  const run = await askedBy(undefined, 'two')
  await approve(run, 'Ann')
  for (const actor of ['Ann', 'ann', 'claimed:ann', 'ＡＮＮ'])
    await expect(approve(run, actor)).rejects.toMatchObject({ code: 'already_approved' })
  expect(await approve(run, 'anne')).toMatchObject({ state: 'queued' })
})

test('where one approval is needed, another person than whoever asked gives it', async () => {
  const run = await askedBy('claimed:ann', 'one')
  await expect(approve(run, 'Ann')).rejects.toMatchObject({ status: 409, code: 'own_request' })
  expect(await approve(run, 'bob')).toMatchObject({ state: 'queued', approvals: ['bob'] })
})

test('what nobody approves in time is cancelled, and the log tells each state with who and why', async () => {
  const run = await askedBy('ann', 'two')
  await approve(run, 'bob')
  expect(Date.parse(run.approval_expires_at!) - Date.parse(run.created_at)).toBe(7 * 86_400_000)
  const later = { ...ledger, now: () => Date.parse(run.approval_expires_at!) }
  await expect(
    approveRun(later, run.run_id, { actor: 'eve', message: 'seen' }),
  ).rejects.toMatchObject({
    code: 'approval_expired',
  })
  const others = await askedBy(undefined, 'one')
  await postgres.query('update runs set approval_expires_at = null where run_id = $1', [
    others.run_id,
  ])
  await expireApprovals(later)
  expect(await readRun(postgres, run.run_id)).toMatchObject({
    state: 'cancelled',
    message: `nobody approved it until ${run.approval_expires_at}`,
  })
  expect(await readRun(postgres, others.run_id)).toMatchObject({ state: 'awaiting_approval' })
  const told = await readTransitions(postgres, run.run_id)
  expect(told.map(({ state, actor, reason }) => [state, actor, reason])).toEqual([
    ['awaiting_approval', 'ann', 'r'],
    ['approve', 'bob', 'seen'],
    ['cancelled', 'policy', `nobody approved it until ${run.approval_expires_at}`],
  ])
})

test('a run of a dry run is proposed, and is never due', async () => {
  const about = { modelId: 'm', cause: 'dry', windowEnd: undefined }
  const decision = { action: 'launch', reason: 'r' } as const
  const policy = { name: 'dry', approval: 'none', dry_run: true } as const
  const run = await recordDecision(
    ledger,
    { ...about, policy: 'dry', revision: 0, decision },
    { ...about, policy, reason: 'r', decidedAt: 0, labelsKnown: 0, modelFile: '' },
  )
  expect(run).toMatchObject({ state: 'proposed', message: 'dry run: nothing is launched' })
  const due = await readDueRuns(postgres, new Date(Date.now() + 86_400_000))
  expect(due.map(({ run_id }) => run_id)).not.toContain(run!.run_id)
})

test('runs of an earlier release learn from the audit who asked', async () => {
  const run = await askedBy('ann', 'two')
  await postgres.query("update runs set requested_by = '' where run_id = $1", [run.run_id])
  const migration = readFileSync('schemas/postgres/0004_run_requested_by.sql', 'utf8')
  await postgres.query(migration.slice(migration.indexOf('update runs')))
  await expect(approve(run, 'ann')).rejects.toMatchObject({ code: 'own_request' })
})
