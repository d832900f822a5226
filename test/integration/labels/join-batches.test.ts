/** A batch that ClickHouse cannot join is halved until it can, and then all is joined. */
import { expect, test } from 'vitest'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { createJoin } from '../../../services/feedback/loop/join.ts'
import * as sql from '../../../services/feedback/queries/join-statements.ts'
import { pipeline } from '../../pipeline.ts'

const RANGES = 40
const OF_RANGE = 50
/** Most predictions that the store joins at once here. */
const FITS = 300

test('what is too much at once is joined in parts, and none is lost', async () => {
  const stream = await pipeline()
  const at = new Date(Date.UTC(2025, 11, 5)).toISOString()
  const ids = Array.from({ length: RANGES }, (_, range) =>
    Array.from({ length: OF_RANGE }, (__, i) => `${range}-${i}`),
  )
  const named = (prediction_id: string) => ({ model_id: 'm', prediction_id })
  for (const range of ids)
    await stream.predictions(
      range.map((id) => ({ ...named(id), model_version: '1', predicted_at: at })),
    )
  for (const range of ids)
    await stream.storeLabels(
      range.map((id) => ({
        ...named(id),
        label_id: id,
        labelled_at: at,
        label: '1',
        source: 'ground_truth',
      })),
    )
  const tried: number[] = []
  const narrow: ClickHouse = {
    ...stream.db,
    command: async (statement, params, ...rest) => {
      if (statement === sql.FIND) {
        const [row] = await stream.db.query<{ n: string }>(
          'SELECT count() AS n FROM labels_joining WHERE batch = {batch:UInt64}',
          params,
        )
        tried.push(Number(row!.n))
        if (Number(row!.n) > FITS) throw new Error('memory limit exceeded')
      }
      return stream.db.command(statement, params, ...rest)
    },
  }
  const join = createJoin(narrow, { declared: [] }, { labels: RANGES * OF_RANGE })
  let failures = 0
  for (let more = true; more;)
    try {
      ;({ more } = await join.resolve())
    } catch (error) {
      expect(String(error)).toContain('memory limit exceeded')
      failures++
    }
  expect(tried[0]).toBe(RANGES * OF_RANGE)
  expect(failures).toBeGreaterThan(2)
  expect(await stream.db.query(`SELECT count() AS n FROM outcomes WHERE label = '1'`)).toEqual([
    { n: String(RANGES * OF_RANGE) },
  ])
})
