/** One request of every route as a friend sends it: what the fuzzer changes. */
import { ALERTS_OUT } from './valid-alerts-out.ts'
import { approvalsOf } from './valid-approvals.ts'
import { DATASETS } from './valid-datasets.ts'
import { AT, ATTRIBUTES, LABEL, PREDICTION } from './valid-events.ts'
import { FAIR_PLAY } from './valid-fair-play.ts'
import type { Json, ValidRequest } from './valid-request.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const NANOSECONDS = '1767225600000000000'
const SPAN = '2026-01-01T00:00:00Z/2026-01-02T00:00:00Z'

const envelope = (id: string, type: string, data: Json): Json => ({
  specversion: '1.0',
  id,
  source: '/s',
  type,
  time: AT,
  inferenceservicename: 'fuzzed',
  data,
})

const posted = (group: string, path: string, body: Json, more: Partial<ValidRequest> = {}) => ({
  group,
  method: 'POST',
  path,
  headers: JSON_TYPE,
  body,
  ...more,
})

/** A half of an exchange as KServe's logger sends it. */
const half = (group: string, part: string, body: Json): ValidRequest =>
  posted(group, '/v1/cloudevents', body, {
    headers: {
      ...JSON_TYPE,
      'ce-id': group,
      'ce-source': 'http://isvc',
      'ce-type': `org.kubeflow.serving.inference.${part}`,
      'ce-specversion': '1.0',
      'ce-time': AT,
      'ce-inferenceservicename': 'fuzzed',
    },
  })

const tensor = (name: string, data: Json): Json => ({
  name,
  shape: [2, 1],
  datatype: 'FP32',
  data,
})

const attribute = (key: string, value: Json): Json => ({ key, value })
const RESOURCE: Json = { attributes: [attribute('service.name', { stringValue: 'fuzzed' })] }
const GENAI: Json = [
  attribute('gen_ai.operation.name', { stringValue: 'chat' }),
  attribute('gen_ai.response.model', { stringValue: 'gpt' }),
  attribute('gen_ai.usage.input_tokens', { intValue: '100' }),
  attribute('gen_ai.request.temperature', { doubleValue: 0.5 }),
  attribute('gen_ai.response.finish_reasons', {
    arrayValue: { values: [{ stringValue: 'stop' }] },
  }),
  attribute('gen_ai.input.messages', {
    kvlistValue: { values: [attribute('role', { stringValue: 'user' })] },
  }),
]

const EVENTS: readonly ValidRequest[] = [
  posted('events', '/v1/predictions', PREDICTION),
  posted('batches', '/v1/predictions', [PREDICTION, { ...(PREDICTION as object) } as Json]),
  {
    group: 'NDJSON',
    method: 'POST',
    path: '/v1/predictions',
    headers: { 'content-type': 'application/x-ndjson' },
    lines: [PREDICTION, PREDICTION],
  },
  posted('labels', '/v1/labels', LABEL),
  posted('labels', '/v1/labels', [LABEL]),
  posted('attributes', '/v1/attributes', ATTRIBUTES),
  posted('ratings', '/v1/feedback-tokens', {
    model_id: 'fuzzed',
    prediction_id: 'p',
    names: ['thumbs'],
    valid_seconds: 60,
  }),
  posted('ratings', '/v1/feedback', {
    prediction_id: 'p',
    name: 'thumbs',
    label: 'up',
    comment: 'a',
    final: false,
  }),
  { group: 'ratings', method: 'OPTIONS', path: '/v1/feedback' },
]

