/**
 * Killed between the inserts of a revision: the window comes again, and nothing that was said of it
 * is lost.
 */
import { beforeAll, expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { evaluateOn } from '../../evaluating.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const modelOf = (id: string) =>
  parseModel(
    `{ model_id: ${id}, task: binary, windows: { size: 1h, lateness: 15m, min_count: 50 }, references: { baseline: { kind: first, windows: 1, baseline: true } } }`,
  )

let stream: Pipeline
let drift: ClickHouse

beforeAll(async () => {
  stream = await pipeline()
  drift = stream.connect('drift')
})

const emit = (model: string, hour: number, count: number, shift: number) =>
  stream.predictions(
    Array.from({ length: count }, (_, i) => ({
      prediction_id: `${hour}-${shift}-${i}`,
      model_id: model,
      model_version: '1',
      predicted_at: new Date(START + hour * HOUR + i * 1000).toISOString(),
      features: { x: (i % 20) + shift },
    })),
  )

/** An evaluation whose process dies before it inserts into this table. */
const dyingAt = (table: string, now: number) =>
  evaluateOn(
    {
      ...drift,
      insertRows: async (into, rows, token) => {
        if (into === table) throw new Error('killed')
        await drift.insertRows(into, rows, token)
      },
    },
    { now: () => now },
  )

test.each(['verdicts', 'window_revisions'])(
  'before the insert into %s, at first and when a window is restated',
  async (table) => {
    const model = modelOf(`cut_${table}`)
    const standing = () =>
      stream.db.query<{ verdict: string; revision: number }>(
        `SELECT argMax(verdict, revision) AS verdict, max(revision) AS revision FROM verdicts
         WHERE model_id = '${model.modelId}' AND metric = 'psi' AND subject = 'x' AND reference = 'baseline' AND toUnixTimestamp64Milli(window_start) = ${START + HOUR}`,
      )
    await emit(model.modelId, 0, 100, 0)
    await evaluateOn(drift, { now: () => START + 3 * HOUR })(model)
    await emit(model.modelId, 1, 100, 15)
    await expect(dyingAt(table, START + 3 * HOUR)(model)).rejects.toThrow('killed')
    await evaluateOn(drift, { now: () => START + 3 * HOUR })(model)
    expect(await standing()).toEqual([{ verdict: 'alarm', revision: 2 }])
    // Late events take the shift back.
    await emit(model.modelId, 1, 2000, 0)
    await expect(dyingAt(table, START + 4 * HOUR)(model)).rejects.toThrow('killed')
    await evaluateOn(drift, { now: () => START + 4 * HOUR })(model)
    expect(await standing()).toEqual([{ verdict: 'ok', revision: 4 }])
    expect(
      await stream.db.query(
        `SELECT verdict FROM window_metrics_latest WHERE model_id = '${model.modelId}' AND metric = 'psi' AND subject = 'x' AND reference = 'baseline' AND toUnixTimestamp64Milli(window_start) = ${START + HOUR}`,
      ),
    ).toEqual([{ verdict: 'ok' }])
  },
)
