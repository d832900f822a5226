/** Fills the ClickHouse folder that is named with what the pages of a large installation show. */
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { embeddedEngine } from '../../lib/clickhouse/embedded.ts'
import { migrateClickHouse } from '../../lib/clickhouse/migrations.ts'
import { fill } from '../window/counted-hour.ts'

const [folder = '', fleet = '0', days = '0', features = '0', events = '0'] = process.argv.slice(2)
const engine = embeddedEngine(folder)
const db = engine.connect('bench')
await migrateClickHouse(db)
await fillWindows(db, `concat('fleet-', toString(number))`, Number(fleet), 30, 3)
await fillWindows(db, `'years'`, 1, Number(days), Number(features))
await fill(db, 'compared', 0, Number(events) / 2)
await fill(db, 'compared', 1, Number(events) / 2)
await engine.close()
process.exit(0)

/**
 * Daily windows of some models with a number for each feature: every 50th result is an alarm. They
 * rest on counts that have gone, as where retention is short.
 */
async function fillWindows(
  to: ClickHouse,
  id: string,
  models: number,
  windows: number,
  numbers: number,
) {
  const at = `toDateTime64('2026-01-01 00:00:00', 3, 'UTC') - toIntervalDay(${windows} - w)`
  const all = `(SELECT ${id} AS model_id, '' AS model_version, '' AS variant, '' AS slice_key, '' AS slice_value, ${at} AS window_start, ${at} + toIntervalDay(1) AS window_end, 1 AS revision, ${at} + toIntervalDay(1) AS computed_at, '' AS policy_revision, w
    FROM numbers(${models}) ARRAY JOIN range(${windows}) AS w)`
  const window =
    'model_id, model_version, variant, slice_key, slice_value, window_start, window_end, revision, computed_at'
  await to.command(
    `INSERT INTO window_revisions (${window}, policy_revision, events, outcome_changes, maturity, worst, drift_alarm, episode_id) SELECT ${window}, policy_revision, 1000, 0, 1, 'ok', false, '' FROM ${all}`,
  )
  const results = `(SELECT *, concat('f', toString(k)) AS subject, metric, sin(w + k) AS value, if((w * 7 + k) % 50 = 0, 'alarm', 'ok') AS verdict
    FROM ${all} ARRAY JOIN range(${numbers}) AS k ARRAY JOIN ['psi', 'wasserstein', 'ks'] AS metric)`
  const result = `${window}, subject, metric, value, verdict`
  await to.command(
    `INSERT INTO window_metrics (${result}, policy_revision, family, convention, method, precision, n_reference, n_current, reference, reference_revision) SELECT ${result}, policy_revision, 'drift', 'plumbline', 'observed', 'bounded', 8000, 1000, 'baseline', 1 FROM ${results}`,
  )
  await to.command(
    `INSERT INTO verdicts (${result}, verdict_id, family, convention, previous_verdict, reference, restates) SELECT ${result}, hex(sipHash128(model_id, w, subject, metric)), 'drift', 'plumbline', '', 'baseline', 0 FROM ${results}`,
  )
  await to.command(
    `INSERT INTO watermarks SELECT DISTINCT model_id, 'bench', '0', toDateTime64('2026-01-01 00:00:00', 3, 'UTC'), toDateTime64('2026-01-01 00:00:00', 3, 'UTC') FROM ${all}`,
  )
}
