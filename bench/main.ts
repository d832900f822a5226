/**
 * `npm run bench [-- --json --only ingest,consumers,import,gateway,otlp,window,slices,truth,join,reviews,idle,clients]`:
 * what Plumbline reaches, beside the ceilings of the same machine in the same run. `clients` is
 * left out unless it is named: it compiles a peer.
 */
import { cpus, tmpdir, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchClients } from './ingest/clients.ts'
import { benchConsumers } from './ingest/consumers.ts'
import { benchGateway } from './servers/gateway.ts'
import { benchIdle } from './servers/idle.ts'
import { benchImport } from './ingest/import.ts'
import { benchIngest } from './ingest/ingest.ts'
import { benchJoin } from './ingest/join.ts'
import { benchOtlp } from './ingest/otlp.ts'
import { benchPages } from './servers/pages.ts'
import { benchReviewQueue } from './servers/review-queue.ts'
import { benchSlices } from './window/slices.ts'
import { benchTruth } from './window/truth.ts'
import type { Result } from './result.ts'
import { benchWindow } from './window/window.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    events: { type: 'string', default: '300000' },
    only: {
      type: 'string',
      default: 'ingest,consumers,import,gateway,otlp,window,slices,truth,join,reviews,idle',
    },
    rows: { type: 'string', default: '1000000' },
    tasks: { type: 'string', default: '100000' },
    predictions: { type: 'string', default: '10000000' },
    compared: { type: 'string', default: '10000000' },
  },
})
const rounds = Number(values.rounds)
if (!values.json) {
  console.log(`npm run bench -- --rounds ${rounds} --events ${values.events}`)
  console.log(
    `${cpus().length} cores ${cpus()[0]?.model ?? ''}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, data in ${tmpdir()}; medians of ${rounds} alternating rounds\n`,
  )
}
const parts: Record<string, () => Promise<Result[]>> = {
  ingest: () => benchIngest(rounds, Number(values.events)),
  consumers: () => benchConsumers(rounds, Number(values.events)),
  import: () => benchImport(rounds, Number(values.rows)),
  gateway: () => benchGateway(rounds),
  otlp: () => benchOtlp(rounds),
  window: () => benchWindow(rounds),
  slices: () => benchSlices(rounds),
  truth: () => benchTruth(rounds),
  join: () => benchJoin(Number(values.predictions)),
  clients: () => benchClients(rounds, Number(values.events)),
  reviews: () => benchReviewQueue(values.tasks.split(',').map(Number)),
  pages: () => benchPages(rounds, Number(values.compared)),
  idle: () => benchIdle(),
}
for (const name of values.only.split(',')) {
  const part = parts[name]
  if (!part) throw new Error(`--only takes ${Object.keys(parts).join(', ')}, not ${name}`)
  for (const r of await part()) {
    const ratio = r.ratio === null ? '' : `${r.ratio.toFixed(2)} x ${r.against}`
    console.log(
      values.json
        ? JSON.stringify(r)
        : `${r.name.padEnd(52)} ${Math.round(r.value * 100) / 100} ${r.unit}`.padEnd(83) +
            ratio +
            (r.note === undefined ? '' : ` (${r.note})`),
    )
  }
}
process.exit(0)
