/** What reviewers with keys may see of the queue, and what operators make of it. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../../harness.ts'
import { post, prediction, startTarget, until, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
const PEOPLE = {
  ann: ['reviewer'],
  bob: ['reviewer'],
  rita: ['reviewer@team:risk', 'reviewer@model:disputed'],
  olga: ['operator'],
  root: ['admin'],
}
type Person = keyof typeof PEOPLE
const keys = Object.fromEntries(
  Object.keys(PEOPLE).map((id) => [id, randomBytes(32).toString('base64url')]),
) as Record<Person, string>
let plumbline: Running

beforeAll(async () => {
  mkdirSync(join(directory, 'models'))
  const model = (id: string, review: string, more = '') =>
    writeFileSync(
      join(directory, `models/${id}.yaml`),
      `model_id: ${id}
task: binary
classes: ["0", "1"]
windows: { size: 1h, lateness: 15m, min_count: 50 }
review: { budget_per_day: 2400, ${review} }
${more}
`,
    )
  model('gold', 'gold: { share: 0.5 }')
  model('disputed', 'reviewers: 2, adjudicate: { people: [rita] }')
  model('assigned', 'assign: { people: [Bob], teams: [risk] }', 'team: risk')
  const entries = Object.entries(PEOPLE).map(([id, grants]) => ({
    ...{ id, grants },
    sha256: createHash('sha256')
      .update(keys[id as Person])
      .digest('hex'),
  }))
  writeFileSync(join(directory, 'keys.json'), JSON.stringify({ keys: entries }))
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_AUTH_FILE: join(directory, 'keys.json'),
  })
  for (const model_id of ['gold', 'assigned', 'disputed']) await draw(model_id)
})
afterAll(() => plumbline?.stop())

const by = (person: Person) => ({ authorization: `Bearer ${keys[person]}` })
const send = (person: Person, path: string, body: object) =>
  post(`${plumbline.url}${path}`, body, by(person))
const read = (person: Person, path: string) =>
  fetch(`${plumbline.url}${path}`, { headers: by(person) })
const json = async <T>(response: Response | Promise<Response>) =>
  (await (await response).json()) as T

interface Stats {
  model_id: string
  open: number
  answers: number
}
const statsOf = async (person: Person, model: string) =>
  (await json<{ models: Stats[] }>(read(person, '/v1/reviews/stats'))).models.find(
    ({ model_id: id }) => id === model,
  )

/** 62 predictions of one hour, all drawn, and four that close it. */
async function draw(model_id: string): Promise<void> {
  const event = (i: number, hour: number) =>
    prediction(i, {
      ...{ model_id, prediction_id: `${model_id}-${i}` },
      predicted_at: new Date(Date.UTC(2026, 0, 1, hour) + i * 1000).toISOString(),
    })
  const drawn = Array.from({ length: 62 }, (_, i) => event(i, 1))
  const events = [...drawn, ...[100, 101, 102, 103].map((i) => event(i, 5))]
  expect((await send('root', '/v1/predictions', events)).status).toBe(200)
  await until('tasks are drawn', async () => (await statsOf('root', model_id))?.open === 62)
}

interface Task {
  task_id: string
  lease_id: string
  prediction_id: string
}
const claim = (person: Person, model_id: string) =>
  json<Task>(send(person, '/v1/reviews/claim', { model_id }))
const submit = (person: Person, { task_id, lease_id }: Task, label: string) =>
  json<Record<string, unknown>>(send(person, `/v1/reviews/${task_id}/submit`, { lease_id, label }))

