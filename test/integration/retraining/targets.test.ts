/** What runs were to keep, and runs that were started in vain, counted in a real control database. */
import { beforeAll, expect, test } from 'vitest'
import type { EmbeddedPostgres } from '../../../lib/postgres/port.ts'
import { recordDecision } from '../../../services/retrain-trigger/queries/decision-ledger.ts'
import {
  countFalseStarts,
  countTargets,
} from '../../../services/retrain-trigger/queries/run-counts.ts'
import { withdrawRun } from '../../../services/retrain-trigger/queries/withdrawals.ts'
import { migratedPostgres, temporaryDirectory } from '../../harness.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOW = Date.UTC(2026, 0, 31)

let postgres: EmbeddedPostgres
beforeAll(async () => {
  postgres = await migratedPostgres(temporaryDirectory())
})

const TARGETS = { detect: '1h', decide: '2h', launch: '15m', repair: '10d' }

/** A run whose window ended so long before now, with what else is known of it. */
async function run(modelId: string, agoMs: number, set: Record<string, string | null>) {
  const windowEnd = NOW - agoMs
  const about = { modelId, cause: `window:${windowEnd}`, windowEnd }
  const made = await recordDecision(
    { postgres, now: () => NOW - agoMs + MINUTE },
    { ...about, policy: 'p', revision: 1, decision: { action: 'launch', reason: 'r' } },
    {
      ...{ ...about, policy: { name: 'p', approval: 'none', targets: TARGETS }, reason: 'r' },
      ...{ decidedAt: windowEnd, labelsKnown: 0, modelFile: '', detectedAt: windowEnd + MINUTE },
    },
  )
  for (const [column, value] of Object.entries(set))
    await postgres.query(`update runs set ${column} = $2 where run_id = $1`, [made!.run_id, value])
  return made!
}
const at = (ms: number) => new Date(ms).toISOString()

const counts = async (modelId: string) =>
  (await countTargets(postgres, new Date(NOW)))
    .filter(({ model_id: id }) => id === modelId)
    .map(({ phase, span, outcome, n }) => `${phase} ${span} ${outcome} ${n}`)
    .toSorted()

test('a phase counts in the spans that it ended in, as kept or late', async () => {
  await run('kept', 2 * HOUR, { launched_at: at(NOW - HOUR), state: 'launching' })
  // Launched an hour after the leave, where a quarter of an hour was the target.
  const spans = ['6h', '1d', '3d', '30d']
  expect(await counts('kept')).toEqual(
    ['detect', 'decide', 'launch']
      .flatMap((phase) =>
        spans.map((span) => `${phase} ${span} ${phase === 'launch' ? 'late' : 'kept'} 1`),
      )
      .toSorted(),
  )
  await run('older', 48 * HOUR, { launched_at: at(NOW - 48 * HOUR + 2 * MINUTE), state: 'running' })
  expect((await counts('older')).filter((text) => text.startsWith('launch'))).toEqual([
    'launch 30d kept 1',
    'launch 3d kept 1',
  ])
})

test('what is under way counts once it is late, and what came to nothing is late', async () => {
  const waiting = { queued_at: null, state: 'awaiting_approval' }
  await run('waiting', HOUR, waiting)
  expect((await counts('waiting')).filter((text) => text.startsWith('decide'))).toEqual([])
  await run('stuck', 5 * HOUR, waiting)
  expect(await counts('stuck')).toContain('decide 6h late 1')
  await run('unlaunched', HOUR, { state: 'failed' })
  expect(await counts('unlaunched')).toContain('launch 6h late 1')
  await run('called-off', HOUR, { state: 'cancelled' })
  expect((await counts('called-off')).filter((text) => text.startsWith('launch'))).toEqual([])
  const repair = (outcome: string) => JSON.stringify({ outcome, evaluated_at: at(NOW - HOUR) })
  await run('vain', 30 * HOUR, { repair: repair('not_repaired') })
  expect(await counts('vain')).toContain('repair 1d late 1')
  await run('good', 30 * HOUR, { repair: repair('repaired') })
  expect(await counts('good')).toContain('repair 1d kept 1')
  await run('unknown', 30 * HOUR, { repair: repair('unknown') })
  expect((await counts('unknown')).filter((text) => text.startsWith('repair'))).toEqual([])
})

test('a history that is replayed tells nothing of how fast windows are detected', async () => {
  const made = await run('replayed', HOUR, {})
  await postgres.query(`update runs set window_end = '2001-01-01' where run_id = $1`, [made.run_id])
  expect((await counts('replayed')).filter((text) => text.startsWith('detect'))).toEqual([])
})

test('a false start is counted once, and only where a job was started', async () => {
  const launched = { launched_at: at(NOW - HOUR), state: 'running' }
  const made = await run('false', 2 * HOUR, { ...launched })
  const { cause } = made
  const ledger = { postgres, now: () => NOW }
  await withdrawRun(ledger, { modelId: 'false', policy: 'p', cause, revision: 2 })
  await postgres.query(`update runs set state = 'rolled_back' where run_id = $1`, [made.run_id])
  await run('false', 3 * HOUR, { ...launched, state: 'rejected' })
  await run('false', 4 * HOUR, { state: 'rejected' })
  await run('false', 5 * HOUR, launched)
  const own = (await countFalseStarts(postgres)).filter(({ model_id: id }) => id === 'false')
  expect(own.toSorted((a, b) => (a.why < b.why ? -1 : 1))).toEqual([
    { model_id: 'false', why: 'rejected', n: 1 },
    { model_id: 'false', why: 'withdrawn', n: 1 },
  ])
})
