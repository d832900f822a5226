/** Requests for data sets as a friend sends them. */
import type { Json, ValidRequest } from './valid-request.ts'

const posted = (body: Json): ValidRequest => ({
  group: 'datasets',
  method: 'POST',
  path: '/v1/datasets',
  headers: { 'content-type': 'application/json' },
  body,
})

const LABEL_STUDIO: Json = {
  action: 'ANNOTATION_CREATED',
  annotation: {
    id: 1,
    completed_by: 1,
    unique_id: 'u-1',
    was_cancelled: false,
    updated_at: '2026-01-01T10:00:00.000000Z',
    result: [{ from_name: 'stars', to_name: 't', type: 'rating', value: { rating: 4 } }],
  },
  task: { id: 1, data: { model_id: 'friend', prediction_id: 'p-1' } },
  project: { id: 1 },
}
const ARGILLA: Json = [
  {
    id: 'p-1',
    fields: { input_text: 'why?' },
    metadata: { model_id: 'friend' },
    suggestions: {},
    responses: { stars: [{ value: 4, user_id: 'u-1' }] },
    vectors: {},
  },
]
const dataset = { params: { id: 'none' } }
export const DATASETS: readonly ValidRequest[] = [
  { ...posted(LABEL_STUDIO), path: '/v1/labels/label-studio' },
  { ...posted(ARGILLA), path: '/v1/labels/argilla' },
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
