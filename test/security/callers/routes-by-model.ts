/** Each route of the route table as it is asked about one model. */
import type { Scope } from '../../../lib/http/grants.ts'
import { prediction } from '../../servers/processes.ts'

/** What is sent beside the path. */
export type Asked = { query?: string; body?: object }
/** How a route names the model that it is asked about; `every`: it tells of all of them. */
interface Route {
  scope: Scope
  /** What stands for `{id}` or `{task_id}`. */
  id?: (model: string) => string
  asked?: (model: string) => Asked
  isOfEvery?: true
}

const path = (scope: Scope, asked: Asked = {}): Route => ({
  scope,
  id: (model) => model,
  asked: () => asked,
})
const query = (scope: Scope): Route => ({
  scope,
  asked: (model) => ({ query: `?model_id=${model}` }),
})
const body = (scope: Scope, of: (model: string) => object): Route => ({
  scope,
  asked: (model) => ({ body: of(model) }),
})
const thing = (scope: Scope, kind: string, more: object = {}): Route => ({
  scope,
  id: (model) => `${kind}-of-${model}`,
  asked: () => ({ body: more }),
})
const every = (scope: Scope, of: object = {}): Route => ({
  scope,
  isOfEvery: true,
  asked: () => ({ body: of }),
})

const LABEL = {
  ...{ label_id: 'l', prediction_id: 'p', label: '1', source: 'ground_truth' },
  labelled_at: '2026-01-01T00:00:00Z',
}
const REASON = { body: { reason: 'r' } }
const GOLD = { actor: 'ann', known: [{ prediction_id: 'p', label: '1' }] }
const LEASE = { lease_id: '00000000-0000-4000-8000-000000000000' }
const cloudEvent = (model: string) => ({
  specversion: '1.0',
  id: 'e',
  source: 's',
  type: 'plumbline.prediction.v1',
  data: prediction(1, { model_id: model }),
})

