/** Results of windows as blocks of columns, read back as rows of `window_metrics`. */
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { encodeBlock } from '../../../lib/clickhouse/native/block.ts'
import { metricResult, type MetricResult } from '../../../services/drift/data/metric-results.ts'
import { ALL } from '../../../services/drift/data/cohort.ts'
import { metricBlock, type MetricBlock } from '../../../services/drift/publish/metric-block.ts'
import type { RevisionKey } from '../../../services/drift/publish/rows.ts'
import { migratedClickHouse } from '../../harness.ts'

let db: ClickHouse
beforeAll(async () => {
  db = (await migratedClickHouse()).db
})

const KEY: RevisionKey = {
  modelId: 'm',
  cohort: ALL,
  window: { start: Date.UTC(1969, 11, 31, 23), end: Date.UTC(1970, 0, 1) },
  revision: 2,
  episode: 'e-1',
  policyRevision: 'p',
  referenceRevisions: new Map([['spring', 3]]),
  referenceKinds: new Map([['spring', 'fixed']]),
  computedAt: Date.UTC(2026, 0, 1, 0, 0, 0, 7),
}

const insert = async (block: MetricBlock, token: string) =>
  db.insertBlock({ table: 'window_metrics', ...encodeBlock(block)!, token })

const rowsOf = (model: string) =>
  db.query<Record<string, unknown>>(
    'SELECT * FROM window_metrics WHERE model_id = {model:String} ORDER BY subject, metric',
    { model },
  )

const full: MetricResult = metricResult('drift', 'ä'.repeat(300), 'psi', -0.25, {
  method: 'weighted',
  precision: 'bounded',
  bound_low: -1,
  bound_high: 1e300,
  ci_low: 0.1,
  ci_high: 0.2,
  ci_level: 0.95,
  p_value: 0.01,
  p_adjusted: 0.02,
  baseline_value: 5e-324,
  threshold: 0.3,
  verdict: 'alarm',
  reason: "it's \\ \t\n \u0000 said",
  n_reference: 10.6,
  n_current: 2 ** 40,
  n_effective: 7.5,
  n_labelled: 3,
  label_maturity: 0.5,
  completeness: 0.75,
  reference: 'spring',
})

test('every column of a result is stored as it was given', async () => {
  const block = metricBlock()
  block.add([full], {
    ...KEY,
    modelId: 'full',
    cohort: { ...ALL, modelVersion: '7', variant: 'b' },
  })
  await insert(block, 'full')
  expect(await rowsOf('full')).toEqual([
    {
      ...full,
      model_id: 'full',
      model_version: '7',
      variant: 'b',
      slice_key: '',
      slice_value: '',
      window_start: '1969-12-31T23:00:00.000Z',
      window_end: '1970-01-01T00:00:00.000Z',
      revision: 2,
      computed_at: '2026-01-01T00:00:00.007Z',
      policy_revision: 'p',
      episode_id: 'e-1',
      reference_kind: 'fixed',
      reference_revision: 3,
      n_reference: '11',
      n_current: String(2 ** 40),
      n_labelled: '3',
    },
  ])
})

test('what cannot be known is NULL, and no number is', async () => {
  const block = metricBlock()
  const unknown = { value: null, ci_low: Number.NaN, ci_high: Number.POSITIVE_INFINITY }
  block.add([metricResult('drift', 'a', 'ks', null, {}), { ...full, subject: 'b', ...unknown }], {
    ...KEY,
    modelId: 'unknown',
  })
  await insert(block, 'unknown')
  const [a, b] = await rowsOf('unknown')
  expect(a).toMatchObject({
    value: null,
    ci_low: null,
    verdict: 'none',
    episode_id: '',
    reason: '',
  })
  expect(b).toMatchObject({ value: null, ci_low: null, ci_high: null, ci_level: 0.95 })
})

test('a row carries the revision of the reference that it was compared with', async () => {
  const block = metricBlock()
  block.add(
    [full, { ...full, reference: 'training' }, { ...full, reference: '' }].map((result, i) => ({
      ...result,
      subject: String(i),
    })),
    { ...KEY, modelId: 'references' },
  )
  await insert(block, 'references')
  expect((await rowsOf('references')).map((row) => row['reference_revision'])).toEqual([3, 1, 1])
})

test('a block that is filled again holds nothing of what it held, and one token stores once', async () => {
  const block = metricBlock()
  block.add([full, { ...full, subject: 'other' }], { ...KEY, modelId: 'first' })
  await insert(block, 'first')
  block.clear()
  expect(encodeBlock(block)).toBeUndefined()
  const slice = { key: 'region', value: 'south' }
  block.add([], { ...KEY, modelId: 'nothing' })
  block.add([metricResult('quality', 'x', 'missing_ratio', 0, {})], {
    ...KEY,
    modelId: 'second',
    cohort: { ...ALL, slice },
  })
  await insert(block, 'second')
  await insert(block, 'second')
  expect(await rowsOf('second')).toMatchObject([
    { slice_key: 'region', slice_value: 'south', value: 0, p_value: null, method: 'observed' },
  ])
  expect(await rowsOf('first')).toHaveLength(2)
})