test('whoever only reviews cannot tell which tasks are known, and is measured by them', async () => {
  const known = [100, 101, 102, 103].map((i) => ({ prediction_id: `gold-${i}`, label: '1' }))
  const path = '/v1/models/gold/gold'
  expect((await send('ann', path, { known })).status).toBe(403)
  expect((await read('ann', path)).status).toBe(403)
  expect((await read('ann', '/v1/models/gold/agreement')).status).toBe(403)
  const wrong = [
    { prediction_id: 'gold-4', label: 'banana' },
    { prediction_id: 'none', label: '1' },
  ]
  expect(await json(send('olga', path, { known: [...known, ...wrong] }))).toMatchObject({
    ...{ declared: 4, in_use: 4 },
    refused: [
      { prediction_id: 'gold-4', reason: expect.stringContaining('one of the model') as string },
      { prediction_id: 'none', reason: 'the prediction is not stored' },
    ],
  })
  const seen: { claimed: string[]; answered: string[] }[] = []
  for (let i = 0; i < 30; i++) {
    const task = await claim('ann', 'gold')
    const answer = await submit('ann', task, '1')
    seen.push({ claimed: Object.keys(task), answered: Object.keys(answer) })
    expect(answer).toMatchObject({ state: 'done' })
  }
  // All golds are among these but once in some hundred million runs; none looks otherwise.
  // The order of fields would tell as well.
  expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1)
  const measured = await json<{ gold: { reviewers: object[] } }>(
    read('olga', '/v1/models/gold/agreement'),
  )
  expect(measured.gold.reviewers).toMatchObject([
    { reviewer: 'ann', answers: 4, accuracy: { value: 1, ci_high: 1 } },
  ])
  // Counts of tasks are in tens for those who are measured.
  const [hers, exact] = [await statsOf('ann', 'gold'), await statsOf('root', 'gold')]
  expect(hers).toMatchObject({ answers: 30, open: 40 })
  expect(exact).toMatchObject({ answers: 30, open: 36 })
  expect(await json(read('olga', path))).toMatchObject({
    ...{ share: 0.5, in_use: 4 },
    gold: [{ answers: 1, correct: 1, declared_by: 'olga' }, {}, {}, {}],
  })
})

test('tasks that are assigned go to these people and teams alone', async () => {
  const status = async (person: Person, body: object) =>
    (await send(person, '/v1/reviews/claim', body)).status
  expect(await status('ann', { model_id: 'assigned' })).toBe(204)
  expect((await claim('bob', 'assigned')).prediction_id).toMatch(/^assigned-/)
  expect((await claim('rita', 'assigned')).prediction_id).toMatch(/^assigned-/)
  // An operator of all is of no team.
  expect(await status('root', { model_id: 'assigned' })).toBe(204)
  const anything = await json<{ model_id: string }>(send('ann', '/v1/reviews/claim', {}))
  expect(anything.model_id).toBe('gold')
  expect(await statsOf('ann', 'assigned')).toMatchObject({ assigned: false })
  expect(await statsOf('rita', 'assigned')).toMatchObject({ assigned: true })
  expect(await statsOf('ann', 'gold')).toMatchObject({ assigned: true })
})

test('where reviewers disagree the adjudicator decides, and outcomes tell how', async () => {
  const task = await claim('ann', 'disputed')
  expect(await submit('ann', task, '1')).toMatchObject({ state: 'open' })
  const same = await claim('bob', 'disputed')
  expect(same.task_id).toBe(task.task_id)
  expect(await submit('bob', same, '0')).toMatchObject({ state: 'disputed' })
  const path = '/v1/reviews/adjudicate'
  expect((await send('ann', path, { model_id: 'disputed' })).status).toBe(204)
  expect((await send('ann', path, {})).status).toBe(204)
  expect(await statsOf('rita', 'disputed')).toMatchObject({ adjudicates: true, disputed: 1 })
  expect(await statsOf('ann', 'disputed')).toMatchObject({ adjudicates: false })
  const held = await json<Task & { votes: object[] }>(send('rita', path, {}))
  expect(held).toMatchObject({
    task_id: task.task_id,
    event: { prediction: null, score: null },
    votes: [
      { label: '0', votes: 1 },
      { label: '1', votes: 1 },
    ],
  })
  const decide = (person: Person, body: object) =>
    send(person, `/v1/reviews/${held.task_id}/decide`, { lease_id: held.lease_id, ...body })
  expect(await json(decide('ann', { label: '1' }))).toMatchObject({ code: 'no_adjudicator' })
  expect((await decide('rita', { label: 'banana' })).status).toBe(400)
  expect(await json(decide('rita', { label: '1' }))).toMatchObject({ state: 'done' })
  const sql = `SELECT label, source, labeler, confidence FROM outcomes WHERE model_id = 'disputed' AND prediction_id = '${held.prediction_id}' FORMAT JSON`
  const outcome = async () =>
    json<{ data: object[] }>(
      fetch(plumbline.clickhouseUrl, {
        ...{ method: 'POST', body: sql },
        headers: { 'x-clickhouse-user': 'root', 'x-clickhouse-key': keys.root },
      }),
    )
  await until('the label is an outcome', async () => (await outcome()).data.length > 0)
  expect((await outcome()).data).toMatchObject([
    { label: '1', source: 'human_review', labeler: 'adjudication', confidence: 0.5 },
  ])
})
