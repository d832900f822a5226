/** Any sequence of events, failures and restarts, through the in-process log. */
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ClickHouse } from '../../lib/clickhouse/port.ts'
import { migratedClickHouse } from '../harness.ts'
import { prediction, until } from '../servers/processes.ts'
import { inProcessLogs } from './in-process-log.ts'

const { db, directory } = await migratedClickHouse()
const { count, folder, startLog } = inProcessLogs(db, directory)

const RUNS = process.env['FAULTS'] === 'all' ? 16 : 4

type Kind = 'good' | 'invalid' | 'huge span' | 'repeat' | 'slash' | 'refused'
const KINDS: readonly Kind[] = [
  'good',
  'good',
  'invalid',
  'huge span',
  'repeat',
  'slash',
  'refused',
]

test('any sequence of events, failures and restarts: each event ends in one place', async () => {
  let runs = 0
  const step = fc.record({
    kinds: fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 8 }),
    fails: fc.constantFrom(0, 0, 0, 1, 3, 5),
    dies: fc.constantFrom(false, false, true),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      const model = `any-${runs++}`
      const journalIn = folder()
      let failing = 0
      const clickhouse: ClickHouse = {
        ...db,
        insertFile: async (insert) => {
          if (failing > 0) {
            failing--
            throw Object.assign(new Error('away'), { code: 'ECONNRESET' })
          }
          if (
            !insert.table.endsWith('dead_letters') &&
            readFileSync(insert.path).includes('refuse-me')
          )
            throw new Error('Code: 117. DB::Exception: Cannot read the data. (INCORRECT_DATA)')
          await db.insertFile(insert)
        },
      }
      let process = await startLog({ clickhouse, journalIn })
      const good = new Set<string>()
      const sent: Record<'dead' | 'refused' | 'repeats', number> = {
        dead: 0,
        refused: 0,
        repeats: 0,
      }
      /**
       * What callers sent again after a 503, although the log had gone on with it: messages of
       * their own.
       */
      const again = { dead: 0, refused: 0 }
      let next = 0
      const valueOf = (kind: Kind): string => {
        const i = next++
        const id = (n: number) => ({ model_id: model, prediction_id: `${n}` })
        if (kind === 'invalid') {
          sent.dead++
          return JSON.stringify({ model_id: model, prediction_id: `${i}` })
        }
        if (kind === 'refused') {
          sent.refused++
          return JSON.stringify(prediction(i, { ...id(i), input_text: 'refuse-me' }))
        }
        if (kind === 'repeat' && good.has(`${model} 0`)) {
          sent.repeats++
          return JSON.stringify(prediction(0, id(0)))
        }
        if (kind === 'slash') {
          const [a, b] = i % 2 === 0 ? [model, `s/${i}`] : [`${model}/s`, `${i - 1}`]
          good.add(`${a} ${b}`)
          return JSON.stringify(prediction(i, { model_id: a, prediction_id: b }))
        }
        const number = good.size === 0 ? 0 : i
        good.add(`${model} ${number}`)
        // As far apart as can be, and few: every month is a partition of a dozen tables.
        const month = kind === 'huge span' ? [0, 600, 1319][i % 3]! : 432
        return JSON.stringify(
          prediction(number, {
            ...id(number),
            predicted_at: new Date(Date.UTC(1990, month, 2)).toISOString(),
          }),
        )
      }
      for (const { kinds, fails, dies } of steps) {
        const before = { ...sent }
        const values = kinds.map(valueOf)
        if (dies) {
          failing = Infinity
          // Its caller never hears of it: the process that comes next stores it out of the journal.
          const unanswered = process.send(values)
          unanswered.catch(() => {})
          await until('the range is in the journal', async () =>
            readdirSync(journalIn).some((name) => name.endsWith('.range.json')),
          )
          process.die()
          failing = 0
          process = await startLog({ clickhouse, journalIn })
        } else {
          failing = fails
          await until('the events are taken', () =>
            process.send(values).then(
              () => true,
              () => {
                again.dead += sent.dead - before.dead
                again.refused += sent.refused - before.refused
                return false
              },
            ),
          )
          failing = 0
        }
      }
      const like = `model_id = '${model}' OR model_id = '${model}/s'`
      const [row] = await db.query<Record<string, string>>(`SELECT
        (SELECT count() FROM predictions WHERE ${like}) AS rows,
        (SELECT uniqExact(model_id, prediction_id) FROM predictions WHERE ${like}) AS ids,
        (SELECT sum(events) FROM event_counts WHERE ${like}) AS events,
        (SELECT count() FROM prediction_times WHERE ${like}) AS times`)
      const n = String(good.size)
      expect(row).toEqual({ rows: n, ids: n, events: n, times: n })
      const own = `value LIKE '%"${model}"%' OR value LIKE '%"${model}/s"%'`
      const letters = async (where: string) =>
        count(`(SELECT uniqExact(log_epoch, offset) FROM dead_letters WHERE (${own}) AND ${where})`)
      for (const [kind, where] of [
        ['dead', `reason != 'unstorable'`],
        ['refused', `reason = 'unstorable'`],
      ] as const) {
        const found = await letters(where)
        expect(found).toBeGreaterThanOrEqual(sent[kind])
        expect(found).toBeLessThanOrEqual(sent[kind] + again[kind])
      }
      await process.stop()
    }),
    // Each run takes seconds, so a failing one is not made smaller.
    { numRuns: RUNS, seed: 13, endOnFailure: true },
  )
})
