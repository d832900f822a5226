/** `npm run import -- --format sagemaker --model fraud files…`: events out of files, into a running Plumbline. */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { RawEvent } from '../lib/event-verdict.ts'
import { importedLine } from '../services/ingest/dialects/sagemaker.ts'

const BATCH = 1000
const USAGE =
  'npm run import -- --format sagemaker --model <model_id> [--version <model_version>] [--columns a,b,c] [--output score|prediction] [--labelled-at <RFC 3339>] [--url http://127.0.0.1:8080] [--key <API key>] files…'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    format: { type: 'string', default: 'sagemaker' },
    model: { type: 'string' },
    version: { type: 'string', default: 'unversioned' },
    columns: { type: 'string', default: '' },
    output: { type: 'string', default: 'score' },
    'labelled-at': { type: 'string', default: new Date().toISOString() },
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    key: { type: 'string', default: '' },
  },
})
if (values.format !== 'sagemaker' || !values.model || positionals.length === 0) {
  console.error(USAGE)
  process.exit(2)
}

const options = {
  modelId: values.model,
  modelVersion: values.version,
  columns: values.columns.split(',').filter((name) => name !== ''),
  output: values.output === 'prediction' ? ('prediction' as const) : ('score' as const),
}
const waiting = { predictions: [] as RawEvent[], labels: [] as RawEvent[] }
const accepted = { predictions: 0, labels: 0 }
let refused = 0

for (const file of positionals) {
  let number = 0
  for await (const line of createInterface({ input: createReadStream(file) })) {
    number++
    if (line.trim() === '') continue
    const imported = importedLine(line, options)
    if (imported.kind === 'refused') {
      refused++
      console.error(`${basename(file)}:${number}: ${imported.reason}`)
      continue
    }
    const stamped =
      imported.kind === 'labels'
        ? imported.events.map((event) => ({ ...event, labelled_at: values['labelled-at'] }))
        : imported.events
    waiting[imported.kind].push(...stamped)
    if (waiting[imported.kind].length >= BATCH) await send(imported.kind)
  }
}
await send('predictions')
await send('labels')
console.log(
  `${accepted.predictions} predictions and ${accepted.labels} labels were taken, ${refused} refused`,
)
process.exit(refused === 0 ? 0 : 1)

async function send(kind: 'predictions' | 'labels'): Promise<void> {
  const events = waiting[kind].splice(0)
  if (events.length === 0) return
  const response = await fetch(`${values.url}/v1/${kind}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(values.key && { authorization: `Bearer ${values.key}` }),
    },
    body: JSON.stringify(events),
  })
  const answer = (await response.json()) as {
    accepted?: number
    rejected?: { id: string | null; message: string }[]
    detail?: string
  }
  if (!response.ok && response.status !== 400)
    throw new Error(`${values.url} answered ${response.status}: ${answer.detail ?? ''}`)
  accepted[kind] += answer.accepted ?? 0
  for (const { id, message } of answer.rejected ?? []) {
    refused++
    console.error(`${id ?? 'an event without id'}: ${message}`)
  }
}
