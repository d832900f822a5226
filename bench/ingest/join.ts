/**
 * The join of labels with predictions, in steady batches, beside one raw hash join of the same rows
 * by ClickHouse.
 */
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { TOPICS } from '../../schemas/topics.ts'
import { createJoin } from '../../services/feedback/loop/join.ts'
import { onFreshEngine } from '../fresh-engine.ts'
import type { Result } from '../result.ts'

const BLOCK = 100_000
const DAY_MS = 86_400_000

/**
 * Labels a tenth of `size` predictions, in three parts that grow, and joins each part. The labels
 * come in the order of their predictions, as truth that is a fixed while late does.
 *
 * @param size predictions; labels are a tenth of them
 */
export function benchJoin(size: number): Promise<Result[]> {
  return onFreshEngine(async (db) => {
    await predict(db, size)
    const labels = size / 10
    const steps = [labels / 10, (labels * 3) / 10, labels]
    const results: Result[] = []
    for (const [i, count] of steps.entries()) {
      const model = `joined_${i}`
      await relabel(db, model, size, count)
      const join = createJoin(db, { declared: [] })
      const [took, cpu] = await timed(async () => {
        while ((await join.resolve()).more);
      })
      const [raw] = await timed(() => rawJoin(db, model))
      await expectAll(db, model, count)
      const rate = count / took
      results.push({
        name: `join of ${spaced(count)} labels with ${spaced(size)} predictions`,
        value: rate,
        unit: 'labels/s',
        against: 'raw join in ClickHouse',
        ratio: raw / took,
        rounds: 1,
        settings: {
          cpuSeconds: cpu,
          rawSeconds: raw,
          seconds: took,
          rss: process.memoryUsage().rss,
        },
      })
      await db.command(`TRUNCATE TABLE outcome_revisions`)
    }
    return results
  })
}

const spaced = (n: number) => n.toLocaleString('en').replaceAll(',', ' ')

/** Seconds on the clock and of the processor. */
async function timed(run: () => Promise<void>): Promise<[number, number]> {
  const begun = performance.now()
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return [(performance.now() - begun) / 1000, (user + system) / 1e6]
}

/** The id is a hash, as a UUID is: near in time is not near in the order of ids. */
const ID = 'hex(sipHash128(n))'
const AT = (size: number) =>
  `toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(intDiv(n * ${DAY_MS}, ${size}))`

/**
 * One model's predictions per step, of which the last is the largest: each step finds as many
 * predictions.
 */
async function predict(db: ClickHouse, size: number) {
  for (let from = 0; from < size; from += BLOCK) {
    const source = `(SELECT number + ${from} AS n FROM numbers(${BLOCK}))`
    await db.command(
      `INSERT INTO predictions (model_id, model_version, prediction_id, predicted_at, prediction, score, attributes, topic, partition, log_epoch, offset)
       SELECT 'joined', '1', ${ID}, ${AT(size)}, toString(n % 2), sipHash64(n, 2) / 18446744073709551616,
         map('region', toString(n % 10)), '${TOPICS.predictions.topic}', '0', 'bench.1', n FROM ${source}`,
    )
    await db.command(
      `INSERT INTO prediction_times (model_id, prediction_id, predicted_at) SELECT 'joined', ${ID}, ${AT(size)} FROM ${source}`,
    )
    await range(db, TOPICS.predictions.topic, from, BLOCK)
  }
  const join = createJoin(db, { declared: [] })
  while ((await join.resolve()).more);
}

let labelled = 0

/** Every tenth prediction, up to `count` of them, is labelled. */
async function relabel(db: ClickHouse, set: string, size: number, count: number) {
  await db.command('TRUNCATE TABLE labels')
  const every = Math.floor(size / count)
  for (let from = 0; from < count; from += BLOCK) {
    const rows = Math.min(BLOCK, count - from)
    const source = `(SELECT (number + ${from}) * ${every} AS n, number + ${labelled} AS place FROM numbers(${rows}))`
    const origin = `'${TOPICS.labels.topic}', '0', 'bench.1', place`
    await db.command(
      `INSERT INTO labels (model_id, prediction_id, name, source, labelled_at, label_id, label, received_at, topic, partition, log_epoch, offset)
       SELECT 'joined', ${ID}, 'label', 'ground_truth', ${AT(size)} + 3600, concat('${set}-', toString(n)), toString(n % 2), now64(3), ${origin} FROM ${source}`,
    )
    await db.command(
      `INSERT INTO labels_waiting_log SELECT 'joined', ${ID}, concat('${set}-', toString(n)), now64(3), 1 FROM ${source}`,
    )
    await db.command(
      `INSERT INTO labels_arrived (model_id, prediction_id, label_id, labelled_at, topic, partition, log_epoch, offset)
       SELECT 'joined', ${ID}, concat('${set}-', toString(n)), ${AT(size)} + 3600, ${origin} FROM ${source}`,
    )
    await range(db, TOPICS.labels.topic, labelled, rows)
    labelled += rows
  }
}

const range = (db: ClickHouse, topic: string, first: number, rows: number) =>
  db.insertRows('sink_ranges', [
    {
      log_epoch: 'bench.1',
      topic,
      partition: '0',
      first,
      last: first + rows - 1,
      rows,
      rejected: 0,
      duplicates: 0,
      unknown_fields: 0,
    },
  ])

/**
 * What ClickHouse needs at least: it knows that every prediction has one label, and writes nothing
 * down.
 */
async function rawJoin(db: ClickHouse, set: string) {
  await db.query(
    `SELECT sum(cityHash64(p.predicted_at, p.model_version, p.prediction, p.score, p.scores, p.attributes, p.subject_id, l.label, l.labelled_at)) AS sum
     FROM predictions AS p INNER JOIN labels AS l ON p.model_id = l.model_id AND p.prediction_id = l.prediction_id
     WHERE startsWith(l.label_id, '${set}-')`,
  )
}

async function expectAll(db: ClickHouse, set: string, count: number) {
  const [row] = await db.query<{ joined: string; waiting: string }>(
    `SELECT (SELECT count() FROM outcome_revisions) AS joined, (SELECT count() FROM labels_waiting) AS waiting`,
  )
  if (Number(row?.joined) !== count || Number(row?.waiting) !== 0)
    throw new Error(`${set}: ${row?.joined} of ${count} labels were joined, ${row?.waiting} wait`)
}
