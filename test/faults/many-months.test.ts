/** Events of many months in one range: a few months an insert, and whole wherever it is cut off. */
import { expect, test } from 'vitest'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { MAX_MONTHS_PER_INSERT } from '../../lib/sink/month-pieces.ts'
import { PREDICTION_MAPPINGS } from '../../services/ingest/data/prediction-rows.ts'
import { migratedClickHouse, rangeOf, sinkOn } from '../harness.ts'
import { prediction } from '../servers/processes.ts'
import { all, inProcessLogs, monthly, TOPIC } from './in-process-log.ts'

const { db, directory } = await migratedClickHouse()
const { folder, startLog, stored, totalsOf } = inProcessLogs(db, directory)

test('cut off between any two pieces, the same range again completes it', async () => {
  const months = MAX_MONTHS_PER_INSERT + 1
  const wholeOf = (model: string) => ({
    ...rangeOf(TOPIC, PREDICTION_MAPPINGS[0].version, monthly(model, months)),
    logEpoch: model,
  })
  /** Stores until so many inserts have been made; returns how many there were. */
  const storeUntilCut = async (model: string, cut: number) => {
    let inserts = 0
    const insertFile: ClickHouse['insertFile'] = async (insert) => {
      if (++inserts > cut) throw Object.assign(new Error('killed'), { code: 'ECONNRESET' })
      await db.insertFile(insert)
    }
    const sink = sinkOn({ ...db, insertFile }, folder(), 'ingest', PREDICTION_MAPPINGS[0])
    await sink.store(wholeOf(model)).catch((error: unknown) => {
      expect(String(error)).toContain('killed')
    })
    return inserts
  }
  const inserts = await storeUntilCut('cut-never', Infinity)
  expect(await totalsOf('cut-never')).toEqual(all(months))
  // Between the pieces of the first table, between tables, before the last insert.
  for (const cut of [1, inserts >> 1, inserts - 1]) {
    const model = `cut-${cut}`
    await storeUntilCut(model, cut)
    const next = sinkOn(db, folder(), 'ingest', PREDICTION_MAPPINGS[0])
    await next.store({ ...wholeOf(model), replayed: true })
    expect({ cut, ...(await totalsOf(model)) }).toEqual({ cut, ...all(months) })
  }
})

/** Every month that an event may be of, or as many as three inserts take. */
const MONTHS = process.env['FAULTS'] === 'all' ? 1320 : 2 * MAX_MONTHS_PER_INSERT + 1

test('events of every month in one request are stored, a few months an insert', async () => {
  const tokens = new Map<string, string[]>()
  const { send, stop } = await startLog({
    clickhouse: {
      ...db,
      insertFile: async (insert) => {
        tokens.set(insert.table, [...(tokens.get(insert.table) ?? []), insert.token])
        await db.insertFile(insert)
      },
    },
  })
  const values = monthly('centuries', MONTHS)
  await send(values)
  await send([JSON.stringify(prediction(1, { model_id: 'centuries-after' }))])
  expect(await totalsOf('centuries')).toEqual(all(MONTHS))
  expect(await stored('centuries-after')).toBe(1)
  for (const table of ['predictions', 'numeric_counts', 'category_counts'])
    expect(new Set(tokens.get(table)).size).toBe(Math.ceil(MONTHS / MAX_MONTHS_PER_INSERT) + 1)
  await stop()
})
