/** `npm run bench [-- --json]`: what Plumbline reaches, beside the ceilings of the same machine in the same run. */
import { cpus, tmpdir, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchGateway } from './gateway.ts'
import { benchIngest } from './ingest.ts'
import { benchWindow } from './window.ts'

export interface Result {
  name: string
  value: number
  unit: string
  /** What it is held against, and value / that. */
  against: string
  ratio: number | null
  rounds: number
  settings: Record<string, unknown>
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    events: { type: 'string', default: '300000' },
  },
})
const rounds = Number(values.rounds)
if (!values.json) {
  console.log(`npm run bench -- --rounds ${rounds} --events ${values.events}`)
  console.log(
    `${cpus().length} cores ${cpus()[0]?.model ?? ''}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, data in ${tmpdir()}; medians of ${rounds} alternating rounds\n`,
  )
}
const results: Result[] = []
for (const result of [
  ...(await benchIngest(rounds, Number(values.events))),
  ...(await benchGateway(rounds)),
  ...(await benchWindow(rounds)),
]) {
  results.push(result)
  if (values.json) console.log(JSON.stringify(result))
}
if (!values.json) {
  for (const r of results) {
    const ratio = r.ratio === null ? '' : `${r.ratio.toFixed(2)} x ${r.against}`
    console.log(
      `${r.name.padEnd(52)} ${Math.round(r.value * 100) / 100} ${r.unit}`.padEnd(82),
      ratio,
    )
  }
}
process.exit(0)
