/**
 * The whole corpus and a fuzzer against a service, good events between them, everything measured.
 */
import { existsSync } from 'node:fs'
import { importedLine } from '../../services/ingest/wire-formats/sagemaker.ts'
import { ask, post, until } from '../servers/processes.ts'
import { corpus } from '../security/sql-port/corpus.ts'
import type { Row } from './attack-report.ts'
import type { Friend } from './friend.ts'
import { FUZZED_GROUPS, fuzzedCapture, fuzzedRequest, fuzzedStatement, sqlWire } from './fuzzer.ts'
import { CASES, SOCKETS, wireOf, type HostileCase } from './requests.ts'
import { send, type Answer, type Wire } from './sending.ts'
import { openSockets } from './sockets.ts'
import { LIVE, type Live } from './valid-requests.ts'

export interface Attacked {
  url: string
  /** The port of readers; without it no statement is sent and nothing set aside is counted. */
  clickhouseUrl: string | undefined
  friend: Friend
  isAlive: () => boolean
  /** Only groups whose name holds it; '' for all. */
  group: string
  seed: number
  /** Seconds of the fuzzer, all its groups together. */
  seconds: number
  /** An answer that takes longer is an error. */
  slowMs: number
  /** Told as each group ends. */
  onRow: (row: Row) => void
}

export interface Attack {
  rows: Row[]
  findings: string[]
  breaches: string[]
}

type ValidationResult = 'refused' | 'accepted' | 'error'
interface Input {
  /** How the input is told when it is an error. */
  name: string
  answer: () => Promise<Pick<Answer, 'status' | 'ms' | 'text'>>
  verdictOf?: (answer: Pick<Answer, 'status' | 'text'>) => ValidationResult
}

/** What a hostile statement must never leave behind. */
const LEAK = '/tmp/plumbline-leak'
const KEPT_FINDINGS = 100
/** So many hostile inputs, then a good event. */
const BETWEEN = 10
const AT_ONCE = 4
const QUIET_MS = 1500

/** Attacks group after group; ends early when the service dies. */
export async function attack(attacked: Attacked): Promise<Attack> {
  const result: Attack = { rows: [], findings: [], breaches: [] }
  const groups = groupsOf(attacked, result).filter(([name]) => name.includes(attacked.group))
  for (const [group, run] of groups) {
    if (!attacked.isAlive()) return result
    const row: Row = {
      group,
      inputs: 0,
      refused: 0,
      setAside: 0,
      accepted: 0,
      slowestMs: 0,
      errors: 0,
    }
    const before = await setAside(attacked)
    await run(row)
    await attacked.friend.send().catch(() => {})
    if (row.accepted > 0) row.setAside = (await settled(attacked, before)) - before
    result.rows.push(row)
    attacked.onRow(row)
  }
  return result
}

type Run = (row: Row) => Promise<void>

function groupsOf(attacked: Attacked, result: Attack): [string, Run][] {
  const { url, clickhouseUrl, seed } = attacked
  const fuzzers = ['SQL', 'SageMaker files', ...FUZZED_GROUPS].map((name) => `fuzzed ${name}`)
  const chosen = fuzzers.filter((name) => name.includes(attacked.group)).length
  const share = (attacked.seconds * 1000) / Math.max(1, chosen)
  const each =
    (inputs: Iterable<Input>, atOnce = 1): Run =>
    (row) =>
      sendAll(inputs, row, { attacked, result, atOnce })
  const fuzzed = (inputOf: (n: number) => Input): Run => {
    return (row) => each(untilPast(inputOf, share), AT_ONCE)(row)
  }
  const live = liveOf(url, clickhouseUrl)
  return [
    ['requests of the corpus', each(corpusInputs(url))],
    ['connections that never finish', (row) => sockets(attacked, row)],
    ...(clickhouseUrl === undefined ? [] : sqlGroups(attacked, result, { each, fuzzed })),
    ...FUZZED_GROUPS.map((group): [string, Run] => [
      `fuzzed ${group}`,
      fuzzed((n) => {
        const of = live()
        return wireInput(url, `${group} input ${n}`, fuzzedRequest(group, seed, n, of))
      }),
    ]),
    ['fuzzed SageMaker files', fuzzed((n) => captureInput(url, seed, n))],
  ]
}

