/**
 * `npm run import -- --source fraud --files 'x/*.parquet'`: events out of files, into a running
 * Plumbline, by a source file; `--format sagemaker --model fraud files…` knows SageMaker's capture by
 * itself.
 */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { RawEvent } from '../lib/events/validator.ts'
import { importedLine } from '../services/ingest/wire-formats/sagemaker.ts'
import { importSource } from './import-source.ts'

/**
 * What one request has at most: events, and bytes of them, below the smallest body a service takes
 * by default.
 */
const BATCH = 1000
const BATCH_BYTES = 4 << 20
const OUTPUTS = ['class', 'probability', 'value'] as const
const USAGE =
  'npm run import -- --source <name> [--files <pattern>], or npm run import -- --format sagemaker --model <model_id> [--version <model_version>] [--columns a,b,c] [--output class|probability|value] [--labelled-at <RFC 3339>] [--url http://127.0.0.1:8080] [--key <API key>] files…'

interface Waiting {
  json: string
  /** The file and line it came from. */
  at: string
}
type Kind = 'predictions' | 'labels'

if (process.argv.some((word) => word === '--source' || word.startsWith('--source=')))
  process.exit(await importSource(process.argv.slice(2)))

/** What ends the import: told in one sentence. */
class Ended extends Error {}

const { values, files } = told()
const output = OUTPUTS.find((one) => one === values.output)
if (values.format !== 'sagemaker' || !values.model || files.length === 0 || !output) fail(USAGE)

const options = {
  modelId: values.model,
  modelVersion: values.version,
  columns: values.columns.split(',').filter((name) => name !== ''),
  output,
}
const waiting = { predictions: [] as Waiting[], labels: [] as Waiting[] }
const bytes = { predictions: 0, labels: 0 }
const accepted = { predictions: 0, labels: 0 }
let refused = 0

try {
  for (const file of files) await read(file)
  await send('predictions')
  await send('labels')
} catch (error) {
  if (!(error instanceof Ended)) throw error
  console.error(error.message)
  process.exitCode = 1
}
console.log(
  `${accepted.predictions} predictions and ${accepted.labels} labels were taken, ${refused} refused`,
)
if (refused > 0) process.exitCode = 1

function told() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        format: { type: 'string', default: 'sagemaker' },
        model: { type: 'string' },
        version: { type: 'string', default: 'unversioned' },
        columns: { type: 'string', default: '' },
        output: { type: 'string', default: 'probability' },
        'labelled-at': { type: 'string', default: new Date().toISOString() },
        url: { type: 'string', default: 'http://127.0.0.1:8080' },
        key: { type: 'string', default: '' },
      },
    })
    return { values, files: positionals }
  } catch (error) {
    return fail(`${(error as Error).message}\n${USAGE}`)
  }
}

function fail(sentence: string): never {
  console.error(sentence)
  process.exit(2)
}

async function read(file: string): Promise<void> {
  let number = 0
  const input = createReadStream(file)
  // The reader of lines does not hand on what its input says.
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (error) => reject(new Ended(`${file} cannot be read: ${error.message}`)))
  })
  failed.catch(() => {})
  const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]()
  for (;;) {
    const next = await Promise.race([lines.next(), failed])
    if (next.done) return
    number++
    if (next.value.trim() !== '') await take(next.value, `${basename(file)}:${number}`)
  }
}

async function take(line: string, at: string): Promise<void> {
  const imported = importedLine(line, options)
  if (imported.kind === 'refused') {
    refuse(at, imported.reason)
    return
  }
  const { kind, events } = imported
  for (const event of events) {
    const json = JSON.stringify(stamped(kind, event))
    const size = Buffer.byteLength(json)
    if (waiting[kind].length >= BATCH || bytes[kind] + size > BATCH_BYTES) await send(kind)
    waiting[kind].push({ json, at })
    bytes[kind] += size
  }
}

function stamped(kind: Kind, event: RawEvent): RawEvent {
  return kind === 'labels' ? { ...event, labelled_at: values['labelled-at'] } : event
}

function refuse(at: string, reason: string): void {
  refused++
  console.error(`${at}: ${reason}`)
}

interface Answer {
  accepted?: number
  rejected?: { index: number; message: string }[]
  detail?: string
}

async function send(kind: Kind): Promise<void> {
  const events = waiting[kind].splice(0)
  bytes[kind] = 0
  if (events.length === 0) return
  const { status, answer } = await post(kind, `[${events.map(({ json }) => json).join(',')}]`)
  if (status >= 300 && !(status === 400 && answer.rejected))
    throw new Ended(`${values.url} answered ${status}: ${answer.detail ?? 'no reason was given'}`)
  accepted[kind] += answer.accepted ?? 0
  for (const { index, message } of answer.rejected ?? []) refuse(events[index]?.at ?? '', message)
}

async function post(kind: Kind, body: string): Promise<{ status: number; answer: Answer }> {
  try {
    const response = await fetch(`${values.url}/v1/${kind}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(values.key && { authorization: `Bearer ${values.key}` }),
      },
      body,
    })
    const text = await response.text()
    return { status: response.status, answer: parsed(text) }
  } catch (error) {
    const { message, cause } = error as Error
    throw new Ended(`${values.url} cannot be reached: ${(cause as Error)?.message || message}`)
  }
}

/** What is no JSON object, a proxy's page for one, says nothing. */
function parsed(text: string): Answer {
  try {
    return (JSON.parse(text) ?? {}) as Answer
  } catch {
    return {}
  }
}
