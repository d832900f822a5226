/**
 * A window of a million events with twenty features, evaluated from its counts; and what target=all
 * needs of memory meanwhile.
 */
import { median } from 'simple-statistics'
import { verdictFeedbackQueries } from '../../services/drift/queries/verdict-feedback.ts'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { createMetrics } from '../../lib/runtime/metrics.ts'
import { parseModel, type Model } from '../../lib/models/model-files.ts'
import { createGauges } from '../../services/drift/publish/prometheus-gauges.ts'
import { createModelEvaluator } from '../../services/drift/loop/evaluate-model.ts'
import { BATCH } from '../../services/drift/loop/evaluate-batches.ts'
import { driftQueries } from '../../services/drift/queries/drift-queries.ts'
import { fill } from './counted-hour.ts'
import { onFreshEngine } from '../fresh-engine.ts'
import type { Result } from '../result.ts'

const EVENTS = 1_000_000
const TENFOLD = 10
const MODELS = 1000
const MODEL_FEATURES = 50
const hourly = (id: string) =>
  parseModel(`model_id: ${id}\ntask: binary\nwindows: { size: 1h, lateness: 15m }\n`)

export function benchWindow(rounds: number): Promise<Result[]> {
  return onFreshEngine(async (db, engine) => {
    for (const [id, events] of [
      ['bench', EVENTS],
      ['tenfold', EVENTS * TENFOLD],
    ] as const) {
      await fill(db, id, 0, EVENTS)
      await fill(db, id, 1, events)
    }
    await db.command('OPTIMIZE TABLE numeric_counts')
    // Three at a time, as the service has it.
    const evaluators = ['a', 'b', 'c'].map((name) => {
      const own = engine.connect(`drift-${name}`)
      const queries = driftQueries(own)
      const evaluate = createModelEvaluator({
        db: own,
        queries,
        decisions: verdictFeedbackQueries(own),
        eventLog: { append: async () => {} },
        gauges: createGauges(createMetrics()),
        now: () => Date.UTC(2026, 0, 2),
      })
      return async (models: readonly Model[]) => {
        const progress = await queries.progress(models)
        await Promise.all(
          models.map((model) => evaluate(model, progress.get(model.modelId)!, () => true)),
        )
      }
    })
    const evaluateAll = async (ids: readonly string[]) => {
      const waiting = [...ids]
      const begun = performance.now()
      await Promise.all(
        evaluators.map(async (evaluate) => {
          for (
            let some = waiting.splice(0, BATCH);
            some.length > 0;
            some = waiting.splice(0, BATCH)
          )
            await evaluate(some.map(hourly))
        }),
      )
      return (performance.now() - begun) / 1000
    }
    const timed = async (ids: readonly string[]) => {
      for (const table of ['window_metrics', 'window_revisions', 'verdicts', '`references`'])
        await db.command(`TRUNCATE TABLE ${table}`)
      return evaluateAll(ids)
    }
    const [million, tenMillion] = [[] as number[], [] as number[]]
    const ofWindows = watchedMemory()
    for (let round = 0; round < rounds; round++) {
      million.push(await timed(['bench']))
      tenMillion.push(await timed(['tenfold']))
    }
    const windowsMiB = ofWindows()
    const [evaluated] = await db.query<{ n: string }>('SELECT count() AS n FROM window_metrics')
    const settings = { features: 20, windows: 2, results: Number(evaluated?.n) }
    // The first windows become the references; what is timed are the next ones.
    const ids = Array.from({ length: MODELS }, (_, i) => `model-${i}`)
    await fillModels(db, 0)
    await evaluateAll(ids)
    await fillModels(db, 1)
    const ofModels = watchedMemory()
    const all = await evaluateAll(ids)
    const modelsMiB = ofModels()
    const result = (
      name: string,
      value: number,
      unit: string,
      against = '',
      ratio: number | null = null,
      of = rounds,
    ): Result => ({
      name,
      value,
      unit,
      against,
      ratio,
      rounds: of,
      settings,
    })
    const peer = evidently()
    const seconds = median(million)
    return [
      result('two windows of 1 000 000 x 20 evaluated, one by the other', seconds, 's'),
      result(
        'the same, the second of 10 000 000',
        median(tenMillion),
        's',
        '1 000 000',
        median(tenMillion) / seconds,
      ),
      result(
        `${MODELS} models x ${MODEL_FEATURES} features, the next window of each evaluated`,
        all,
        's',
        '30 s',
        all / 30,
        1,
      ),
      result(
        'Node itself, heap and buffers, while windows are evaluated',
        windowsMiB,
        'MiB',
        '300 MiB',
        windowsMiB / 300,
        1,
      ),
      result(
        `the same while ${MODELS} models are`,
        modelsMiB,
        'MiB',
        '300 MiB',
        modelsMiB / 300,
        1,
      ),
      result(
        'resident memory of the bench, engine included',
        process.memoryUsage().rss / 2 ** 30,
        'GiB',
        '1.5 GiB',
        process.memoryUsage().rss / 2 ** 30 / 1.5,
        1,
      ),
      ...peer.map(({ name, took }) => result(name, took, 's', 'ours', took / seconds, 1)),
    ]
  })
}

/**
 * The most that V8 holds at a time, without what the engine in the same process holds.
 *
 * @returns ends the watch, with the most of it in MiB
 */
function watchedMemory(): () => number {
  let most = 0
  const timer = setInterval(() => {
    const { heapTotal, external } = process.memoryUsage()
    most = Math.max(most, (heapTotal + external) / 2 ** 20)
  }, 20)
  return () => {
    clearInterval(timer)
    return most
  }
}

/**
 * Evidently on data frames of the same size, in a Python of the caller's that has it; left out, and
 * said so, where none is named.
 */
function evidently(): { name: string; took: number }[] {
  const python = process.env['PLUMBLINE_BENCH_PYTHON']
  if (!python) {
    console.error(
      "Evidently is left out: name a Python that has it in PLUMBLINE_BENCH_PYTHON (pip install evidently 'pandas<3')",
    )
    return []
  }
  const { stdout, status, stderr } = spawnSync(
    python,
    [fileURLToPath(new URL('evidently_peer.py', import.meta.url))],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 24,
    },
  )
  if (status !== 0) throw new Error(`evidently_peer.py failed: ${stderr.slice(-2000)}`)
  return JSON.parse(stdout) as { name: string; took: number }[]
}

/** An hour of 500 events for each of many models, as counts. */
async function fillModels(db: ClickHouse, hour: number) {
  const models = `(SELECT concat('model-', toString(number)) AS model_id, toDateTime('2026-01-01 00:00:00', 'UTC') + toIntervalHour(${hour}) AS step, '1' AS model_version, '' AS variant, false AS shadow
    FROM numbers(${MODELS}))`
  await db.command(
    `INSERT INTO event_counts (model_id, step, model_version, variant, shadow, events, errors, duplicates) SELECT model_id, step, model_version, variant, shadow, 500, 0, 0 FROM ${models}`,
  )
  await db.command(
    `INSERT INTO watermarks SELECT model_id, 'b', '0', step + toIntervalHour(2), now64(3) FROM ${models}`,
  )
  await db.command(
    `INSERT INTO numeric_counts (model_id, step, subject, model_version, variant, shadow, grid, bin, count, total, low, high) SELECT model_id, step, concat('f', toString(k)) AS subject, model_version, variant, shadow, 1, 16000 + b, 1 + b % 9, 1.0 * b, b, b
     FROM ${models} ARRAY JOIN range(${MODEL_FEATURES}) AS k ARRAY JOIN range(100) AS b`,
  )
}
