/** `npm run import -- --source`: files into a running Plumbline, exactly once. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Session } from 'chdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../../harness.ts'
import { ask, ROOT, startTarget, until, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
const FIELDS = `
      prediction_id: $.id
      model_version: "1"
      predicted_at: { path: $.at, time: epoch_ms }
      score: $.score
      features: { match: "f_*" }`
const sourceOf = (name: string, format: string) => `source: ${name}
files: x
format: ${format}
events:
  - type: prediction
    fields:
      model_id: ${name}${FIELDS}
`
const AT = Date.UTC(2025, 5, 1)
const rowOf = (i: number) => ({ id: `p-${i}`, at: AT + i, score: 0.5, f_a: i, f_b: `c${i % 3}` })

let plumbline: Running
beforeAll(async () => {
  mkdirSync(join(directory, 'sources'))
  for (const format of ['json', 'csv', 'parquet'])
    writeFileSync(join(directory, `sources/${format}.yaml`), sourceOf(`of-${format}`, format))
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_LOG_LEVEL: 'error',
  })
})
afterAll(() => plumbline?.stop())

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function begin(args: readonly string[], url = plumbline.url) {
  const child = spawn(
    process.execPath,
    ['scripts/import.ts', ...args, '--sources', join(directory, 'sources'), '--url', url],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code) => resolve({ code, stdout, stderr })),
  )
  return { child, ended }
}

/** Imports files of a source, with a state of its own. */
const imported = (source: string, files: string, more: readonly string[] = []) =>
  begin([
    '--source',
    source,
    '--files',
    join(directory, files),
    '--state',
    join(directory, `${source}.state`),
    ...more,
  ]).ended

const stored = async (model: string) =>
  (
    await ask(
      plumbline.clickhouseUrl,
      `SELECT count() AS rows, uniqExact(prediction_id) AS ids FROM predictions WHERE model_id = '${model}'`,
    )
  )[0]

test('JSON, in lines and as an array, gzipped too: once, however often it is imported', async () => {
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => JSON.stringify(rowOf(from + i))).join('\n')
  writeFileSync(join(directory, 'a.jsonl'), lines(0, 100))
  writeFileSync(join(directory, 'b.jsonl.gz'), gzipSync(lines(100, 200)))
  writeFileSync(
    join(directory, 'c.jsonl'),
    JSON.stringify(
      Array.from({ length: 50 }, (_, i) => rowOf(200 + i)),
      undefined,
      2,
    ),
  )
  const first = await imported('of-json', '*.jsonl*')
  expect(first.stdout).toMatch(/^250 messages read .*: 250 prediction events taken, 0 refused\n$/)
  expect(first.code).toBe(0)
  const second = await imported('of-json', '*.jsonl*')
  expect(second.stdout).toContain('no events taken, 0 refused\n  3 files were imported before')
  expect(await stored('of-json')).toEqual({ rows: '250', ids: '250' })
})

test('CSV: what is refused says where and why, and is written down', async () => {
  const cells = (i: number) => [`"p-${i}"`, AT + i, i === 7 ? 'high' : 0.5, i, `"a, ""b"""`]
  const rows = Array.from({ length: 20 }, (_, i) => cells(i).join(','))
  writeFileSync(
    join(directory, 'a.csv'),
    ['id,at,score,f_a,f_b', ...rows, 'short,1', `"",${AT},0.5,1,x`].join('\n'),
  )
  const { code, stdout, stderr } = await imported('of-csv', 'a.csv')
  expect(code).toBe(1)
  expect(stdout).toContain('22 messages read')
  expect(stdout).toContain('19 prediction events taken, 3 refused')
  expect(stderr).toContain('a.csv:8: score must be a finite number')
  expect(stderr).toContain('a.csv:21: the line has 2 cells, and there are 5 columns')
  expect(stderr).toContain('a.csv:22: prediction_id is required')
  const written = readFileSync(join(directory, 'of-csv.state.refused.ndjson'), 'utf8')
  expect(written.trim().split('\n')).toHaveLength(3)
  writeFileSync(join(directory, 'torn.csv'), `id,at,score,f_a,f_b\nq,${AT},1,1,x\n"r,${AT},1,1,x\n`)
  const torn = await imported('of-csv', 'torn.csv')
  expect(torn.code).toBe(1)
  expect(torn.stderr).toContain('torn.csv: is no CSV by RFC 4180: Quote Not Closed')
  expect(await stored('of-csv')).toEqual({ rows: '20', ids: '20' })
})

test('Parquet: an import that is killed goes on, and each row is stored once', async () => {
  const rows = 60_000
  const path = join(directory, 'a.parquet')
  const session = new Session()
  session.query(
    `INSERT INTO FUNCTION file('${path}', Parquet)
     SELECT concat('p-', toString(number)) AS id, toInt64(${AT} + number) AS at, 0.25 AS score, number AS f_a, ['x', 'y'][1 + number % 2] AS f_b FROM numbers(${rows})`,
  )
  session.close()
  const args = ['--source', 'of-parquet', '--files', path, '--state', join(directory, 'p.state')]
  const killed = begin(args)
  await until('some of it is kept', async () => {
    try {
      return readFileSync(join(directory, 'p.state'), 'utf8').includes('"rows"')
    } catch {
      return false
    }
  })
  killed.child.kill('SIGKILL')
  await killed.ended
  const rest = await begin(args).ended
  expect(rest.code).toBe(0)
  expect(await stored('of-parquet')).toEqual({ rows: String(rows), ids: String(rows) })
  const whole = await begin(args).ended
  expect(whole.stdout).toContain('1 files were imported before')
})

test('a mapping that no message fits says which path was missing, and sends nothing', async () => {
  writeFileSync(
    join(directory, 'other.jsonl'),
    '{"ident":"a","at":1748736000000,"score":1,"f_a":1}\n',
  )
  const dry = await imported('of-json', 'other.jsonl', ['--dry-run'])
  expect(dry.stdout).toContain('1 refused: no $.id (prediction_id)')
  const { code, stderr } = await imported('of-json', 'other.jsonl')
  expect(code).toBe(1)
  expect(stderr).toContain('other.jsonl:1: no $.id (prediction_id)')
})

test('wrong arguments, and a Plumbline that refuses, end in one sentence', async () => {
  expect(await imported('of-jsn', 'a.jsonl')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('has no source of-jsn; did you mean of-json?') as never,
  })
  expect(await imported('of-json', 'absent-*.jsonl')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no file is called') as never,
  })
  writeFileSync(join(directory, 'no.parquet'), 'this is no Parquet at all')
  const bad = await imported('of-parquet', 'no.parquet')
  expect(bad.code).toBe(1)
  expect(bad.stderr).toMatch(/no\.parquet: .*the same command goes on from here/s)
  const { ended } = begin(
    [
      '--source',
      'of-json',
      '--files',
      join(directory, 'other.jsonl'),
      '--state',
      join(directory, 'z.state'),
      '--key',
      'none',
    ],
    `${plumbline.url}/nowhere`,
  )
  expect((await ended).code).toBe(1)
})
