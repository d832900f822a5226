import { expect, test } from 'vitest'
import type { Model } from '../../../lib/models/model-files.ts'
import { createAgenda } from '../plan/agenda.ts'
import { batchEvaluator, BATCH, type BatchParts, type Evaluator } from './evaluate-batches.ts'
import type { ModelProgress } from '../queries/progress-queries.ts'

const EMPTY: ModelProgress = { steps: [], partitions: [], evaluated: [] }

/** Evaluates on a clock that goes on only where everybody waits for it. */
function evaluating(models: readonly string[], fails: { progress?: string; evaluate?: string }) {
  const agenda = createAgenda()
  for (const id of models) agenda.want(id, 0)
  let clock = 0
  const tries = new Map<string, number>()
  const told: { modelId: string; attempts: number; at: number }[] = []
  const ends = new AbortController()
  let largest = 0
  const parts: BatchParts = {
    agenda,
    gauges: { forget: () => {} },
    wakeUps: { owns: () => true },
    models: { get: (modelId) => ({ modelId }) as Model },
    seconds: { startTimer: () => () => 0 } as unknown as BatchParts['seconds'],
    tell: async ({ modelId, attempts }) => void told.push({ modelId, attempts, at: clock }),
    now: () => clock,
    pause: async (ms) => {
      if (!Number.isFinite(ms) || clock > 3_600_000) ends.abort()
      else clock += Math.max(1, ms)
    },
  }
  const own: Evaluator = {
    progress: async (some) => {
      largest = Math.max(largest, some.length)
      if (some.some(({ modelId }) => modelId === fails.progress)) throw new Error('not a name')
      return new Map(some.map(({ modelId }) => [modelId, EMPTY]))
    },
    evaluate: async ({ modelId }) => {
      tries.set(modelId, (tries.get(modelId) ?? 0) + 1)
      if (modelId === fails.evaluate) throw new Error('a bad cell')
      return { failures: 0, comeBack: undefined }
    },
  }
  return { run: batchEvaluator(parts), own, ends, tries, told, largest: () => largest }
}

test.each(['progress', 'evaluate'] as const)(
  'a model whose %s fails is reported, and tried less and less; all others are evaluated once',
  async (what) => {
    const ids = Array.from({ length: 100 }, (_, i) => `model-${i}`)
    const all = evaluating(ids, { [what]: 'model-13' })
    await all.run(all.own, all.ends.signal)
    for (const id of ids.filter((id) => id !== 'model-13')) expect(all.tries.get(id)).toBe(1)
    // An hour of trying: soon at first, then every five minutes.
    expect(all.told.length).toBeGreaterThan(10)
    expect(all.told.length).toBeLessThan(30)
    expect(new Set(all.told.map(({ modelId }) => modelId))).toEqual(new Set(['model-13']))
    expect(all.told.map(({ attempts }) => attempts)).toEqual(all.told.map((_, i) => i + 1))
  },
)

test('two hundred thousand models are evaluated in batches, each once', async () => {
  const all = evaluating(
    Array.from({ length: 200_000 }, (_, i) => `model-${i}`),
    {},
  )
  await Promise.all([all.run(all.own, all.ends.signal), all.run(all.own, all.ends.signal)])
  expect(all.tries.size).toBe(200_000)
  expect(all.largest()).toBe(BATCH)
}, 60_000)

test('a signal ends the evaluating between two batches', async () => {
  const all = evaluating(
    Array.from({ length: 1000 }, (_, i) => `model-${i}`),
    {},
  )
  const own: Evaluator = {
    ...all.own,
    evaluate: async (...asked) => {
      if (all.tries.size === 10) all.ends.abort()
      return all.own.evaluate(...asked)
    },
  }
  await all.run(own, all.ends.signal)
  expect(all.tries.size).toBeLessThan(10 + BATCH)
})
