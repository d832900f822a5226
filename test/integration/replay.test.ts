/** Decisions are made again from what is stored, on real stores. */
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { parseModel } from '../../lib/models/model-files.ts'
import type { Postgres } from '../../lib/postgres/port.ts'
import { evaluatePolicies, policyEngine } from '../../services/retrain-trigger/loop/policies.ts'
import { replayRun } from '../../services/retrain-trigger/loop/replay.ts'
import { requestRun } from '../../services/retrain-trigger/loop/requests.ts'
import {
  policyQueries,
  type PolicyQueries,
} from '../../services/retrain-trigger/queries/policy-queries.ts'
import { listRuns } from '../../services/retrain-trigger/queries/runs.ts'
import { migratedClickHouse, migratedPostgres, temporaryDirectory } from '../harness.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)

let db: ClickHouse
let postgres: Postgres
beforeAll(async () => {
  ;({ db } = await migratedClickHouse())
  postgres = await migratedPostgres(temporaryDirectory())
})

const engineOf = (text: string, queries: Partial<PolicyQueries> = {}) =>
  policyEngine(
    { declared: [parseModel(text)] },
    { queries: { ...policyQueries(db), ...queries }, ledger: { postgres, now: Date.now } },
  )
const model = (id: string, when: string) =>
  `{ model_id: ${id}, task: regression, retrain: [{ name: p, when: '${when}', launch: { kind: webhook, url: "http://127.0.0.1:9/" } }] }`

/** A window of `again` with a verdict and a value, in one revision. */
async function stored(revision: number, verdict: string, value: number) {
  const same = {
    ...{ model_id: 'again', window_start: new Date(START).toISOString(), revision },
    ...{ window_end: new Date(START + HOUR).toISOString(), convention: 'plumbline', verdict },
  }
  const drift = { ...same, family: 'drift', metric: 'psi', subject: 'amount', value: 0.4 }
  await db.insertRows('verdicts', [{ ...drift, verdict_id: `v${revision}` }], `v${revision}`)
  const r2 = { ...same, family: 'performance', metric: 'r2', verdict: 'none', value }
  await db.insertRows('window_metrics', [{ ...r2, method: 'observed' }], `m${revision}`)
  const { model_id, window_start, window_end } = same
  await db.insertRows(
    'window_revisions',
    [{ model_id, window_start, window_end, revision, events: 60, worst: 'ok' }],
    `w${revision}`,
  )
}

test('a decision is made again from the revisions it saw, and what was changed since is told', async () => {
  const engine = engineOf(model('again', 'any(drift.psi, alarm) and performance.r2 < 0.75'))
  await stored(1, 'alarm', 0.7)
  await evaluatePolicies(engine, 'again')
  const [run] = await listRuns(postgres, ['again'], 1)
  const reason = 'alarm of drift.psi of amount; performance.r2 0.7 < 0.75'
  const recomputed = { action: 'launch', reason }
  const identical = { outcome: 'identical', differences: [], recomputed, windows: 1 }
  expect(await replayRun(engine, run!)).toMatchObject(identical)
  // A window that is restated later is not what was seen.
  await stored(2, 'ok', 0.9)
  expect(await replayRun(engine, run!)).toMatchObject(identical)
  const altered = async (table: string, how: string) => {
    await db.command(
      `ALTER TABLE ${table} ${how} WHERE model_id = 'again' AND revision = 1 SETTINGS mutations_sync = 2`,
    )
    return (await replayRun(engine, run!)).differences
  }
  expect(await altered('window_metrics', 'UPDATE value = 0.74')).toEqual([
    'stored metric results are not those that the decision saw',
    `the reason is “alarm of drift.psi of amount; performance.r2 0.74 < 0.75”, and “${reason}” was recorded`,
  ])
  await altered('window_metrics', 'UPDATE value = 0.7')
  expect(await altered('verdicts', "UPDATE verdict = 'ok'")).toContain(
    'the action is none, and launch was recorded',
  )
  await altered('window_metrics', 'DELETE')
  expect((await altered('verdicts', 'DELETE'))[0]).toBe(
    'revision 1 of the window that ends at 2026-01-05T01:00:00.000Z is not stored any more',
  )
})

test('a run that a person asked for has nothing to replay, and an edited entry is named', async () => {
  const engine = engineOf(model('asked', 'labels.new > 10'), { labelledOutcomes: async () => 11 })
  await evaluatePolicies(engine, 'asked')
  const [decided] = await listRuns(postgres, ['asked'], 1)
  expect((await replayRun(engine, decided!)).outcome).toBe('identical')
  await postgres.query(
    `update audit_log set detail = jsonb_set(detail, '{grounds,new_labels}', '3') where subject = $1`,
    [decided!.run_id],
  )
  expect((await replayRun(engine, decided!)).differences).toEqual([
    expect.stringMatching(/^audit entry \d+ was edited$/),
    'the action is none, and launch was recorded',
    expect.stringContaining('the condition does not hold'),
  ])
  const asked = { modelId: 'asked', policy: 'p', reason: 'a look', actor: 'ann' }
  expect(await replayRun(engine, (await requestRun(engine, asked))!)).toMatchObject({
    outcome: 'not_replayable',
    differences: ['ann asked for it: no condition was evaluated'],
  })
})