const WIRE_FORMATS: readonly ValidRequest[] = [
  posted('CloudEvents', '/v1/cloudevents', envelope('e', 'plumbline.prediction.v1', PREDICTION), {
    headers: { 'content-type': 'application/cloudevents+json' },
  }),
  posted(
    'CloudEvents',
    '/v1/cloudevents',
    [
      envelope('e', 'plumbline.label.v1', LABEL),
      envelope('f', 'plumbline.attributes.v1', ATTRIBUTES),
      envelope('g', 'org.kubeflow.serving.inference.request', { instances: [[1, 2]] }),
    ],
    { headers: { 'content-type': 'application/cloudevents-batch+json' } },
  ),
  half('KServe V1', 'request', { instances: [[6.8, 2.8], { a: 1, b: 'red' }] }),
  half('KServe V1', 'response', { predictions: [[0.2, 0.8], 1] }),
  half('KServe V2', 'request', {
    id: 'inner',
    parameters: { content_type: 'pd' },
    inputs: [tensor('amount', [12.5, 90]), tensor('country', ['DE', 'FR'])],
  }),
  half('KServe V2', 'response', {
    model_name: 'fuzzed',
    model_version: '7',
    id: 'inner',
    outputs: [tensor('score', [[0.1], [0.93]])],
  }),
  posted('OTLP', '/v1/traces', {
    resourceSpans: [
      {
        resource: RESOURCE,
        scopeSpans: [
          {
            spans: [
              {
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId: '0000000000000001',
                name: 'chat',
                startTimeUnixNano: NANOSECONDS,
                endTimeUnixNano: NANOSECONDS,
                status: { code: 1 },
                attributes: GENAI,
                events: [{ name: 'gen_ai.user.message', attributes: GENAI }],
              },
            ],
          },
        ],
      },
    ],
  }),
  posted('OTLP', '/v1/logs', {
    resourceLogs: [
      {
        resource: RESOURCE,
        scopeLogs: [
          {
            logRecords: [
              {
                eventName: 'gen_ai.evaluation.result',
                timeUnixNano: NANOSECONDS,
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId: '0000000000000001',
                attributes: [
                  attribute('gen_ai.evaluation.name', { stringValue: 'relevance' }),
                  attribute('gen_ai.evaluation.score.value', { doubleValue: 0.5 }),
                  attribute('gen_ai.response.id', { stringValue: 'r' }),
                ],
              },
            ],
          },
        ],
      },
    ],
  }),
]

/**
 * Texts for which what the service last gave out is put: only then does a request reach what is
 * behind the first check.
 */
export const LIVE = {
  task: 'live:task',
  lease: 'live:lease',
  run: 'live:run',
  verdict: 'live:verdict',
} as const
export type Live = Readonly<Record<keyof typeof LIVE, string>>

const task = { params: { task_id: LIVE.task } }
const LEASED = { reviewer: 'ann', lease_id: LIVE.lease, comment: '' }
const REVIEWS: readonly ValidRequest[] = [
  posted('reviews', '/v1/reviews/claim', { reviewer: 'ann', model_id: 'friend' }),
  posted(
    'reviews',
    '/v1/reviews/{task_id}/submit',
    { reviewer: 'ann', lease_id: LIVE.lease, label: '1', comment: 'sure' },
    task,
  ),
  posted('reviews', '/v1/reviews/{task_id}/skip', { ...LEASED, reason: 'cannot_tell' }, task),
  posted('reviews', '/v1/reviews/{task_id}/renew', { reviewer: 'ann', lease_id: LIVE.lease }, task),
  posted('reviews', '/v1/reviews/{task_id}/release', LEASED, task),
  posted('reviews', '/v1/reviews/{task_id}/undo', { reviewer: 'ann' }, task),
  { group: 'reviews', method: 'GET', path: '/v1/reviews/stats' },
  ...FAIR_PLAY,
]

