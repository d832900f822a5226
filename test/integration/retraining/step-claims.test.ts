/**
 * Two releases on one store: a process from before traffic was moved step by step launches its runs,
 * and no step.
 */
import { beforeAll, expect, test } from 'vitest'
import { type EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import {
  claimRun,
  keepClaim,
  releaseRun,
} from '../../../services/retrain-trigger/queries/claims.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'

const AT = new Date(Date.UTC(2026, 0, 1))
let postgres: EmbeddedPostgres

beforeAll(async () => {
  postgres = await migratedPostgres(temporaryDirectory())
  for (const [id, step] of [
    ['run', null],
    ['step', '{"of": "run", "action": "step", "share": 5}'],
  ])
    await postgres.query(
      `insert into runs (run_id, model_id, policy, cause, state, reason, decided_at, created_at, updated_at, step)
       values ($1, 'm', 'p', $1, 'queued', 'r', $2, $2, $2, $3::jsonb)`,
      [id!, AT, step!],
    )
})

/** The statement by which a release from before 0030_rollouts.sql claims a run. */
const claimBefore = (runId: string) =>
  postgres.query(
    `update runs set claim = $2, claimed_until = $3, attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $4)
     where run_id = $1 and state = 'queued' and (claimed_until is null or claimed_until <= $4)
       and (next_attempt_at is null or next_attempt_at <= $4) returning attempts, first_attempt_at`,
    [runId, 'a0000000-0000-4000-8000-000000000000', AT, AT],
  )
const times = { now: AT.getTime(), until: AT.getTime() + 60_000 }

test('an earlier release claims runs, and the store refuses it a step', async () => {
  expect(await claimBefore('run')).toHaveLength(1)
  await expect(claimBefore('step')).rejects.toThrow('knows_steps')
  const [row] = await postgres.query<{ attempts: number }>(
    "select attempts from runs where run_id = 'step'",
  )
  expect(row!.attempts).toBe(0)
})

test('this release claims a step, keeps it and gives it back', async () => {
  const claim = (await claimRun(postgres, 'step', times))!
  expect(claim.claim).toMatch(/^step:/)
  await keepClaim(postgres, claim, times.until + 1)
  const claimed = () =>
    postgres.query("select 1 from runs where run_id = 'step' and claim is not null")
  expect(await claimed()).toHaveLength(1)
  await releaseRun(postgres, claim, times.now)
  expect(await claimed()).toHaveLength(0)
  expect((await claimRun(postgres, 'run', times))!.claim).not.toContain('step:')
})