function sqlGroups(
  { clickhouseUrl, seed }: Attacked,
  { breaches }: Attack,
  { each, fuzzed }: { each: (inputs: Input[]) => Run; fuzzed: (of: (n: number) => Input) => Run },
): [string, Run][] {
  const base = clickhouseUrl!
  const input = (name: string, wire: Wire): Input => ({
    ...wireInput(base, name, wire),
    verdictOf: (answer) => {
      if (/root:x?:0|BEGIN [A-Z ]*PRIVATE KEY/.test(answer.text)) breaches.push(name)
      // Limits of a question are told by ClickHouse's own code, also where it answers 500.
      const isTold = answer.status >= 400 && /Code: \d+\. DB::Exception/.test(answer.text)
      return isTold ? 'refused' : verdictOf(answer)
    },
  })
  const hostile = corpus('refused').map(({ sql, url }): Input => {
    const one = input(sql.slice(0, 120), sqlWire(sql, url))
    return {
      ...one,
      verdictOf: (answer) => {
        if (answer.status < 400) breaches.push(`answered: ${one.name}`)
        return one.verdictOf!(answer)
      },
    }
  })
  const good = [...corpus('answered'), ...corpus('recorded')].map(({ sql, url }): Input => {
    const one = input(sql.slice(0, 120), sqlWire(sql, url))
    return { ...one, verdictOf: ({ status }) => (status === 200 ? 'accepted' : 'error') }
  })
  return [
    ['hostile SQL', each(hostile)],
    ['SQL of known clients', each(good)],
    [
      'fuzzed SQL',
      async (row) => {
        await fuzzed((n) => input(`SQL input ${n}`, fuzzedStatement(seed, n)))(row)
        if (existsSync(LEAK)) breaches.push(`${LEAK} was written`)
      },
    ],
  ]
}

function* untilPast(inputOf: (n: number) => Input, ms: number): Generator<Input> {
  const begun = performance.now()
  for (let n = 0; performance.now() - begun < ms; n++) yield inputOf(n)
}

function* corpusInputs(url: string): Generator<Input> {
  for (const { name, steps } of CASES as readonly HostileCase[])
    for (const step of steps) {
      const wire = wireOf(step)
      if (step.repeat === undefined) yield wireInput(url, `${name}: ${step.path}`, wire)
      else
        for (const answer of Array.from({ length: step.repeat }, () => send(url, wire)))
          yield { name, answer: () => answer }
    }
}

const wireInput = (url: string, name: string, wire: Wire): Input => ({
  name: `${name}: ${wire.method} ${wire.path.slice(0, 200)}`,
  answer: () => send(url, wire),
})

/** A line of a file, and its events as the importer posts them. */
function captureInput(url: string, seed: number, n: number): Input {
  return {
    name: `SageMaker line ${n}`,
    answer: async () => {
      const imported = importedLine(fuzzedCapture(seed, n), {
        modelId: 'fuzzed',
        modelVersion: '1',
        columns: [],
        output: 'probability',
      })
      if (imported.kind === 'refused') return { status: 400, ms: 0, text: imported.reason }
      const told = { labelled_at: '2026-01-02T00:00:00Z' }
      return send(url, {
        method: 'POST',
        path: `/v1/${imported.kind}`,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(imported.events.map((event) => ({ ...told, ...event })))),
      })
    },
  }
}

interface Sending {
  attacked: Attacked
  result: Attack
  atOnce: number
}

