/**
 * A retraining job behind a webhook: checks the signature, reads labelled outcomes from ClickHouse,
 * trains a new version and reports back. Only outcomes before the evidence's window end are used,
 * so that the result does not depend on when the job runs.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { ELEC2_FEATURES } from './elec2.ts'
import { train } from './logistic-regression.ts'
import { plumblineClient } from './plumbline-client.ts'
import { nextVersion, saveModel } from './registry.ts'

interface Job {
  data: { run_id: string; model_id: string; window_end: string | null; status_url: string }
}

/** About twelve weeks of half-hours. */
const TRAINING_ROWS = 4032

const env = (name: string) => process.env[name] ?? fail(`${name} is not set`)
const registry = env('REGISTRY_DIR')
const webhook = new Webhook(readFileSync(env('WEBHOOK_SECRET_FILE'), 'utf8').trim())
const client = plumblineClient(env('PLUMBLINE_URL'), env('CLICKHOUSE_URL'))
/** Runs that were begun: the same webhook again is the same run. */
const begun = new Set<string>()

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString()
    try {
      webhook.verify(body, request.headers as Record<string, string>)
    } catch {
      response.writeHead(401).end()
      return
    }
    response.writeHead(202).end()
    const job = JSON.parse(body) as Job
    if (begun.has(job.data.run_id)) return
    begun.add(job.data.run_id)
    retrain(job).catch((error: unknown) => report(job, { state: 'failed', message: String(error) }))
  })
}).listen(Number(env('RETRAINER_PORT')), '127.0.0.1')

async function retrain(job: Job) {
  await report(job, { state: 'running' })
  const before = job.data.window_end ?? new Date().toISOString()
  const rows = await client.query<{ label: string } & Record<string, number | string>>(
    `SELECT o.label AS label, ${ELEC2_FEATURES.map((name) => `variantElement(p.features['${name}'], 'Float64') AS ${name}`).join(', ')}
     FROM outcomes AS o INNER JOIN predictions AS p ON p.model_id = o.model_id AND p.prediction_id = o.prediction_id
     WHERE o.model_id = {model:String} AND p.model_id = {model:String} AND NOT o.shadow AND isNotNull(o.label)
       AND o.predicted_at < parseDateTime64BestEffort({before:String}, 3, 'UTC')
     ORDER BY o.predicted_at DESC LIMIT ${TRAINING_ROWS}`,
    { model: job.data.model_id, before },
  )
  if (rows.length < TRAINING_ROWS / 4)
    throw new Error(`only ${rows.length} labelled outcomes to train on`)
  const model = train(
    ELEC2_FEATURES,
    rows.map((row) => ELEC2_FEATURES.map((name) => Number(row[name]))),
    rows.map((row) => Number(row.label)),
  )
  const version = nextVersion(registry)
  saveModel(registry, version, model)
  await report(job, {
    state: 'succeeded',
    new_version: version,
    message: `trained on ${rows.length} outcomes before ${before}`,
  })
}

async function report(job: Job, status: object) {
  // The address holds the token of this run: it is kept out of logs.
  const { pathname, search } = new URL(job.data.status_url)
  await client.post(`${pathname}${search}`, status)
}

function fail(message: string): never {
  throw new Error(message)
}
