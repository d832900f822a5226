/** Requests for two sides of a model, for the cohorts of a window, its events and its report. */
import { expect } from 'vitest'

/** Two sides and the cohorts of a window, and what is refused of them. */
export async function walkSides(
  walk: (operation: string, request: object) => Promise<unknown>,
  spans: { a: string; b: string },
): Promise<void> {
  const params = { id: 'm' }
  const sides = (query: Record<string, string>) =>
    walk('GET /v1/models/{id}/side-by-side', { params, query })
  const versions = { a: spans.b, b: spans.b, a_version: '7', b_version: '8' }
  const told = (await sides(versions)) as {
    shared: boolean
    a: { events: number }
    metrics: { metric: string; rests_on: string }[]
    features: { subject: string; shown: { bars: object[] } }[]
  }
  expect([told.shared, told.a.events]).toEqual([false, 60])
  expect(told.metrics.find(({ metric }) => metric === 'error_ratio')!.rests_on).toBe('interval')
  // A version without the feature moved most.
  expect(told.features[0]).toMatchObject({ subject: 'country' })
  const moved = (await sides({ a: spans.a, b: spans.b, subject: 'x' })) as typeof told
  expect(moved.features.map(({ subject }) => subject)).toEqual(['x'])
  expect(moved.features[0]!.shown.bars.length).toBeGreaterThan(1)
  const beside = (await sides({ a_reference: 'baseline', b: spans.b })) as {
    a: { reference: string; events: number }
  }
  expect(beside.a).toMatchObject({ reference: 'baseline', events: 120 })
  for (const refused of [
    { a: spans.a },
    { a_reference: 'baseline', b_reference: 'baseline' },
    { ...spans, a_reference: 'baseline' },
    { ...spans, b_slice: 'undeclared:x' },
  ])
    expect(await sides(refused)).toMatchObject({ status: 400 })
  await sides({ a_reference: 'unheard of', b: spans.b })
  const { cohorts } = (await walk('GET /v1/models/{id}/cohorts', { params })) as {
    cohorts: { model_version: string; events: number }[]
  }
  expect(cohorts.map((one) => [one.model_version, one.events])).toEqual([
    ['', 120],
    ['7', 60],
    ['8', 60],
  ])
  const to = spans.b.split('/')[1]!
  await walk('GET /v1/models/{id}/cohorts', { params, query: { to, metrics: 'error_ratio' } })
  await walk('GET /v1/events', { query: { model_id: 'm', seconds: '1' } })
  for (const query of [{}, { as_of: spans.a }])
    await walk('GET /v1/models/{id}/report', { params, query })
  for (const format of ['json', 'markdown', 'html'])
    await walk('GET /v1/models/{id}/card', { params, query: { format } })
  const card = await walk('GET /v1/models/{id}/card', {
    params,
    headers: { accept: 'text/markdown' },
  })
  expect(card).toMatch(/^# Model card: m\n[^]*\| version [^]*\| 12\\\(1\\\) \| system/)
}