async function sendAll(inputs: Iterable<Input>, row: Row, sending: Sending): Promise<void> {
  const iterator = inputs[Symbol.iterator]()
  const worker = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      if (!sending.attacked.isAlive()) return
      row.inputs++
      const isTurn = row.inputs % BETWEEN === 0
      await sendOne(next.value, row, sending)
      if (isTurn) await sending.attacked.friend.send().catch(() => {})
    }
  }
  await Promise.all(Array.from({ length: sending.atOnce }, worker))
}

async function sendOne(input: Input, row: Row, { attacked, result }: Sending): Promise<void> {
  const finding = (what: string) => {
    row.errors++
    if (result.findings.length < KEPT_FINDINGS) result.findings.push(`${input.name}: ${what}`)
  }
  let answer
  try {
    answer = await input.answer()
  } catch (error) {
    return finding(String(error))
  }
  row.slowestMs = Math.max(row.slowestMs, answer.ms)
  const verdict = (input.verdictOf ?? verdictOf)(answer)
  if (verdict === 'error') finding(`${answer.status} ${answer.text.slice(0, 300)}`)
  else if (answer.ms > attacked.slowMs) finding(`answered after ${Math.ceil(answer.ms)} ms`)
  if (verdict !== 'error') row[verdict]++
}

const verdictOf = ({ status }: Pick<Answer, 'status'>): ValidationResult =>
  status >= 500 ? 'error' : status >= 400 || status === 0 ? 'refused' : 'accepted'

async function sockets({ url, friend }: Attacked, row: Row): Promise<void> {
  for (const one of SOCKETS) {
    const begun = performance.now()
    const open = openSockets(url, one)
    row.inputs += one.connections
    await friend.send().catch(() => {})
    // Those without headers are ended; the others have begun a body, and may take as long as a
    // request may.
    const ended = until('half of them are ended', async () => open.open() <= one.connections / 2)
    await ended.then(
      () => (row.refused += open.opened() - open.open()),
      () => (row.errors += open.open()),
    )
    row.slowestMs = Math.max(row.slowestMs, performance.now() - begun)
    open.destroy()
  }
}

/**
 * What the service gives out to a friend, so that hostile requests get behind the first check:
 * asked now and then.
 */
function liveOf(url: string, clickhouseUrl: string | undefined): () => Live {
  let live: Live = LIVE
  let asked = 0
  const refresh = async () => {
    const claim = await post(`${url}/v1/reviews/claim`, { reviewer: 'ann', model_id: 'friend' })
    if (claim.status === 200) {
      const task = (await claim.json()) as { task_id: string; lease_id: string }
      live = { ...live, task: task.task_id, lease: task.lease_id }
    }
    const run = { model_id: 'friend', policy: 'asked', reason: 'asked' }
    const answer = await post(`${url}/v1/runs`, run)
    if (answer.status === 201)
      live = { ...live, run: ((await answer.json()) as { run_id: string }).run_id }
    if (clickhouseUrl === undefined) return
    const [verdict] = await ask<{ id: string }>(
      clickhouseUrl,
      'SELECT verdict_id AS id FROM verdicts LIMIT 1',
    )
    if (verdict) live = { ...live, verdict: verdict.id }
  }
  return () => {
    if (asked++ % 20 === 0) void refresh().catch(() => {})
    return live
  }
}

/** Rows of what was set aside, as readers see them. */
async function setAside({ clickhouseUrl }: Attacked): Promise<number> {
  if (clickhouseUrl === undefined) return 0
  const rows = await ask<{ n: string }>(
    clickhouseUrl,
    'SELECT (SELECT count() FROM dead_letters) + (SELECT count() FROM evaluation_failures) AS n',
  ).catch(() => [])
  return Number(rows[0]?.n ?? 0)
}

/** The count once nothing has come for a while. */
async function settled(attacked: Attacked, before: number): Promise<number> {
  let last = -1
  let now = before
  while (now !== last) {
    last = now
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    now = await setAside(attacked)
  }
  return now
}