const run = { params: { id: LIVE.run } }
const SEARCH = { before: '9', order: 'newest', action: 'run', actor: 'a', model_id: 'm', from: AT }
const RUNS: readonly ValidRequest[] = [
  posted('runs', '/v1/policy-trials', {
    ...{ model_id: 'friend', when: 'any(drift.psi, alarm)', cooldown: '7d', max_per_month: 4 },
    ...{ from: AT, to: '2026-12-01T00:00:00Z' },
  }),
  posted('runs', '/v1/policy-trials', {
    ...{ model_id: 'friend', policy: 'when: performance.accuracy < 0.8, for=2\ncooldown: 7d' },
    ...{ turn: { knob: 0, value: 0.7 }, from: AT, to: '2026-12-01T00:00:00Z' },
  }),
  posted('runs', '/v1/runs', { model_id: 'friend', policy: 'asked', reason: 'why', actor: 'bob' }),
  { group: 'runs', method: 'GET', path: '/v1/runs', query: { model_id: 'friend', limit: '10' } },
  { group: 'runs', method: 'GET', path: '/v1/runs/{id}', ...run },
  { group: 'runs', method: 'GET', path: '/v1/runs/{id}/replay', ...run },
  { group: 'runs', method: 'GET', path: '/v1/decisions', query: { model_id: 'friend' } },
  { group: 'runs', method: 'GET', path: '/v1/audit', query: { after: '0', limit: '10' } },
  { group: 'runs', method: 'GET', path: '/v1/audit', query: SEARCH },
  ...['approve', 'reject', 'cancel', 'hold', 'go-on', 'roll-back'].map((how) =>
    posted('runs', `/v1/runs/{id}/${how}`, { actor: 'ann', message: 'so' }, run),
  ),
  posted(
    'webhooks in',
    '/v1/runs/{id}/status',
    { state: 'succeeded', message: 'm', new_version: '8' },
    { ...run, query: { token: 'a'.repeat(43) } },
  ),
  ...approvalsOf(LIVE.run),
  ...ALERTS_OUT,
  posted('webhooks in', '/v1/alerts', {
    version: '4',
    receiver: 'r',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'Late', model_id: 'friend', plumbline_policy: 'asked' },
        annotations: { summary: 'late' },
        startsAt: AT,
        fingerprint: 'f1',
      },
    ],
  }),
]

const model = { params: { id: 'friend' } }
const asked = (path: string, query: Record<string, string> = {}): ValidRequest => ({
  group: 'models',
  method: 'GET',
  path,
  ...(path.includes('{id}') && model),
  query,
})
const reference = (more: Partial<ValidRequest>): ValidRequest => ({
  group: 'references',
  method: 'PUT',
  path: '/v1/models/{id}/references/{name}',
  params: { id: 'fuzzed', name: 'spring' },
  headers: JSON_TYPE,
  ...more,
})

/** An alert episode of the fuzzed model. */
const episode = { params: { id: 'fuzzed', episode: AT } }

const SIDES = { a_reference: 'baseline', b: SPAN, b_slice: 'sex:2', subject: 'f0' }

const MODELS: readonly ValidRequest[] = [
  asked('/v1/models'),
  asked('/v1/models/{id}'),
  asked('/v1/models/{id}/windows', {
    from: AT,
    to: AT,
    slice: 'sex:2',
    family: 'drift',
    metric: 'psi,ks',
    subject: 'f0',
    ...{ model_version: '*', variant: '', newest: 'true', as_of: AT },
  }),
  asked('/v1/models/{id}/report', { from: AT, to: '2026-01-02T00:00:00Z', as_of: AT }),
  asked('/v1/events', { model_id: 'fuzzed', seconds: '1' }),
  asked('/v1/alarms', { model_id: 'fuzzed' }),
  asked('/v1/models/{id}/features', { windows: '30' }),
  asked('/v1/models/{id}/labels', { days: '30' }),
  asked('/v1/models/{id}/agreement', { days: '30' }),
  asked('/v1/models/{id}/judges', { days: '30' }),
  posted(
    'models',
    '/v1/models/{id}/judges/{judge}/unmute',
    { actor: 'ann', version: '1', reason: 'r' },
    { params: { id: 'fuzzed', judge: 'grounded' } },
  ),
  asked('/v1/models/{id}/examples', {
    from: AT,
    to: '2026-01-02T00:00:00Z',
    kind: 'expectation',
    subject: 'f0',
    limit: '10',
  }),
  asked('/v1/models/{id}/episodes', { limit: '10', as_of: AT }),
  { ...asked('/v1/models/{id}/episodes/{episode}'), ...episode },
  asked('/v1/models/{id}/distributions', {
    subject: 'f0',
    from: AT,
    to: '2026-01-02T00:00:00Z',
    reference: 'baseline',
  }),
  asked('/v1/models/{id}/compare', { a: SPAN, b: SPAN, exact: 'true', convention: 'plumbline' }),
  asked('/v1/models/{id}/side-by-side', { ...SIDES, as_of: AT }),
  asked('/v1/models/{id}/settings'),
  asked('/v1/models/{id}/policies'),
  asked('/v1/models/{id}/card', { format: 'markdown' }),
  asked('/v1/models/{id}/cohorts', { to: AT, metrics: 'accuracy,error_ratio', as_of: AT }),
  asked('/v1/models/{id}/constraint_violations.json', { a: SPAN, b: SPAN }),
  asked('/v1/models/{id}/canary', {
    champion: '7',
    candidate: '8',
    by: 'model_version',
    from: AT,
    share: '0.5',
    paired: 'false',
    looks: '4',
    alpha: '0.05',
  }),
  reference({ body: { from: AT, to: '2026-01-02T00:00:00Z' } }),
  reference({ body: { model_version: '7' } }),
  reference({
    query: { label: 'truth' },
    headers: { 'content-type': 'text/csv' },
    body: 'amount,truth\n1.5,0\n2.5,1\n',
  }),
  reference({
    headers: { 'content-type': 'application/x-ndjson' },
    lines: [PREDICTION, PREDICTION],
  }),
]

