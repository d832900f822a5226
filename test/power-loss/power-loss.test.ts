/**
 * `PLUMBLINE_DURABLE=fsync`: what was accepted before the power was cut is there when it is back. Each round the service
 * starts from what had reached the disk of the round before, is loaded through every door, and
 * loses its disk.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../harness.ts'
import { ask, post, prediction, startTarget, until, type Running } from '../servers/processes.ts'
import { mountDisk, newDisk, removeDisks, whyNoDisk, type Disk } from './disk.ts'

const ROUNDS = 2
/** Answers of each door in a round before its power is cut. */
const ANSWERS = 12
const PER_REQUEST = 20

const directory = temporaryDirectory()
const models = join(directory, 'models')
beforeAll(() => {
  const why = whyNoDisk()
  if (why) throw new Error(why)
  mkdirSync(models)
  writeFileSync(
    join(models, 'fraud.yaml'),
    `model_id: fraud
task: binary
positive_class: '1'
retrain:
  - name: by-hand
    when: 'any(drift.psi, alarm)'
    launch: { kind: webhook, url: 'http://127.0.0.1:9/never' }
    approval: one
    max_per_month: 100000
`,
  )
})

const services: Running[] = []
// Registered after the folder's own, and so run before it.
afterAll(async () => {
  for (const service of services) await service.stop('SIGKILL')
  removeDisks()
})

test('a disk that is cut off holds what was synced, and nothing else', async () => {
  const disk = newDisk(join(directory, 'control'))
  const [synced, written] = ['synced', 'written'].map((name) => join(disk.path, name))
  const file = await open(synced!, 'w')
  await file.writeFile('synced')
  await file.sync()
  await file.close()
  writeFileSync(written!, 'written')
  const image = disk.cut()
  disk.remove()
  const after = mountDisk(image)
  expect(readFileSync(join(after.path, 'synced'), 'utf8')).toBe('synced')
  expect(existsSync(join(after.path, 'written'))).toBe(false)
  after.remove()
})

