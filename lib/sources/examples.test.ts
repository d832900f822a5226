/** The examples of `examples/sources`, each on the file that it names. */
import { expect, test } from 'vitest'
import { FlatRecord } from '../events/flat-record.ts'
import { createValidator } from '../events/validator.ts'
import { fileMessages } from './import/rows.ts'
import { compileSource, EVENT_SCHEMAS } from './mapping.ts'
import { readSources } from './source-files.ts'

const sources = new Map(readSources('examples/sources').map((source) => [source.name, source]))

const plainOf = (value: unknown): unknown =>
  value instanceof FlatRecord
    ? Object.fromEntries(
        value.names.flatMap((name, i) =>
          value.values[i] === undefined ? [] : [[name, plainOf(value.values[i])]],
        ),
      )
    : value

/** Valid events, by type, and what was left out or refused. */
async function become(name: string) {
  const source = sources.get(name)!
  const { map } = compileSource(source.file)
  const events: Record<string, unknown[]> = {}
  const others: string[] = []
  for await (const messages of fileMessages(source.file.files!, source, 0))
    for (const { decoded, bytes } of messages) {
      if ('code' in decoded) throw new Error(decoded.text)
      const { results, filtered } = map({
        body: decoded.value,
        meta: { modified: Date.UTC(2026, 0, 31) },
        bytes,
      })
      if (filtered !== undefined) others.push(filtered)
      for (const result of results) {
        if ('fault' in result) throw new Error(result.fault)
        const verdict = createValidator(EVENT_SCHEMAS[result.type]).numbersOrNone(result.event)
        if (!verdict.ok) throw new Error(verdict.rejection.message)
        expect(verdict.unknownFields).toBe(0)
        ;(events[result.type] ??= []).push(plainOf(verdict.event))
      }
    }
  return { events, others }
}

test('Databricks inference tables: one prediction a row of a request', async () => {
  const { events, others } = await become('databricks-inference-table')
  expect(others).toEqual(['where $.status_code'])
  expect(events['prediction']).toEqual([
    {
      prediction_id: '1c4f8a5e-0f4e-4b1e-9d0a-6f0b7a3f6c11/0',
      request_id: 'order-881',
      model_id: 'fraud',
      model_version: '7',
      predicted_at: '2026-01-31T12:00:00.123Z',
      prediction: 0,
      latency_ms: 42,
      sampling_fraction: 1,
      features: { amount: 120.5, country: 'DE', age_days: 881 },
    },
    expect.objectContaining({
      prediction: 1,
      features: { amount: 9.99, country: 'FR', age_days: 3 },
    }),
    expect.objectContaining({ features: { amount: 15, country: null, age_days: 40 } }),
  ])
})

test('SageMaker data capture: rows of CSV in and out', async () => {
  const { events } = await become('sagemaker-data-capture')
  expect(events['prediction']).toEqual([
    {
      prediction_id: '6f1f2c34-0a63-4c5e-a1a6-3f2b0c8e7a01/0',
      model_id: 'churn',
      model_version: '3',
      predicted_at: '2026-01-31T12:00:00.000Z',
      score: 0.0312,
      features: { tenure: 12, plan: 'basic', monthly: 29.9 },
    },
    expect.objectContaining({
      score: 0.8144,
      features: { tenure: 1, plan: 'plus', monthly: 59.5 },
    }),
    expect.objectContaining({ score: 0.1207 }),
  ])
})

test('KServe’s file batches: halves of exchanges, for ingest to pair', async () => {
  const { events } = await become('kserve-file-batches')
  const halves = events['inference'] as Record<string, string>[]
  expect(halves.map(({ exchange_id, part }) => [exchange_id, part])).toEqual([
    ['9f3e0001', 'request'],
    ['9f3e0001', 'response'],
    ['9f3e0002', 'request'],
    ['9f3e0002', 'response'],
  ])
  expect(JSON.parse(halves[1]!['body']!)).toMatchObject({ model_name: 'iris' })
})

test('Arize’s columns: predictions, and truth where it is known', async () => {
  const { events } = await become('arize-columns')
  expect(events['prediction']).toEqual([
    {
      prediction_id: '1fcd50f4689',
      model_id: 'claims',
      model_version: '2.1',
      predicted_at: '2026-01-31T12:00:00.000Z',
      prediction: 'No Claims',
      score: 0.41,
      features: { state: 'ca', amount: 120.5 },
      attributes: { gender: 'female' },
      attributions: { amount: 0.02 },
    },
    expect.objectContaining({ features: { state: 'ny, upstate', amount: 990 } }),
    expect.objectContaining({
      prediction_id: '00501',
      features: { state: null, amount: 15 },
      attributions: {},
    }),
  ])
  expect(events['label']).toEqual([
    expect.objectContaining({ label_id: 'actual-1fcd50f4689', label: 'No Claims' }),
    expect.objectContaining({ prediction_id: '00501', label: 'Claims' }),
  ])
})
