/**
 * `npm run attack [-- --seed N --seconds 60 --url http://127.0.0.1:8080]`: everything of `test/hostile` and
 * `test/security/sql-port`, then a fuzzer, against a service of its own or a running one on this machine, and a table of what it
 * did. Good events go between; the exit code is 1 when one is lost, or the service did not hold.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { peakMiB, startTarget, type Running } from '../test/servers/processes.ts'
import { attack } from '../test/hostile/attack.ts'
import { defeats, printed, type Report } from '../test/hostile/attack-report.ts'
import { friendlyTo, friendOf } from '../test/hostile/friend.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    'clickhouse-url': { type: 'string' },
    /** Only groups whose name holds this. */
    group: { type: 'string', default: '' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    seconds: { type: 'string', default: '60' },
    'slow-ms': { type: 'string', default: '30000' },
    'memory-mib': { type: 'string', default: '2048' },
  },
})
const MAX_SECONDS = 3600
const [seed, seconds, slowMs, memoryLimitMiB] = (
  ['seed', 'seconds', 'slow-ms', 'memory-mib'] as const
).map((name) => numberOf(name, values[name])) as [number, number, number, number]
if (seconds > MAX_SECONDS) fail(`--seconds is at most ${MAX_SECONDS}`)
for (const name of ['url', 'clickhouse-url'] as const) mustBeLoopback(name, values[name])

const directory = mkdtempSync(join(tmpdir(), 'plumbline-attack-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
process.once('SIGINT', () => process.exit(130))
const begun = performance.now()
const env = friendlyTo(directory)
let own = values.url === undefined ? await started() : undefined
const service = () => ({
  url: own?.url ?? values.url!,
  clickhouseUrl: own?.clickhouseUrl ?? values['clickhouse-url'] ?? '',
})
const hasReaders = service().clickhouseUrl !== ''
console.log(`attacking ${service().url} with --seed ${seed}`)
const friend = friendOf(service, `friend-${Date.now()}`)
const before = await stateOfStores()
let seenMiB: number | undefined
const watch = setInterval(() => void lookAtMemory(), 1000)
const result = await attack({
  url: service().url,
  clickhouseUrl: hasReaders ? service().clickhouseUrl : undefined,
  friend,
  group: values.group,
  isAlive: () => own === undefined || own.child.exitCode === null,
  seed,
  seconds,
  slowMs,
  onRow: ({ group, inputs }) => console.log(`${group}: ${inputs} inputs`),
})
clearInterval(watch)
if ((await stateOfStores()) !== before)
  result.breaches.push('tables, users, roles or functions of the stores are others than before')
const hasDied = own !== undefined && own.child.exitCode !== null
const report: Report = {
  seed,
  ...result,
  ...(await outcome()),
  memoryLimitMiB,
  hasDied,
  seconds: 0,
}
report.seconds = (performance.now() - begun) / 1000
console.log(`\n${printed(report)}`)
if (own) {
  if (hasDied || report.restartWorks === false) console.log(own.log().slice(-4000))
  await own.stop()
}
process.exit(defeats(report).length > 0 ? 1 : 0)

async function started(): Promise<Running> {
  return startTarget('all', env)
}

/**
 * What is left at the end: the good events, memory, and whether the service starts again with
 * everything good in it.
 */
async function outcome() {
  if (hasReaders) await friend.allStored().catch(() => {})
  const isAlive = own?.child.exitCode === null
  const peak = own && isAlive ? peakMiB(own) : seenMiB
  const restartWorks = own && (await restarted())
  const { rows, events } = hasReaders
    ? await friend.stored().catch(() => ({ rows: 0, events: 0 }))
    : { rows: friend.sent(), events: friend.sent() }
  const good = { sent: friend.sent(), again: friend.again(), slowestMs: friend.slowestMs() }
  return { good: { ...good, stored: events, rows }, peakMiB: peak, restartWorks }
}

async function restarted(): Promise<boolean> {
  try {
    const code = await own!.stop()
    own = await started()
    await friend.send()
    await friend.allStored()
    return code === 0
  } catch {
    return false
  }
}

/** What no statement of a reader may change; '' where the writer's password is not known. */
async function stateOfStores(): Promise<string> {
  if (!own || own.child.exitCode !== null) return ''
  const key = readFileSync(join(directory, 'data/clickhouse.secret'), 'utf8')
  const response = await fetch(own.clickhouseUrl, {
    method: 'POST',
    headers: { 'x-clickhouse-user': 'plumbline', 'x-clickhouse-key': key },
    body: "SELECT (SELECT groupArray((database, name, engine)) FROM (SELECT * FROM system.tables WHERE database != 'system' ORDER BY database, name)), (SELECT groupArray(name) FROM system.users), (SELECT groupArray(name) FROM system.roles), (SELECT groupArray(name) FROM (SELECT name FROM system.functions WHERE origin != 'System' ORDER BY name))",
  })
  return response.text()
}

async function lookAtMemory(): Promise<void> {
  const text = await fetch(`${service().url}/metrics`).then(
    (answer) => answer.text(),
    () => '',
  )
  const bytes = /^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]
  if (bytes !== undefined) seenMiB = Math.max(seenMiB ?? 0, Number(bytes) / 2 ** 20)
}

function numberOf(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0) fail(`--${name} must be a whole number`)
  return number
}

function mustBeLoopback(name: string, url: string | undefined): void {
  if (url === undefined) return
  if (!URL.canParse(url) || new URL(url).hostname !== '127.0.0.1')
    fail(`--${name} must be of this machine, http://127.0.0.1:<port>: nothing else is attacked`)
}

function fail(sentence: string): never {
  console.error(sentence)
  process.exit(2)
}
