/**
 * `npm run import` of a Parquet file into `--target=all`, beside the engine's own INSERT SELECT of the
 * same file into the same table, which validates nothing and counts nothing.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'
import { median } from 'simple-statistics'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { ask, ROOT, startTarget, type Running } from '../../test/servers/processes.ts'
import { onFreshEngine } from '../fresh-engine.ts'
import { measured } from './measured.ts'
import { cpuSecondsOf, cpuSecondsOfEnded } from '../process-cpu.ts'
import type { Result } from '../result.ts'

const FEATURES = Array.from({ length: 20 }, (_, k) => `f${k}`)
/** Event times move as at so many rows a second. */
const ROWS_PER_SECOND = 1000
const COLUMNS = [
  "concat('0198c1f2-7d10-7aaa-8bbb-', toString(100000000000 + number)) AS id",
  `toInt64(1767225600000 + intDiv(number * 1000, ${ROWS_PER_SECOND})) AS at`,
  'toString(number % 3 = 0 ? 1 : 0) AS prediction',
  '((number * 7919) % 10007) / 10007 AS score',
  "concat('r', toString(number % 7)) AS region",
  ...FEATURES.map((name, k) => `round(sin((number + 1) * ${k + 1}) * 100000) / 1000 AS ${name}`),
]
const sourceOf = (name: string) => `source: ${name}
files: x
format: parquet
events:
  - type: prediction
    fields:
      prediction_id: $.id
      model_id: ${name}
      model_version: "7"
      predicted_at: { path: $.at, time: epoch_ms }
      prediction: $.prediction
      score: $.score
      features: { match: "f*" }
      attributes: { list: [region] }
`

interface Round {
  rowsPerSecond: number
  /** Microseconds of CPU a row. */
  ofImport: number
  ofService: number
  /** Rows a second, and a CPU-second, of the engine alone. */
  ceiling: { wallPerSecond: number; cpuPerSecond: number }
}

/** Imports a file of so many rows, a model a round, so that no id is a repeat. */
export async function benchImport(rounds: number, rows: number): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const path = join(directory, 'rows.parquet')
  const sources = join(directory, 'sources')
  mkdirSync(sources)
  writeRows(path, rows)
  const service = await startTarget('all', { PLUMBLINE_DATA_DIR: join(directory, 'data') })
  try {
    const found: Round[] = []
    for (let round = 0; round < rounds; round++) {
      const name = `bench-${round}`
      writeFileSync(join(sources, `${name}.yaml`), sourceOf(name))
      const ceiling = await onFreshEngine((db) => measured(rows, () => insertSelect(db, path)))
      found.push({ ...(await imported(service, { directory, name, path, rows })), ceiling })
    }
    return resultsOf(found, { rows, bytes_per_row: Math.round(statSync(path).size / rows) })
  } finally {
    await service.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Writes rows by an engine without our rules, which let nobody write files. */
function writeRows(path: string, rows: number): void {
  const session = new Session()
  session.query(
    `INSERT INTO FUNCTION file('${path}', Parquet) SELECT ${COLUMNS.join(', ')} FROM numbers(${rows})`,
  )
  session.close()
}

async function insertSelect(db: ClickHouse, path: string): Promise<void> {
  const features = FEATURES.map((name) => `'${name}', ${name}::Variant(Float64, String, Bool)`)
  await db.command(
    `INSERT INTO predictions (model_id, model_version, prediction_id, predicted_at, prediction, score, features, attributes)
     SELECT 'bench', '7', id, fromUnixTimestamp64Milli(at), prediction, score, map(${features.join(', ')}), map('region', region)
     FROM file('${path}', Parquet)`,
  )
}

async function imported(
  service: Running,
  of: { directory: string; name: string; path: string; rows: number },
): Promise<Omit<Round, 'ceiling'>> {
  const { directory, name, path, rows } = of
  const before = { service: cpuSecondsOf(service.child.pid!), ended: cpuSecondsOfEnded() }
  const begun = performance.now()
  const child = spawn(
    process.execPath,
    [
      ...[...process.execArgv, join(ROOT, 'scripts/import.ts'), '--source', name],
      ...['--sources', join(directory, 'sources'), '--files', path],
      ...['--state', join(directory, `${name}.state`), '--url', service.url],
    ],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const code = await new Promise((resolve) => child.once('close', resolve))
  const seconds = (performance.now() - begun) / 1000
  if (code !== 0) throw new Error(`the import of ${path} ended with ${String(code)}`)
  const used = {
    service: cpuSecondsOf(service.child.pid!) - before.service,
    ended: cpuSecondsOfEnded() - before.ended,
  }
  const [stored] = await ask(
    service.clickhouseUrl,
    `SELECT count() AS rows FROM predictions WHERE model_id = '${name}'`,
  )
  if (stored?.['rows'] !== String(rows))
    throw new Error(`${stored?.['rows']} rows were stored of ${rows}`)
  return {
    rowsPerSecond: rows / seconds,
    ofImport: (used.ended * 1e6) / rows,
    ofService: (used.service * 1e6) / rows,
  }
}

function resultsOf(found: readonly Round[], settings: Record<string, unknown>): Result[] {
  const of = (value: (round: Round) => number) => median(found.map(value))
  const common = { rounds: found.length, settings }
  const alone = { ...common, against: '', ratio: null }
  const cpuPerSecond = of(({ ofImport, ofService }) => 1e6 / (ofImport + ofService))
  const against = 'INSERT SELECT of the engine'
  const ceiling = {
    wall: of(({ ceiling: { wallPerSecond } }) => wallPerSecond),
    cpu: of(({ ceiling: { cpuPerSecond: cpu } }) => cpu),
  }
  return [
    { ...alone, name: 'INSERT SELECT of the same file', value: ceiling.wall, unit: 'rows/s' },
    { ...alone, name: 'INSERT SELECT of the same file', value: ceiling.cpu, unit: 'rows/CPU-s' },
    {
      ...common,
      name: 'import of Parquet',
      value: of(({ rowsPerSecond }) => rowsPerSecond),
      unit: 'rows/s',
      against,
      ratio: of(({ rowsPerSecond, ceiling: { wallPerSecond } }) => rowsPerSecond / wallPerSecond),
    },
    {
      ...common,
      name: 'import of Parquet, both processes',
      value: cpuPerSecond,
      unit: 'rows/CPU-s',
      against,
      ratio: cpuPerSecond / ceiling.cpu,
    },
    {
      ...alone,
      name: 'import of Parquet: CPU of the import, start included',
      value: of(({ ofImport }) => ofImport),
      unit: 'µs/row',
    },
    {
      ...alone,
      name: 'import of Parquet: CPU of the service',
      value: of(({ ofService }) => ofService),
      unit: 'µs/row',
    },
  ]
}
