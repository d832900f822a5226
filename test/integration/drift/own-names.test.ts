/** Features that are called like the model's own values are features all the same. */
import { expect, test } from 'vitest'
import { ALL } from '../../../services/drift/data/cohort.ts'
import { driftQueries } from '../../../services/drift/queries/drift-queries.ts'
import { pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

test('a feature named @score is apart from the score, in counts that are kept and in those of raw rows', async () => {
  const on = await pipeline()
  for (const sampled of [false, true])
    await on.predictions(
      Array.from({ length: 40 }, (_, i) => ({
        prediction_id: `p-${sampled}-${i}`,
        model_id: 'm',
        model_version: '1',
        predicted_at: new Date(START + i * 1000).toISOString(),
        score: 0.25,
        latency_ms: 12,
        time_to_first_token_ms: 3,
        cost_usd: 0.5,
        input_tokens: 100 + i,
        output_tokens: 7,
        features: { '@score': 1000 + i, '@prediction': 'x', '@@score': -5, plain: 1 },
        ...(sampled && { sampling_fraction: 0.5 }),
      })),
    )
  const queries = driftQueries(on.db)
  const spans = [{ start: START, end: START + HOUR }]
  const kept = await queries.counts('m', spans, ALL)
  const raw = await queries.rawCounts('m', spans, ALL, { exact: false, unweighted: false })
  for (const counts of [kept, raw]) {
    expect([...counts.numeric.keys()].toSorted()).toEqual([
      '@@@score',
      '@@score',
      '@cost_usd',
      '@input_tokens',
      '@latency_ms',
      '@output_tokens',
      '@score',
      '@time_to_first_token_ms',
      'plain',
    ])
    expect(counts.numeric.get('@score')!.highs.at(-1)).toBe(0.25)
    expect(counts.numeric.get('@@score')!.lows[0]).toBe(1000)
    expect([...counts.categories.keys()]).toEqual(['@@prediction'])
  }
})
