/**
 * `npm run import` of objects of S3, which moto doubles: it checks signatures as S3 does. No server
 * of S3 itself was asked.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Session } from 'chdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startS3, type LocalS3 } from '../../../deploy/local/s3.ts'
import { s3Table } from '../../../lib/clickhouse/s3-objects.ts'
import { temporaryDirectory } from '../../harness.ts'
import { ask, ROOT, startTarget, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
const AT = Date.UTC(2026, 0, 1)
const ROWS = 30_000
let s3: LocalS3
let plumbline: Running
beforeAll(async () => {
  s3 = await startS3(['fraud', 'salaries'])
  mkdirSync(join(directory, 'sources'))
  for (const format of ['parquet', 'json', 'csv'])
    writeFileSync(join(directory, `sources/${format}.yaml`), sourceOf(format))
  put('fraud/a.parquet', 'Parquet', rowsOf(0, ROWS))
  put('fraud/b.parquet', 'Parquet', rowsOf(ROWS, 10))
  const line = (i: number) => `{"id":"j-${i}","at":${AT + i},"score":0.5,"f_a":${i}}`
  put('fraud/lines.jsonl.gz', 'LineAsString', linesOf([1, 2, 3].map(line)))
  put(
    'fraud/rows.csv',
    'LineAsString',
    linesOf(['id,at,score,f_a,note', `c-1,${AT},0.5,7,"a\n,b"`, `c-2,${AT},0.5,8,`]),
  )
  put('salaries/secret.parquet', 'Parquet', rowsOf(0, 1))
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_LOG_LEVEL: 'error',
  })
})
afterAll(async () => {
  await plumbline?.stop()
  await s3?.stop()
})

const sourceOf = (format: string) => `source: ${format}
files: s3://fraud/*.parquet
s3:
  endpoint: ${s3.endpoint}
  allow: [fraud]
  access_key_id: secret://env/TEST_S3_KEY
  secret_access_key: secret://env/TEST_S3_SECRET
format: ${format}
events:
  - type: prediction
    fields:
      prediction_id: $.id
      model_id: of-${format}
      model_version: "1"
      predicted_at: { path: $.at, time: epoch_ms }
      score: $.score
      features: { match: "f_*" }
      attributes: { fields: { file: $meta.file } }
`
const rowsOf = (from: number, rows: number) =>
  `SELECT concat('p-', toString(number)) AS id, toInt64(${AT} + number) AS at, 0.25 AS score, number / 3 AS f_a FROM numbers(${from}, ${rows})`
const linesOf = (lines: readonly string[]) =>
  `SELECT arrayJoin([${lines.map((line) => `'${line.replaceAll('\n', '\\n')}'`).join(', ')}])`

function put(path: string, format: string, select: string): void {
  const access = { endpoint: s3.endpoint, key: { ...s3.key, sessionToken: undefined } }
  const session = new Session()
  session.query(
    `INSERT INTO FUNCTION ${s3Table(access, path, format)} SETTINGS s3_truncate_on_insert=1 ${select}`,
  )
  session.close()
}

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

async function imported(
  source: string,
  files: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const child = spawn(
    process.execPath,
    [
      ...['scripts/import.ts', '--source', source, '--sources', join(directory, 'sources')],
      ...['--url', plumbline.url, '--state', join(directory, `${source}.state`)],
      ...files.flatMap((pattern) => ['--files', pattern]),
    ],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TEST_S3_KEY: s3.key.id, TEST_S3_SECRET: s3.key.secret, ...env },
    },
  )
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, stdout, stderr }
}

const stored = (model: string) =>
  ask(
    plumbline.clickhouseUrl,
    `SELECT attributes['file'] AS file, count() AS rows, uniqExact(prediction_id) AS ids FROM predictions WHERE model_id = '${model}' GROUP BY file ORDER BY file`,
  )

test('Parquet: every object that the pattern fits, once, however often it is imported', async () => {
  const first = await imported('parquet', [])
  expect(first).toMatchObject({ code: 0 })
  expect(first.stdout).toContain(`${ROWS + 10} prediction events taken, 0 refused`)
  const again = await imported('parquet', [])
  expect(again.stdout).toContain('2 files were imported before')
  expect(await stored('of-parquet')).toEqual([
    { file: 's3://fraud/a.parquet', rows: String(ROWS), ids: String(ROWS) },
    { file: 's3://fraud/b.parquet', rows: '10', ids: '10' },
  ])
  expect(readFileSync(join(directory, 'parquet.state'), 'utf8')).not.toContain(s3.key.secret)
})

test('JSON that is compressed, and CSV with a line in a cell', async () => {
  expect(await imported('json', ['s3://fraud/*.jsonl.gz'])).toMatchObject({ code: 0 })
  expect(await stored('of-json')).toMatchObject([{ rows: '3' }])
  expect(await imported('csv', ['s3://fraud/rows.csv'])).toMatchObject({ code: 0 })
  expect(await stored('of-csv')).toMatchObject([{ rows: '2', ids: '2' }])
})

test('an object that was replaced is read anew', async () => {
  put('fraud/b.parquet', 'Parquet', rowsOf(50_000, 5))
  const { stdout } = await imported('parquet', [])
  expect(stdout).toContain('5 prediction events taken, 0 refused\n  1 files were imported before')
})

test('what the source does not allow is not asked for; refusals are told without a secret', async () => {
  const other = await imported('parquet', ['s3://salaries/*.parquet'])
  expect(other).toMatchObject({ code: 2, stdout: '' })
  expect(other.stderr).toContain(
    's3://salaries/*.parquet is not within what the source allows: fraud',
  )
  expect(await imported('parquet', ['s3://fraud/none*'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no file is called s3://fraud/none*') as never,
  })
  const wrong = 'not-the-secret-of-this-user'
  const refused = await imported('parquet', [], { TEST_S3_SECRET: wrong })
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(
    /s3:\/\/fraud\/\*\.parquet cannot be listed: .*SignatureDoesNotMatch/,
  )
  expect(refused.stderr).not.toContain(wrong)
  expect(await imported('parquet', [], { TEST_S3_SECRET: '' })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('secret://env/TEST_S3_SECRET is not set') as never,
  })
})