const VERDICTS = ['accept', 'dismiss', 'snooze'].flatMap((decision): ValidRequest[] => {
  const until = decision === 'snooze' && { until: '2099-01-01T00:00:00Z' }
  const body = { actor: 'ann', comment: 'so', ...until }
  return [
    posted('verdicts', `/v1/verdicts/{id}/${decision}`, body, { params: { id: LIVE.verdict } }),
    posted('verdicts', `/v1/models/{id}/episodes/{episode}/${decision}`, body, episode),
  ]
})

const PAGES: readonly ValidRequest[] = [
  ...['/', '/models/friend', '/console/keys/keys.js'],
  ...['/review', '/runs', '/audit', '/data', '/keys', '/docs', '/docs/json'],
  ...['/health/live', '/health/ready', '/metrics', '/v1/config', '/v1/session'],
]
  .map((path): ValidRequest => ({ group: 'pages', method: 'GET', path }))
  .concat([
    posted(
      'pages',
      '/v1/session',
      { key: 'no key' },
      { headers: { ...JSON_TYPE, 'x-plumbline-page': '1' } },
    ),
    {
      group: 'pages',
      method: 'DELETE',
      path: '/v1/session',
      headers: { 'x-plumbline-page': '1' },
    },
  ])

const subject = {
  group: 'subjects',
  path: '/v1/subjects/{id}',
  params: { id: 'nobody-of-that-id' },
  query: { actor: 'ann' },
}
const LETTERS = {
  topic: 'plumbline.predictions.v1',
  reason: 'empty',
  before: AT,
  after: Buffer.from('[1,"a","b","0","1"]').toString('base64url'),
  limit: '5',
}
const KEEP: readonly ValidRequest[] = [
  { group: 'subjects', method: 'GET', path: '/v1/retention' },
  { group: 'subjects', method: 'GET', path: '/v1/data-health' },
  { group: 'subjects', method: 'GET', path: '/v1/dead-letters', query: LETTERS },
  { ...subject, method: 'GET' },
  { ...subject, method: 'DELETE' },
]

const aKey = { params: { key: '0f3a4b5c8d7e' } }
const KEYS: readonly ValidRequest[] = [
  { group: 'keys', method: 'GET', path: '/v1/keys' },
  posted('keys', '/v1/keys', { id: 'ann', grants: ['analyst@team:risk'], expires: '90d' }),
  posted('keys', '/v1/keys/{key}/rotate', { overlap: '24h', expires: '90d' }, aKey),
  { group: 'keys', method: 'DELETE', path: '/v1/keys/{key}', ...aKey },
]

/** A test holds that no route of the service is missing here. */
export const VALID: readonly ValidRequest[] = [
  ...EVENTS,
  ...WIRE_FORMATS,
  ...REVIEWS,
  ...DATASETS,
  ...RUNS,
  ...MODELS,
  ...VERDICTS,
  ...KEEP,
  ...KEYS,
  ...PAGES,
]
