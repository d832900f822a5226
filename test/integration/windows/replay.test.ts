/** Decisions are made again from what is stored, on real stores. */
import { createHash } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import {
  evaluatePolicies,
  policyEngine,
  type PolicyEngine,
} from '../../../services/retrain-trigger/loop/policies.ts'
import { replayRun } from '../../../services/retrain-trigger/loop/replay.ts'
import { requestRun } from '../../../services/retrain-trigger/loop/requests.ts'
import { datasetReader, keepDataset } from '../../../services/retrain-trigger/queries/dataset.ts'
import type { Run } from '../../../services/retrain-trigger/queries/run-record.ts'
import {
  policyQueries,
  type PolicyQueries,
} from '../../../services/retrain-trigger/queries/policy-queries.ts'
import { listRuns } from '../../../services/retrain-trigger/queries/runs.ts'
import { migratedClickHouse, migratedPostgres, temporaryDirectory } from '../../harness.ts'

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

const again = (engine: PolicyEngine, run: Run) =>
  replayRun(
    {
      queries: engine.queries,
      ledger: engine.ledger,
      modelFile: '',
      readDataset: datasetReader(db),
    },
    run,
  )

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
  expect(await again(engine, run!)).toMatchObject(identical)
  // A window that is restated later is not what was seen.
  await stored(2, 'ok', 0.9)
  expect(await again(engine, run!)).toMatchObject(identical)
  const altered = async (table: string, how: string) => {
    await db.command(
      `ALTER TABLE ${table} ${how} WHERE model_id = 'again' AND revision = 1 SETTINGS mutations_sync = 2`,
    )
    return (await again(engine, run!)).differences
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
  expect((await again(engine, decided!)).outcome).toBe('identical')
  await postgres.query(
    `update audit_log set detail = jsonb_set(detail, '{grounds,new_labels}', '3') where subject = $1`,
    [decided!.run_id],
  )
  expect((await again(engine, decided!)).differences).toEqual([
    expect.stringMatching(/^audit entry \d+ was edited$/),
    'the action is none, and launch was recorded',
    expect.stringContaining('the condition does not hold'),
  ])
  const asked = { modelId: 'asked', policy: 'p', reason: 'a look', actor: 'ann' }
  expect(await again(engine, (await requestRun(engine, asked))!)).toMatchObject({
    outcome: 'not_replayable',
    differences: ['ann asked for it: no condition was evaluated'],
  })
})

const at = (hours: number) => new Date(START + hours * HOUR).toISOString()

test('the manifest of a data set is what its rows are, whatever comes later, and tells what went', async () => {
  const id = 'learns'
  const text = model(id, 'labels.new > 10').replace(
    'launch:',
    'dataset: { span: 2h, attributes: { region: north } }, launch:',
  )
  const now = { hours: 3 }
  const engine = policyEngine(
    { declared: [parseModel(text)] },
    {
      queries: { ...policyQueries(db), labelledOutcomes: async () => 11 },
      ledger: { postgres, now: () => START + now.hours * HOUR },
    },
  )
  const prediction = (name: string, hours: number, region: string, received = hours) => ({
    ...{ model_id: id, prediction_id: name, predicted_at: at(hours), received_at: at(received) },
    ...{ attributes: { region }, features: { rooms: 3, garden: true }, sampling_fraction: 0.5 },
  })
  const label = (name: string, received: number) => ({
    ...{ model_id: id, prediction_id: name, name: 'label', label: '1', label_id: name },
    ...{ labelled_at: at(received), received_at: at(received), inclusion_probability: 0.25 },
  })
  await db.insertRows(
    'predictions',
    [
      prediction('early', 0.5, 'north'),
      prediction('a', 1.5, 'north'),
      prediction('b', 2, 'north'),
      prediction('south', 2, 'south'),
      prediction('late', 2, 'north', 4),
    ],
    'p1',
  )
  await db.insertRows('labels', [label('a', 2.5), label('b', 4)], 'l1')
  await evaluatePolicies(engine, id)
  const [decided] = await listRuns(postgres, [id], 1)
  expect(decided).toMatchObject({
    dataset: null,
    configuration: {
      model_file_sha256: createHash('sha256').update(text).digest('hex'),
      code_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  })
  now.hours = 5
  const read = datasetReader(db)
  const run = await keepDataset(engine.ledger, read, decided!)
  expect(run.dataset).toMatchObject({
    ...{ as_of: at(3), from: at(1), to: at(3) },
    parts: [
      { table: 'predictions', rows: 2, weight: 4, names: ['garden', 'rooms'] },
      { table: 'labels', rows: 1, weight: 4, names: ['label'] },
    ],
  })
  // The statement that it names selects these rows.
  const [predictions] = run.dataset!.parts
  const rows = await db.query<{ prediction_id: string }>(
    predictions!.query,
    predictions!.parameters as never,
  )
  expect(rows.map((row) => row.prediction_id).toSorted()).toEqual(['a', 'b'])
  // A second try keeps the first, and reads nothing.
  const unread = () => Promise.reject(new Error('read twice'))
  expect(await keepDataset(engine.ledger, unread, run)).toEqual(run)
  // What is inserted later, in whatever order, came after the decision.
  await db.insertRows('predictions', [prediction('later', 1.2, 'north', 5)], 'p2')
  expect(await again(engine, run)).toMatchObject({
    outcome: 'identical',
    dataset: { outcome: 'identical', recomputed_sha256: run.dataset!.sha256 },
  })
  const altered = async (how: string) => {
    await db.command(`ALTER TABLE predictions ${how} SETTINGS mutations_sync = 2`)
    return (await again(engine, run)).differences
  }
  const ours = `WHERE model_id = '${id}' AND prediction_id = 'b'`
  expect(
    await altered(`UPDATE features = map('rooms', 4.0::Variant(Float64, String, Bool)) ${ours}`),
  ).toEqual(['2 rows of predictions in its data set are not those of its manifest'])
  expect(await altered(`DELETE ${ours}`)).toEqual([
    'its data set has 1 rows of predictions, and its manifest 2',
  ])
  await postgres.query(
    `update runs set dataset = jsonb_set(dataset, '{parts,0,rows}', '1'), configuration = jsonb_set(configuration, '{code_sha256}', '"0"') where run_id = $1`,
    [run.run_id],
  )
  const [edited] = await listRuns(postgres, [id], 1)
  expect((await again(engine, edited!)).differences).toEqual([
    'the run’s configuration is not the one that its audit entry has',
    'the manifest of its data set is not the one that the audit log has',
    '1 rows of predictions in its data set are not those of its manifest',
  ])
})
