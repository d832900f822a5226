/**
 * Replays the Massachusetts employment records (US census, 2015 to 2018) against a running
 * Plumbline: a real model's answers, their truth, and the protected attributes SEX and RAC1P. Rows
 * are spread evenly over each year.
 *
 *     node deploy/local/run.mjs examples/ma-employment.ts [rows]
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { plumblineClient } from './plumbline-client.ts'

const client = plumblineClient(
  process.env['PLUMBLINE_URL'] ?? 'http://127.0.0.1:8080',
  process.env['CLICKHOUSE_URL'] ?? 'http://127.0.0.1:8123',
)
const limit = Number(process.argv[2] ?? Infinity)
const FEATURES = [
  'AGEP',
  'SCHL',
  'MAR',
  'RELP',
  'DIS',
  'ESP',
  'CIT',
  'MIG',
  'MIL',
  'ANC',
  'NATIVITY',
  'DEAR',
  'DEYE',
  'DREM',
]
const BATCH = 5000

const text = gunzipSync(
  readFileSync(new URL('data/ma_employment.csv.gz', import.meta.url)),
).toString()
const [header = '', ...lines] = text.trim().split('\n')
const columns = header.trim().split(',')
const records = lines.map((line) =>
  Object.fromEntries(
    line
      .trim()
      .split(',')
      .map((cell, i) => [columns[i]!, cell]),
  ),
)
const byYear = [...Map.groupBy(records, (record) => Number(record['year']))].toSorted(
  ([a], [b]) => a - b,
)

let sent = 0
for (const [year, inYear] of byYear) {
  const start = Date.UTC(year, 0, 1)
  const step = (Date.UTC(year + 1, 0, 1) - start) / inYear.length
  for (let i = 0; i < inYear.length && sent < limit; i += BATCH) {
    const batch = inYear.slice(i, i + BATCH)
    const at = (k: number) => new Date(start + (i + k) * step).toISOString()
    await client.sendPredictions(
      batch.map((record, k) => ({
        prediction_id: `person-${record['id']}`,
        model_id: 'ma_employment',
        model_version: '1',
        predicted_at: at(k),
        prediction: record['prediction'],
        score: Number(record['predicted_probability']),
        features: Object.fromEntries(FEATURES.map((name) => [name, Number(record[name])])),
        attributes: { SEX: record['SEX'], RAC1P: record['RAC1P'] },
      })),
    )
    await client.sendLabels(
      batch.map((record, k) => ({
        label_id: `truth-${record['id']}`,
        model_id: 'ma_employment',
        prediction_id: `person-${record['id']}`,
        label: record['employed'],
        labelled_at: at(k),
        source: 'ground_truth',
      })),
    )
    sent += batch.length
  }
  console.log(`${year}: ${inYear.length} people, ${sent} in all`)
}
