import type { ValidRequest } from './valid-request.ts'

const headers = { 'content-type': 'application/json' }
const test = { group: 'alerts', method: 'POST', path: '/v1/alerts/test', headers }

/** One request of every route of alerts that go out, as a friend sends it. */
export const ALERTS_OUT: readonly ValidRequest[] = [
  {
    group: 'alerts',
    method: 'GET',
    path: '/v1/alerts/deliveries',
    query: { model_id: 'friend', receiver: 'r', state: 'failed', delivery_id: 'd', limit: '10' },
  },
  { group: 'alerts', method: 'GET', path: '/v1/alerts/receivers' },
  { ...test, body: { receiver: 'r', actor: 'ann' } },
  { ...test, body: { model_id: 'friend', severity: 'alarm', kind: 'alarm', actor: 'ann' } },
]
