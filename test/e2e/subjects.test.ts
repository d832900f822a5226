/** A person is exported and erased: a byte search of the data folder finds nothing afterwards. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { filesHolding } from '../live-files.ts'
import { ask, post, prediction, startTarget, until, type Running } from '../servers/processes.ts'

const directory = temporaryDirectory()
const data = join(directory, 'data')
const SUBJECT = 'subject-7351-planted'
let plumbline: Running

async function start(): Promise<Running> {
  return startTarget('all', {
    PLUMBLINE_DATA_DIR: data,
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_PAIRING_SECONDS: '1',
  })
}

beforeAll(async () => {
  mkdirSync(join(directory, 'models'))
  writeFileSync(
    join(directory, 'models/fraud.yaml'),
    'model_id: fraud\ntask: binary\nreview: { reviewers: 1, budget_per_day: 10000 }\n',
  )
  plumbline = await start()
}, 120_000)
afterAll(() => plumbline?.stop('SIGKILL'))

async function taken(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await post(`${plumbline.url}${path}`, body, headers)
  const text = await response.text()
  expect(response.status, `${path}: ${text}`).toBeLessThan(300)
  return JSON.parse(text) as Record<string, string>
}

const count = async (table: string, where = 'true') =>
  Number(
    (
      await ask<{ n: string }>(
        plumbline.clickhouseUrl,
        `SELECT count() AS n FROM ${table} WHERE ${where}`,
      )
    )[0]!.n,
  )
const holding = (table: string, rows: number, where?: string) =>
  until(`${rows} rows of ${table}`, async () => (await count(table, where)) >= rows, 60_000)

async function plant(): Promise<void> {
  const hours = 3_600_000
  const events = Array.from({ length: 40 }, (_, i) =>
    prediction(i, {
      predicted_at: new Date(Date.now() - (i === 39 ? 0 : 3 * hours) - i).toISOString(),
      subject_id: i < 3 ? SUBJECT : `other-${i}`,
      ...(i === 0 && { input_text: `I am ${SUBJECT}`, features: { who: SUBJECT, amount: 1 } }),
    }),
  )
  await taken('/v1/predictions', events)
  const label = (id: string, more: object) => ({
    label_id: id,
    model_id: 'fraud',
    label: '1',
    labelled_at: new Date().toISOString(),
    source: 'ground_truth',
    ...more,
  })
  await taken('/v1/labels', [
    label('l-0', { prediction_id: 'p-0', comment: `by ${SUBJECT}` }),
    label('l-5', { prediction_id: 'p-5' }),
    label('l-s', { subject_id: SUBJECT }),
    label('l-w', { prediction_id: 'never', subject_id: SUBJECT }),
  ])
  await taken('/v1/attributes', {
    subject_id: SUBJECT,
    attributes: { sex: '2' },
    observed_at: new Date().toISOString(),
  })
  // A half that stays alone is a dead letter with its body.
  await taken(
    '/v1/cloudevents',
    {
      specversion: '1.0',
      id: 'alone',
      source: '/s',
      type: 'org.kubeflow.serving.inference.request',
      time: new Date().toISOString(),
      inferenceservicename: 'fraud',
      data: { instances: [{ who: SUBJECT }] },
    },
    { 'content-type': 'application/cloudevents+json' },
  )
  await holding('dead_letters', 1)
  await holding('outcomes', 2)
}

async function review(): Promise<void> {
  for (;;) {
    const response = await post(`${plumbline.url}/v1/reviews/claim`, { reviewer: 'ann' })
    if (response.status === 204) {
      await until('tasks', async () => (await count('review_tasks')) > 0, 60_000)
      continue
    }
    const task = (await response.json()) as Record<'task_id' | 'lease_id' | 'prediction_id', string>
    await taken(`/v1/reviews/${task.task_id}/submit`, {
      reviewer: 'ann',
      lease_id: task.lease_id,
      label: '1',
      comment: task.prediction_id === 'p-1' ? `surely ${SUBJECT}` : '',
    })
    if (task.prediction_id === 'p-1') break
  }
  await holding('reviews', 1, `position(comment, '${SUBJECT}') > 0`)
}

const subjects = async (method: string) => {
  const response = await fetch(`${plumbline.url}/v1/subjects/${SUBJECT}?actor=ann`, { method })
  expect(response.status).toBe(200)
  return (await response.json()) as {
    request_id: string
    state?: string
    rows: Record<string, number>
    tables: { table: string; rows: object[] }[]
    remains?: string[]
  }
}

test('a subject is exported, erased from every store, and found nowhere', async () => {
  await plant()
  await review()
  writeFileSync(
    join(data, 'journal', '0000000000000001.range.json.set-aside'),
    JSON.stringify({
      logEpoch: 'e',
      topic: 't',
      partition: '0',
      first: '0',
      last: '0',
      mapping: 'm',
      messages: [
        { offset: 0, timestampMs: 0, key: '', value: Buffer.from(SUBJECT).toString('base64') },
      ],
    }),
  )
  const { dataset_id } = await taken('/v1/datasets', {
    actor: 'ann',
    model_id: 'fraud',
    from: new Date(Date.now() - 86_400_000).toISOString(),
    to: new Date(Date.now() + 86_400_000).toISOString(),
    where: `who = '${SUBJECT}'`,
    rows: 'all',
    format: 'jsonl',
  })
  const dataset = async () => {
    const response = await fetch(`${plumbline.url}/v1/datasets/${dataset_id}/rows?actor=ann`)
    return response.text()
  }
  expect(await dataset()).toContain(SUBJECT)
  const held = await subjects('GET')
  expect(
    Object.fromEntries(held.tables.map(({ table, rows }) => [table, rows.length])),
  ).toMatchObject({
    predictions: 3,
    attributes: 1,
    dead_letters: 1,
    review_tasks: 3,
  })
  expect(filesHolding(data, SUBJECT)).not.toEqual([])

  const erased = await subjects('DELETE')
  expect(erased).toMatchObject({
    state: 'done',
    rows: { predictions: 3, control_store: 3, journal_files: 1, datasets: 1 },
  })
  expect(await dataset()).toContain('dataset_erased')
  for (const table of ['predictions', 'outcomes', 'labels', 'labels_arrived', 'attributes'])
    expect(await count(table, `subject_id = '${SUBJECT}'`), table).toBe(0)
  expect(await count('predictions')).toBe(37)
  expect(await count('labels', `prediction_id = 'p-5'`)).toBeGreaterThan(0)
  expect(await count('event_counts', 'events > 0')).toBeGreaterThan(0)
  expect((await subjects('GET')).tables).toEqual([])
  expect((await subjects('DELETE')).rows).toEqual({})

  const audit = (await (await fetch(`${plumbline.url}/v1/audit`)).json()) as {
    complete: boolean
    entries: { action: string; subject: string; actor: string }[]
  }
  expect(audit.complete).toBe(true)
  expect(audit.entries.filter(({ action }) => action.startsWith('subject.'))).toMatchObject([
    { action: 'subject.exported', subject: held.request_id, actor: 'claimed:ann' },
    { action: 'subject.erased', subject: erased.request_id },
    { action: 'subject.exported' },
    { action: 'subject.erased' },
  ])
  expect(filesHolding(data, SUBJECT)).toEqual([])
  expect(plumbline.log()).not.toContain(SUBJECT)
  // Nothing is left for a restart to bring back.
  expect(await plumbline.stop('SIGTERM')).toBe(0)
  plumbline = await start()
  expect(await count('predictions')).toBe(37)
  expect(filesHolding(data, SUBJECT)).toEqual([])
}, 300_000)
