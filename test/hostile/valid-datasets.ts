/** Requests for data sets as a friend sends them. */
import type { Json, ValidRequest } from './valid-request.ts'

const posted = (body: Json): ValidRequest => ({
  group: 'datasets',
  method: 'POST',
  path: '/v1/datasets',
  headers: { 'content-type': 'application/json' },
  body,
})

const dataset = { params: { id: 'none' } }
export const DATASETS: readonly ValidRequest[] = [
  posted({
    actor: 'ann',
    model_id: 'friend',
    from: '2026-01-01T00:00:00Z',
    to: '2026-02-01T00:00:00Z',
    where: "amount > 1 and country = 'DE'",
    label: 'label',
    rows: 'labelled',
    format: 'csv',
    columns: ['score', 'features', 'label'],
  }),
  posted({
    actor: 'ann',
    model_id: 'friend',
    from: '2026-01-01T00:00:00Z',
    to: '2026-02-01T00:00:00Z',
    as_of: '2026-03-01T00:00:00Z',
    label: 'stars',
    format: 'pairs',
    pairs: { rule: 'higher_label', order: ['bad', 'good'], margin: 1 },
  }),
  { group: 'datasets', method: 'GET', path: '/v1/datasets', query: { model_id: 'friend' } },
  { group: 'datasets', method: 'GET', path: '/v1/datasets/{id}', ...dataset },
  {
    group: 'datasets',
    method: 'GET',
    path: '/v1/datasets/{id}/rows',
    ...dataset,
    query: { actor: 'ann' },
  },
]
