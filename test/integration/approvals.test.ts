/**
 * Who may approve a run, kept in a real control database: two approvals are two people beside
 * whoever asked.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { type EmbeddedPostgres } from '../../lib/postgres/port.ts'
import { recordDecision } from '../../services/retrain-trigger/queries/decision-ledger.ts'
import type { Ledger } from '../../services/retrain-trigger/queries/ledger.ts'
import type { Run } from '../../services/retrain-trigger/queries/run-record.ts'
import { approveRun } from '../../services/retrain-trigger/queries/run-transitions.ts'
import { migratedPostgres, temporaryDirectory } from '../harness.ts'

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
      ...{ ...about, policy: { name: 'p', approval }, reason: 'r', decidedAt: 0, labelsKnown: 0 },
      ...(actor === undefined ? {} : { actor }),
    },
  )
  return run!
}
const approve = (run: Run, actor: string) => approveRun(ledger, run.run_id, actor)

test('a run says who asked for it', async () => {
  expect((await askedBy('claimed:ann', 'two')).requested_by).toBe('claimed:ann')
  expect((await askedBy(undefined, 'two')).requested_by).toBe('policy')
})

test('whoever asked is neither of two approvers, under no spelling', async () => {
  const run = await askedBy('ann', 'two')
  for (const actor of ['ann', 'Ann', 'claimed:ann', 'a\u200Bnn '])
    await expect(approve(run, actor)).rejects.toMatchObject({ status: 409, code: 'own_request' })
  await approve(run, 'bob')
  expect(await approve(run, 'eve')).toMatchObject({ state: 'pending', approvals: ['bob', 'eve'] })
})

test('one person under two spellings approves once', async () => {
  const run = await askedBy(undefined, 'two')
  await approve(run, 'Ann')
  for (const actor of ['Ann', 'ann', 'claimed:ann', 'ＡＮＮ'])
    await expect(approve(run, actor)).rejects.toMatchObject({ code: 'already_approved' })
  expect(await approve(run, 'anne')).toMatchObject({ state: 'pending' })
})

test('where one approval is needed, whoever asked may give it', async () => {
  expect(await approve(await askedBy('ann', 'one'), 'ann')).toMatchObject({ state: 'pending' })
})

test('runs of an earlier release learn from the audit who asked', async () => {
  const run = await askedBy('ann', 'two')
  await postgres.query("update runs set requested_by = '' where run_id = $1", [run.run_id])
  const migration = readFileSync('schemas/postgres/0004_run_requested_by.sql', 'utf8')
  await postgres.query(migration.slice(migration.indexOf('update runs')))
  await expect(approve(run, 'ann')).rejects.toMatchObject({ code: 'own_request' })
})
