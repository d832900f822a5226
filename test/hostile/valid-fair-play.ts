/** What operators of the review queue send: what the fuzzer changes. */
import type { Json, ValidRequest } from './valid-request.ts'

const params = { id: 'friend' }
/** As `LIVE` of the other requests has them. */
const TASK = 'live:task'
const LEASE = 'live:lease'
const posted = (path: string, body: Json, more: Record<string, string> = params): ValidRequest => ({
  ...{ group: 'reviews', method: 'POST', path, params: more, body },
  headers: { 'content-type': 'application/json' },
})

export const FAIR_PLAY: readonly ValidRequest[] = [
  posted('/v1/reviews/adjudicate', { reviewer: 'ann', model_id: 'friend' }, {}),
  posted(
    '/v1/reviews/{task_id}/decide',
    { reviewer: 'ann', lease_id: LEASE, label: '1', comment: 'sure' },
    { task_id: TASK },
  ),
  posted('/v1/models/{id}/gold', {
    actor: 'ann',
    known: [{ prediction_id: 'p-1', label: '1', tolerance: 0.5 }],
  }),
  posted(
    '/v1/reviews/{task_id}/flag',
    { reviewer: 'ann', lease_id: LEASE, reason: 'personal_data', comment: 'a name' },
    { task_id: TASK },
  ),
  posted(
    '/v1/models/{id}/flags/{flag_id}/close',
    { actor: 'ann', message: 'masked now', take_off: true },
    { ...params, flag_id: 'none' },
  ),
  ...['pause', 'resume'].map((act) =>
    posted(`/v1/models/{id}/review/${act}`, {
      actor: 'ann',
      reason: 'the words are being changed',
    }),
  ),
  {
    ...{ group: 'reviews', method: 'GET', path: '/v1/models/{id}/flags', params },
    query: { state: 'open', limit: '10' },
  },
  { group: 'reviews', method: 'GET', path: '/v1/models/{id}/gold', params, query: { limit: '10' } },
]
