/** What operators of the review queue ask, as the document declares it. */
import { expect } from 'vitest'
import { until } from './servers/processes.ts'

type Walk = (
  operation: string,
  request?: { params?: Record<string, string>; query?: Record<string, string>; body?: object },
) => Promise<unknown>

/** Waits until a task of the first model was drawn. */
export const untilDrawn = (walk: Walk): Promise<void> =>
  until('tasks are drawn', async () => {
    const { models } = (await walk('GET /v1/reviews/stats')) as { models: { open: number }[] }
    return models[0]?.open !== undefined
  })

/** Operates the queue of the model `m`. */
export async function walkFairPlay(walk: Walk): Promise<void> {
  const params = { id: 'm' }
  const known = [{ prediction_id: 'no such prediction', label: '1' }]
  const gold = (body: object) => walk('POST /v1/models/{id}/gold', { params, body })
  expect(await gold({ actor: 'olga', known })).toMatchObject({
    declared: 0,
    refused: [{ prediction_id: 'no such prediction', reason: 'the prediction is not stored' }],
  })
  for (const wrong of [{ actor: 'olga', known: [] }, { known }]) await gold(wrong)
  await walk('GET /v1/models/{id}/gold', { params })
}
