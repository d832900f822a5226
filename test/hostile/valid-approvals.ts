/** Requests about approvals in another's stead and by links, as a friend sends them. */
import type { Json, ValidRequest } from './valid-request.ts'

const posted = (path: string, body: Json, params?: { id: string }): ValidRequest => ({
  group: 'runs',
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json' },
  ...(params && { params }),
  body,
})

const linkOf = (run: string) => ({ run_id: run, token: `${'a'.repeat(22)}.${'b'.repeat(43)}` })
const DELEGATION = '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'

/** Valid requests of each of these routes, about one run. */
export const approvalsOf = (run: string): readonly ValidRequest[] => [
  { group: 'runs', method: 'GET', path: '/v1/delegations', query: { limit: '10' } },
  posted('/v1/delegations', {
    ...{ actor: 'ann', to: 'bob', models: ['friend'], reason: 'I am away' },
    ...{ from: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00Z' },
  }),
  posted('/v1/delegations/{id}/revoke', { actor: 'ann', message: 'so' }, { id: DELEGATION }),
  posted('/v1/runs/{id}/approve-for', { actor: 'bob', for: 'ann', message: 'so' }, { id: run }),
  posted('/v1/approval-links/open', linkOf(run)),
  posted('/v1/approval-links/use', { ...linkOf(run), act: 'approve', message: 'so' }),
]
