/** A canary's decision as a condition of a policy, on a real control database. */
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { type EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import {
  evaluatePolicies,
  policyEngine,
  tickPolicies,
} from '../../../services/retrain-trigger/loop/policies.ts'
import { replayRun } from '../../../services/retrain-trigger/loop/replay.ts'
import type { PolicyQueries } from '../../../services/retrain-trigger/queries/policy-queries.ts'
import { listRuns, readCanary } from '../../../services/retrain-trigger/queries/runs.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'

const LAUNCH = '{ kind: webhook, url: "http://127.0.0.1:9/" }'
const NIGHTLY = { cron: '0 3 * * *', timezone: 'UTC' }
const AT = Date.UTC(2026, 0, 5, 3)
let postgres: EmbeddedPostgres

beforeAll(async () => {
  postgres = await migratedPostgres(temporaryDirectory())
})
beforeEach(async () => {
  for (const table of ['runs', 'decisions']) await postgres.query(`delete from ${table}`)
})

const queries = {
  windows: () => Promise.resolve([]),
  results: () => Promise.resolve([]),
  values: () => Promise.resolve([]),
  seen: () => Promise.resolve({ results: [], values: [] }),
} as unknown as PolicyQueries
const engineOf = (when: string) =>
  policyEngine(
    {
      declared: [
        parseModel(
          `{ model_id: m, task: binary, retrain: [{ name: steps, when: 'labels.new > 1000000', launch: ${LAUNCH}, promote: { launch: ${LAUNCH} } }, { name: p, when: '${when}', launch: ${LAUNCH} }] }`,
        ),
      ],
    },
    {
      queries: { ...queries, labelledOutcomes: () => Promise.resolve(0) },
      ledger: { postgres, now: () => AT },
    },
  )

/** A candidate whose traffic stands at a step, with what is known of it there. */
const candidate = (id: string, hour: number, place: number, decision: string | null) =>
  postgres.query(
    `insert into runs (run_id, model_id, policy, cause, state, reason, decided_at, created_at, updated_at, new_version, rollout)
     values ($1, 'm', 'steps', $1, 'promoting', 'r', $2, $2, $2, $3, $4::jsonb)
     on conflict (run_id) do update set rollout = excluded.rollout`,
    [
      id,
      new Date(AT - 86_400_000 + hour * 3_600_000),
      `v-${id}`,
      JSON.stringify({ place, share: 5, verdict: decision === null ? null : { decision } }),
    ],
  )
const launched = async () =>
  (await listRuns(postgres, ['m'], 9)).filter(({ policy }) => policy === 'p')
const end = () => postgres.query("update runs set state = 'failed' where policy = 'p'")

test('a decision launches one run, and so does the next decision, step or candidate', async () => {
  const engine = engineOf('canary == worse')
  await candidate('a', 0, 0, 'undecided')
  await evaluatePolicies(engine, 'm')
  expect(await launched()).toEqual([])
  await candidate('a', 0, 0, 'worse')
  for (let i = 0; i < 3; i++) await evaluatePolicies(engine, 'm')
  const [run, ...others] = await launched()
  expect(others).toEqual([])
  expect(run!.reason).toBe('canary v-a is worse at 5 % of the traffic')
  await end()
  // It is the same decision still.
  await evaluatePolicies(engine, 'm')
  expect(await launched()).toHaveLength(1)
  await candidate('a', 0, 1, 'worse')
  await evaluatePolicies(engine, 'm')
  await end()
  expect(await launched()).toHaveLength(2)
  // The newer candidate has no decision yet: the one before has.
  await candidate('b', 1, 0, null)
  await evaluatePolicies(engine, 'm')
  expect(await launched()).toHaveLength(2)
  await candidate('b', 1, 0, 'worse')
  await evaluatePolicies(engine, 'm')
  expect(await launched()).toHaveLength(3)
  expect(await readCanary(postgres, 'm')).toMatchObject({ run_id: 'b', version: 'v-b' })
  expect(await readCanary(postgres, 'other')).toBeUndefined()
})

test('it is asked at ticks, of the version that is named, and its decision is made again', async () => {
  const engine = engineOf('canary == better, version=v-a and schedule("0 3 * * *")')
  await candidate('a', 0, 0, 'better')
  await evaluatePolicies(engine, 'm')
  expect(await launched()).toEqual([])
  await tickPolicies(engine, 'm', NIGHTLY, AT)
  const [run] = await launched()
  expect(run!.reason).toBe('canary v-a is better at 5 % of the traffic; schedule 0 3 * * *')
  // The decision is kept as it was seen, whatever becomes of the candidate.
  await candidate('a', 0, 2, 'worse')
  const parts = {
    ...{ queries, ledger: { postgres }, modelFile: '' },
    readDataset: () => Promise.reject(new Error('none')),
  }
  expect(await replayRun(parts as never, run!)).toMatchObject({
    ...{ outcome: 'identical', differences: [] },
  })
  const other = engineOf('canary == better, version=v-z and schedule("0 3 * * *")')
  await end()
  await tickPolicies(other, 'm', NIGHTLY, AT + 86_400_000)
  expect(await launched()).toHaveLength(1)
})