/** Each route with a scope, or with `operate` beside another way to know its caller. */
export const ROUTES: Record<string, Route> = {
  'POST /v1/attributes': every('emit', {
    subject_id: 's',
    attributes: { a: '1' },
    observed_at: '2026-01-01T00:00:00Z',
  }),
  'POST /v1/cloudevents': body('emit', cloudEvent),
  'POST /v1/feedback-tokens': body('emit', (model) => ({
    ...{ model_id: model, prediction_id: 'p', names: ['thumbs'] },
  })),
  'POST /v1/labels': body('emit', (model) => ({ ...LABEL, model_id: model })),
  'POST /v1/labels/argilla': body('emit', (model) => [
    {
      ...{ id: 'p', fields: {}, metadata: { model_id: model }, suggestions: {}, vectors: {} },
      responses: { stars: [{ value: 4, user_id: 'u' }] },
    },
  ]),
  'POST /v1/labels/label-studio': body('emit', (model) => ({
    action: 'ANNOTATION_CREATED',
    annotation: {
      ...{ id: 1, completed_by: 1, unique_id: 'u', was_cancelled: false },
      updated_at: '2026-01-01T10:00:00.000000Z',
      result: [{ from_name: 'stars', to_name: 't', type: 'rating', value: { rating: 4 } }],
    },
    task: { id: 1, data: { model_id: model, prediction_id: 'p' } },
    project: { id: 1 },
  })),
  'POST /v1/predictions': body('emit', (model) => prediction(1, { model_id: model })),
  'GET /v1/audit': every('read'),
  'GET /v1/retention': every('read'),
  'GET /v1/datasets': query('read'),
  'GET /v1/datasets/{id}': thing('read', 'dataset'),
  'GET /v1/datasets/{id}/rows': thing('read', 'dataset'),
  'POST /v1/datasets': body('read', (model) => ({
    ...{ model_id: model, format: 'csv', label: 'label' },
    ...{ from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' },
  })),
  'GET /v1/decisions': query('read'),
  'GET /v1/models/{id}': path('read'),
  'GET /v1/models/{id}/canary': path('read', { query: '?champion=1&candidate=2' }),
  'GET /v1/models/{id}/card': path('read'),
  'GET /v1/models/{id}/cohorts': path('read'),
  'GET /v1/models/{id}/compare': path('read'),
  'GET /v1/models/{id}/side-by-side': path('read'),
  'GET /v1/models/{id}/constraint_violations.json': path('read'),
  'GET /v1/models/{id}/windows': path('read'),
  'GET /v1/models/{id}/labels': path('read'),
  'GET /v1/models/{id}/agreement': path('read'),
  'GET /v1/models/{id}/judges': path('read'),
  'POST /v1/models/{id}/judges/{judge}/unmute': path('operate', {
    body: { version: '1', reason: 'r' },
  }),
  'GET /v1/models/{id}/report': path('read'),
  'GET /v1/models/{id}/features': path('read'),
  'GET /v1/models/{id}/distributions': path('read'),
  'GET /v1/models/{id}/examples': path('read'),
  'GET /v1/models/{id}/episodes': path('read'),
  'GET /v1/models/{id}/episodes/{episode}': path('read'),
  'POST /v1/models/{id}/episodes/{episode}/accept': path('operate', REASON),
  'POST /v1/models/{id}/episodes/{episode}/dismiss': path('operate', REASON),
  'POST /v1/models/{id}/episodes/{episode}/snooze': path('operate', {
    body: { ...REASON.body, until: '2090-01-01T00:00:00Z' },
  }),
  'GET /v1/models/{id}/settings': path('read'),
  'GET /v1/models/{id}/policies': path('read'),
  'GET /v1/data-health': every('read'),
  'GET /v1/dead-letters': every('operate'),
  'GET /v1/config': every('operate'),
  'GET /v1/alarms': query('read'),
  'GET /v1/events': query('read'),
  'GET /v1/runs': query('read'),
  'GET /v1/runs/{id}': thing('read', 'run'),
  'GET /v1/runs/{id}/replay': thing('read', 'run'),
  'POST /v1/runs/{id}/approve-for': thing('read', 'run', { for: 'eve', message: 'm' }),
  'POST /v1/delegations': body('operate', (model) => ({
    ...{ to: 'bob', models: [model], reason: 'r' },
    until: new Date(Date.now() + 86_400_000).toISOString(),
  })),
  'POST /v1/delegations/{id}/revoke': thing('operate', 'delegation', { message: 'm' }),
  'POST /v1/reviews/claim': body('review', (model) => ({ model_id: model })),
  'POST /v1/reviews/{task_id}/release': thing('review', 'task', LEASE),
  'POST /v1/reviews/{task_id}/renew': thing('review', 'task', LEASE),
  'POST /v1/reviews/{task_id}/skip': thing('review', 'task', LEASE),
  'POST /v1/reviews/{task_id}/submit': thing('review', 'task', { ...LEASE, label: '1' }),
  'POST /v1/reviews/{task_id}/undo': thing('review', 'task', { reviewer: 'ann' }),
  'POST /v1/reviews/adjudicate': body('review', (model) => ({ model_id: model })),
  'POST /v1/reviews/{task_id}/decide': thing('review', 'task', { ...LEASE, label: '1' }),
  'POST /v1/reviews/{task_id}/flag': thing('review', 'task', { ...LEASE, reason: 'bad_example' }),
  'GET /v1/models/{id}/flags': path('operate'),
  'POST /v1/models/{id}/flags/{flag_id}/close': path('operate', { body: { actor: 'ann' } }),
  'POST /v1/models/{id}/review/pause': path('operate', REASON),
  'POST /v1/models/{id}/review/resume': path('operate', REASON),
  'GET /v1/models/{id}/gold': path('operate'),
  'POST /v1/models/{id}/gold': path('operate', { body: GOLD }),
  'DELETE /v1/keys/{key}': every('admin'),
  'GET /v1/keys': every('admin'),
  'POST /v1/keys': every('admin'),
  'POST /v1/keys/{key}/rotate': every('admin'),
  'DELETE /v1/subjects/{id}': every('admin'),
  'GET /v1/subjects/{id}': every('admin'),
  'GET /v1/alerts/deliveries': query('read'),
  'GET /v1/alerts/receivers': every('operate'),
  'POST /v1/alerts/test': body('operate', (model) => ({ model_id: model })),
  'POST /v1/alerts': body('operate', (model) => ({
    alerts: [{ status: 'firing', labels: { alertname: 'Late', model_id: model } }],
  })),
  'POST /v1/policy-trials': body('read', (model) => ({
    ...{ model_id: model, when: 'any(drift.psi, alarm)' },
    ...{ from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' },
  })),
  'POST /v1/runs': body('operate', (model) => ({ model_id: model, policy: 'no', reason: 'r' })),
  'POST /v1/runs/{id}/approve': thing('operate', 'run', { message: 'm' }),
  'POST /v1/runs/{id}/cancel': thing('operate', 'run', { message: 'm' }),
  'POST /v1/runs/{id}/go-on': thing('operate', 'run', { message: 'm' }),
  'POST /v1/runs/{id}/hold': thing('operate', 'run', { message: 'm' }),
  'POST /v1/runs/{id}/reject': thing('operate', 'run', { message: 'm' }),
  'POST /v1/runs/{id}/roll-back': thing('operate', 'run', { message: 'm' }),
  'POST /v1/runs/{id}/status': thing('operate', 'run', { state: 'running' }),
  'POST /v1/verdicts/{id}/accept': thing('operate', 'verdict'),
  'POST /v1/verdicts/{id}/dismiss': thing('operate', 'verdict'),
  'POST /v1/verdicts/{id}/snooze': thing('operate', 'verdict', { until: '2090-01-01T00:00:00Z' }),
  'PUT /v1/models/{id}/references/{name}': path('operate', { body: { model_version: '7' } }),
}
/** Routes whose answer holds the caller's models alone. */
export const LISTS: Record<string, (answer: unknown) => string[]> = {
  'GET /v1/models': (answer) => modelsIn(answer, 'models'),
  'GET /v1/alarms': (answer) => modelsIn(answer, 'alarms'),
  'GET /v1/alerts/deliveries': (answer) => modelsIn(answer, 'deliveries'),
  'GET /v1/datasets': (answer) => modelsIn(answer, 'datasets'),
  'GET /v1/runs': (answer) => modelsIn(answer, 'runs'),
  'GET /v1/delegations': (answer) =>
    (answer as { delegations: { models: string[] }[] }).delegations.flatMap(({ models }) => models),
  'GET /v1/reviews/stats': (answer) => modelsIn(answer, 'models'),
}
/** They answer 200 with how many they have refused, as OTLP has it. */
export const OTLP = ['POST /v1/logs', 'POST /v1/traces']
const modelsIn = (answer: unknown, name: string) =>
  (answer as Record<string, { model_id: string }[]>)[name]!.map(({ model_id: id }) => id)
