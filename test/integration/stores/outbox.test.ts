/** The outbox on a real PostgreSQL, in this process: what one target refuses stops nothing else. */
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Row } from '../../../lib/clickhouse/port.ts'
import {
  createOutbox,
  enqueueMessage,
  enqueueRow,
  type OutboxTargets,
} from '../../../lib/postgres/outbox.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'
import { until } from '../../servers/processes.ts'

let postgres: Postgres
beforeAll(async () => {
  postgres = await migratedPostgres(temporaryDirectory())
})
beforeEach(() => postgres.exec('delete from outbox; delete from outbox_refused'))

/** Targets that refuse rows of the name `bad`, or everything. */
function targets() {
  const stored: unknown[] = []
  const sent: string[] = []
  const state = { isAway: false, attempts: 0 }
  const refuse = (values: readonly string[]) => {
    state.attempts++
    if (state.isAway || values.some((value) => value.includes('bad'))) throw new Error('refused')
  }
  const outbox = createOutbox({
    postgres,
    clickhouse: {
      insertRows: async (_: string, rows: readonly Row[]) => {
        refuse(rows.map((row) => JSON.stringify(row)))
        stored.push(...rows.map((row) => row['name']))
      },
    } as unknown as OutboxTargets['clickhouse'],
    eventLog: {
      append: async (_, messages) => {
        refuse(messages.map(({ value }) => String(value)))
        sent.push(...messages.map(({ value }) => String(value)))
      },
    },
  })
  return { outbox, stored, sent, state }
}

/** Everything that is postponed is due. */
const soon = () => postgres.query('update outbox set next_try_at = now()')
const left = async () =>
  (await postgres.query<{ n: number }>('select count(*)::int as n from outbox'))[0]!.n

test('a row that its store refuses is set aside after five tries, with the reason; all others pass at once', async () => {
  const { outbox, stored, sent } = targets()
  for (const name of ['a', 'bad', 'b', 'c']) await enqueueRow(postgres, 'things', { name })
  await enqueueMessage(postgres, 'topic', 'k', { name: 'd' })
  expect(await outbox.drain()).toMatchObject({ passedOn: 4, refused: [] })
  expect(stored).toEqual(['a', 'b', 'c'])
  expect(sent).toHaveLength(1)
  for (let i = 0; i < 4; i++) {
    expect(await left()).toBe(1)
    // Not due yet, it costs nothing.
    expect(await outbox.drain()).toMatchObject({ passedOn: 0, failures: [] })
    await soon()
    // What comes later is taken: the store is there.
    await enqueueRow(postgres, 'things', { name: `later-${i}` })
    await outbox.drain()
  }
  expect(await left()).toBe(0)
  expect(await postgres.query('select target, row, tries, reason from outbox_refused')).toEqual([
    { target: 'things', row: { name: 'bad' }, tries: 5, reason: 'refused' },
  ])
})

test('while a store takes nothing, nothing is set aside, and a pass tries little', async () => {
  const { outbox, stored, state } = targets()
  for (let i = 0; i < 64; i++) await enqueueRow(postgres, 'things', { name: `n-${i}` })
  state.isAway = true
  for (let i = 0; i < 10; i++) {
    state.attempts = 0
    await outbox.drain()
    expect(state.attempts).toBeLessThan(100)
    await soon()
  }
  expect(await postgres.query('select 1 from outbox_refused')).toEqual([])
  state.isAway = false
  await outbox.drain()
  expect(stored).toHaveLength(64)
  expect(await left()).toBe(0)
})

test('a thousand bad rows are worked off in bounded passes and do not hold up good ones for ever', async () => {
  const { outbox, stored, state } = targets()
  await postgres.exec(
    `insert into outbox (target, row) select 'things', jsonb_build_object('name', 'bad') from generate_series(1, 1000)`,
  )
  await enqueueRow(postgres, 'things', { name: 'good' })
  // Bad rows come due again meanwhile, so how many passes it takes depends on the machine.
  await until('the good row is passed on', async () => {
    state.attempts = 0
    await outbox.drain()
    expect(state.attempts).toBeLessThan(100)
    return stored.length > 0
  })
  expect(stored).toEqual(['good'])
})