/** The answer of a request that was accepted. @throws Error with the answer of one that was not */
async function taken<T>(asked: Promise<Response>): Promise<T> {
  const response = await asked
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.status} ${text}`)
  return JSON.parse(text) as T
}

/** What was accepted, by door. */
type Accepted = Record<'predictions' | 'labels' | 'runs' | 'references', Set<string>>

/**
 * Sends through every door until told to stop; only what is answered before that counts as
 * accepted.
 */
function load(plumbline: Running, round: number, accepted: Accepted) {
  let isCut = false
  const inRound = { predictions: 0, labels: 0, runs: 0, references: 0 }
  /** The latest refusal of each door: what a test that waits in vain says. */
  const refused: Partial<Record<keyof Accepted, string>> = {}
  const door = async (name: keyof Accepted, once: (n: number) => Promise<readonly string[]>) => {
    for (let n = 0; !isCut; n++) {
      const ids = await once(n).catch((error: unknown) => {
        refused[name] = String(error)
      })
      if (isCut || !ids) continue
      inRound[name]++
      for (const id of ids) accepted[name].add(id)
    }
  }
  const numbered = (what: string, n: number) =>
    Array.from({ length: PER_REQUEST }, (_, i) => `${what}-${round}-${n}-${i}`)
  const events = async (path: string, ids: string[], values: unknown[]) => {
    await taken(post(`${plumbline.url}${path}`, values))
    return ids
  }
  const sendPredictions = (sender: string) =>
    door('predictions', (n) => {
      const ids = numbered(sender, n)
      const values = ids.map((id, i) => prediction(i, { prediction_id: id }))
      return events('/v1/predictions', ids, values)
    })
  const all = [
    sendPredictions('a'),
    sendPredictions('b'),
    door('labels', (n) => {
      const ids = numbered('label', n)
      const values = ids.map((id, i) => ({
        label_id: id,
        model_id: 'fraud',
        prediction_id: `a-${round}-${n}-${i}`,
        label: '1',
        labelled_at: new Date().toISOString(),
        source: 'ground_truth',
      }))
      return events('/v1/labels', ids, values)
    }),
    door('runs', async (n) => {
      const wanted = { model_id: 'fraud', policy: 'by-hand', reason: `run ${round} ${n}` }
      const run = await taken<{ run_id: string }>(post(`${plumbline.url}/v1/runs`, wanted))
      // Another may be asked for once this one has ended.
      await taken(post(`${plumbline.url}/v1/runs/${run.run_id}/cancel`, { actor: 'ann' }))
      return [run.run_id]
    }),
    door('references', async (n) => {
      const name = `r-${round}-${n}`
      await taken(reference(plumbline.url, name))
      return [name]
    }),
  ]
  return {
    inRound,
    refused,
    stop: () => {
      isCut = true
    },
    ended: () => Promise.all(all),
  }
}

test('what was accepted before the power was cut is there afterwards, each event once', async () => {
  const accepted: Accepted = {
    predictions: new Set(),
    labels: new Set(),
    runs: new Set(),
    references: new Set(),
  }
  let disk: Disk = newDisk(join(directory, 'service'))
  for (let round = 1; round <= ROUNDS; round++) {
    const plumbline = await startOn(disk)
    const loading = load(plumbline, round, accepted)
    await until('every door has accepted enough', async () =>
      Object.values(loading.inRound).every((answers) => answers >= ANSWERS),
    ).catch((cause: unknown) => {
      throw new Error(JSON.stringify(loading), { cause })
    })
    loading.stop()
    const image = disk.cut()
    await plumbline.stop('SIGKILL')
    await loading.ended()
    disk.remove()
    disk = mountDisk(image)
    const again = await startOn(disk)
    expect(await missing(again, accepted)).toEqual({
      predictions: [],
      labels: [],
      runs: [],
      references: [],
    })
    expect(await miscounted(again)).toEqual([{ rows: '0', repeated: '0', counted: '0' }])
    await again.stop()
  }
  disk.remove()
})

test('an answer that nothing follows is kept like all others', async () => {
  let disk: Disk = newDisk(join(directory, 'last-words'))
  const wanted = { model_id: 'fraud', policy: 'by-hand', reason: 'the last', actor: 'ann' }
  const last = {
    references: async (url: string) => {
      await taken(reference(url, 'the-last'))
      return 'the-last'
    },
    runs: async (url: string) => {
      const run = await taken<{ run_id: string }>(post(`${url}/v1/runs`, wanted))
      return run.run_id
    },
  }
  for (const [door, send] of Object.entries(last)) {
    const plumbline = await startOn(disk)
    const id = await send(plumbline.url)
    const image = disk.cut()
    await plumbline.stop('SIGKILL')
    disk.remove()
    disk = mountDisk(image)
    const again = await startOn(disk)
    const there =
      door === 'runs'
        ? (await fetch(`${again.url}/v1/runs/${id}`)).ok
        : (await ask(again.clickhouseUrl, 'SELECT name FROM `references`')).length === 1
    expect([door, there]).toEqual([door, true])
    await again.stop()
  }
  disk.remove()
})

const reference = (url: string, name: string) =>
  fetch(`${url}/v1/models/fraud/references/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }),
  })

async function startOn(disk: Disk): Promise<Running> {
  const service = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(disk.path, 'data'),
    PLUMBLINE_MODELS_DIR: models,
    PLUMBLINE_DURABLE: 'fsync',
  })
  services.push(service)
  return service
}

/** Accepted, and no longer there. */
async function missing(plumbline: Running, accepted: Accepted) {
  const idsOf = async (id: string, table: string) =>
    new Set(
      (await ask(plumbline.clickhouseUrl, `SELECT ${id} AS id FROM ${table}`)).map((r) => r['id']),
    )
  const there: Record<keyof Accepted, Set<string | undefined>> = {
    predictions: await idsOf('prediction_id', 'predictions'),
    labels: await idsOf('label_id', 'labels'),
    references: await idsOf('name', '`references`'),
    runs: new Set(),
  }
  for (const id of accepted.runs) {
    const response = await fetch(`${plumbline.url}/v1/runs/${id}`)
    const run = (await response.json()) as { state?: string }
    if (run.state === 'cancelled') there.runs.add(id)
  }
  return Object.fromEntries(
    Object.entries(accepted).map(([door, ids]) => [
      door,
      [...ids].filter((id) => !there[door as keyof Accepted].has(id)),
    ]),
  )
}

/**
 * Rows beyond the messages that were stored, ids that stand twice, and counts that are not those of
 * the rows.
 */
const miscounted = (plumbline: Running) =>
  ask(
    plumbline.clickhouseUrl,
    `WITH (SELECT count() FROM predictions) AS predicted
     SELECT predicted - (SELECT sum(rows - duplicates) FROM sink_ranges WHERE topic = 'plumbline.predictions.v1') AS rows,
       predicted - (SELECT uniqExact(prediction_id) FROM predictions) AS repeated,
       predicted - (SELECT sum(events) FROM event_counts) AS counted`,
  )
