/** What operators of the review queue send: what the fuzzer changes. */
import type { Json, ValidRequest } from './valid-request.ts'

const params = { id: 'friend' }
const posted = (path: string, body: Json): ValidRequest => ({
  ...{ group: 'reviews', method: 'POST', path, params, body },
  headers: { 'content-type': 'application/json' },
})

export const FAIR_PLAY: readonly ValidRequest[] = [
  posted('/v1/models/{id}/gold', {
    actor: 'ann',
    known: [{ prediction_id: 'p-1', label: '1', tolerance: 0.5 }],
  }),
  { group: 'reviews', method: 'GET', path: '/v1/models/{id}/gold', params, query: { limit: '10' } },
]
