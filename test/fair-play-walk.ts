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
  await walkFlags(walk)
  await walkDispute(walk)
  const body = { actor: 'olga', reason: 'so' }
  for (const act of ['pause', 'pause', 'resume', 'resume'])
    await walk(`POST /v1/models/{id}/review/${act}`, { params, body })
  await walk('POST /v1/models/{id}/review/pause', { params, body: { actor: 'olga' } })
}

async function walkFlags(walk: Walk): Promise<void> {
  const params = { id: 'm' }
  const reviewer = 'ann'
  const { task_id, lease_id } = (await walk('POST /v1/reviews/claim', {
    body: { reviewer, model_id: 'm' },
  })) as Record<'task_id' | 'lease_id', string>
  const flag = (body: object) =>
    walk('POST /v1/reviews/{task_id}/flag', { params: { task_id }, body })
  const said = { reviewer, reason: 'wrong_fields', comment: 'no amount' }
  const { flag_id } = (await flag({ ...said, lease_id })) as { flag_id: string }
  for (const wrong of [{ lease_id: 'no' }, { lease_id, reason: 'so' }])
    await flag({ ...said, ...wrong })
  for (const state of ['open', 'closed', 'neither'])
    await walk('GET /v1/models/{id}/flags', { params, query: { state } })
  const close = 'POST /v1/models/{id}/flags/{flag_id}/close'
  for (const id of [flag_id, flag_id, 'no'])
    await walk(close, { params: { ...params, flag_id: id }, body: { actor: 'olga' } })
}

/** Two answer otherwise until they meet on a task; a third decides it. */
async function walkDispute(walk: Walk): Promise<void> {
  type Held = Record<'task_id' | 'lease_id', string>
  const asked = (reviewer: string) => ({ body: { reviewer, model_id: 'm' } })
  const answer = async (reviewer: string, label: string) => {
    const { task_id, lease_id } = (await walk('POST /v1/reviews/claim', asked(reviewer))) as Held
    const body = { reviewer, lease_id, label }
    return walk('POST /v1/reviews/{task_id}/submit', { params: { task_id }, body }) as Promise<{
      state: string
    }>
  }
  const states: string[] = []
  for (let i = 0; i < 10 && !states.includes('disputed'); i++)
    for (const [reviewer, label] of [
      ['dan', '1'],
      ['dora', '0'],
    ] as const)
      states.push((await answer(reviewer, label)).state)
  expect(states).toContain('disputed')
  await walk('POST /v1/reviews/adjudicate', asked('dan'))
  const { task_id, lease_id } = (await walk('POST /v1/reviews/adjudicate', asked('eva'))) as Held
  const decide = (reviewer: string) =>
    walk('POST /v1/reviews/{task_id}/decide', {
      params: { task_id },
      body: { reviewer, lease_id, label: '1' },
    })
  for (const reviewer of ['dan', 'eva', 'eva']) await decide(reviewer)
}
