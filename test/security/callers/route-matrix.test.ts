/**
 * Every route of the route table by every role: whoever may ask is heard, and everybody else is
 * refused.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROLES } from '../../../lib/http/grants.ts'
import { temporaryDirectory } from '../../harness.ts'
import { AUDIENCE, startIssuer, type Issuer } from '../../servers/oidc-issuer.ts'
import { startTarget, type Running } from '../../servers/processes.ts'

/**
 * What each route asks of its caller, decided here and not by the route: nothing at all, a scope,
 * or a token that no caller has.
 */
const WANTED: Record<
  string,
  'public' | 'token' | 'emit' | 'read' | 'review' | 'operate' | 'admin'
> = {
  'DELETE /v1/session': 'public',
  'GET /docs/json': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /metrics': 'public',
  'GET /v1/session': 'public',
  'POST /v1/session': 'public',
  'POST /v1/approval-links/open': 'public',
  'POST /v1/approval-links/use': 'public',
  'OPTIONS /v1/feedback': 'public',
  'POST /v1/feedback': 'token',
  'POST /v1/feedback-tokens': 'emit',
  'POST /v1/attributes': 'emit',
  'POST /v1/cloudevents': 'emit',
  'POST /v1/labels': 'emit',
  'POST /v1/labels/argilla': 'emit',
  'POST /v1/labels/label-studio': 'emit',
  'POST /v1/logs': 'emit',
  'POST /v1/predictions': 'emit',
  'POST /v1/traces': 'emit',
  'GET /v1/audit': 'read',
  'GET /v1/data-health': 'read',
  'GET /v1/datasets': 'read',
  'GET /v1/datasets/{id}': 'read',
  'GET /v1/datasets/{id}/rows': 'read',
  'POST /v1/datasets': 'read',
  'GET /v1/decisions': 'read',
  'GET /v1/delegations': 'read',
  'GET /v1/models': 'read',
  'GET /v1/models/{id}': 'read',
  'GET /v1/models/{id}/canary': 'read',
  'GET /v1/models/{id}/card': 'read',
  'GET /v1/models/{id}/cohorts': 'read',
  'GET /v1/models/{id}/compare': 'read',
  'GET /v1/models/{id}/side-by-side': 'read',
  'GET /v1/models/{id}/constraint_violations.json': 'read',
  'GET /v1/models/{id}/windows': 'read',
  'GET /v1/models/{id}/settings': 'read',
  'GET /v1/models/{id}/policies': 'read',
  'GET /v1/models/{id}/labels': 'read',
  'GET /v1/models/{id}/agreement': 'read',
  'GET /v1/models/{id}/judges': 'read',
  'POST /v1/models/{id}/judges/{judge}/unmute': 'operate',
  'GET /v1/events': 'read',
  'GET /v1/models/{id}/report': 'read',
  'GET /v1/models/{id}/features': 'read',
  'GET /v1/models/{id}/distributions': 'read',
  'GET /v1/models/{id}/examples': 'read',
  'GET /v1/models/{id}/episodes': 'read',
  'GET /v1/models/{id}/episodes/{episode}': 'read',
  'GET /v1/alarms': 'read',
  'GET /v1/alerts/deliveries': 'read',
  'GET /v1/retention': 'read',
  'GET /v1/runs': 'read',
  'GET /v1/runs/{id}': 'read',
  'GET /v1/runs/{id}/replay': 'read',
  'POST /v1/runs/{id}/approve-for': 'read',
  'GET /v1/reviews/stats': 'review',
  'POST /v1/reviews/claim': 'review',
  'POST /v1/reviews/adjudicate': 'review',
  'POST /v1/reviews/{task_id}/decide': 'review',
  'POST /v1/reviews/{task_id}/release': 'review',
  'POST /v1/reviews/{task_id}/renew': 'review',
  'POST /v1/reviews/{task_id}/skip': 'review',
  'POST /v1/reviews/{task_id}/submit': 'review',
  'POST /v1/reviews/{task_id}/undo': 'review',
  'POST /v1/reviews/{task_id}/flag': 'review',
  'GET /v1/models/{id}/flags': 'operate',
  'POST /v1/models/{id}/flags/{flag_id}/close': 'operate',
  'POST /v1/models/{id}/review/pause': 'operate',
  'POST /v1/models/{id}/review/resume': 'operate',
  'GET /v1/models/{id}/gold': 'operate',
  'POST /v1/models/{id}/gold': 'operate',
  'GET /v1/config': 'operate',
  'GET /v1/alerts/receivers': 'operate',
  'GET /v1/dead-letters': 'operate',
  'DELETE /v1/keys/{key}': 'admin',
  'GET /v1/keys': 'admin',
  'POST /v1/keys': 'admin',
  'POST /v1/keys/{key}/rotate': 'admin',
  'DELETE /v1/subjects/{id}': 'admin',
  'GET /v1/subjects/{id}': 'admin',
  'POST /v1/alerts': 'operate',
  'POST /v1/alerts/test': 'operate',
  'POST /v1/policy-trials': 'read',
  'POST /v1/runs': 'operate',
  'POST /v1/runs/{id}/approve': 'operate',
  'POST /v1/delegations': 'operate',
  'POST /v1/delegations/{id}/revoke': 'operate',
  'POST /v1/runs/{id}/cancel': 'operate',
  'POST /v1/runs/{id}/go-on': 'operate',
  'POST /v1/runs/{id}/hold': 'operate',
  'POST /v1/runs/{id}/reject': 'operate',
  'POST /v1/runs/{id}/roll-back': 'operate',
  'POST /v1/runs/{id}/status': 'operate',
  'POST /v1/models/{id}/episodes/{episode}/accept': 'operate',
  'POST /v1/models/{id}/episodes/{episode}/dismiss': 'operate',
  'POST /v1/models/{id}/episodes/{episode}/snooze': 'operate',
  'POST /v1/verdicts/{id}/accept': 'operate',
  'POST /v1/verdicts/{id}/dismiss': 'operate',
  'POST /v1/verdicts/{id}/snooze': 'operate',
  'PUT /v1/models/{id}/references/{name}': 'operate',
}

const ROLE_NAMES = Object.keys(ROLES) as (keyof typeof ROLES)[]
let issuer: Issuer
let plumbline: Running
/** Headers by caller: nobody, somebody without a role, and one of each role. */
const callers = new Map<string, Record<string, string>>()
let table: [string, string][]

beforeAll(async () => {
  issuer = await startIssuer()
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(temporaryDirectory(), 'data'),
    PLUMBLINE_MODELS_DIR: join(import.meta.dirname, '../../no-models'),
    PLUMBLINE_OIDC_ISSUER: issuer.url,
    PLUMBLINE_OIDC_AUDIENCE: AUDIENCE,
  })
  callers.set('nobody', {})
  for (const role of ['no role', ...ROLE_NAMES]) {
    const exp = Math.floor(Date.now() / 1000) + 3600
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: role, roles: [role], exp }
    callers.set(role, { authorization: `Bearer ${await issuer.signed(claims)}` })
  }
  const { paths } = (await (await fetch(`${plumbline.url}/docs/json`)).json()) as {
    paths: Record<string, object>
  }
  table = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method): [string, string] => [method.toUpperCase(), path]),
  )
})
afterAll(async () => {
  await plumbline?.stop()
  await issuer?.stop()
})

const mayAsk = (caller: string, wanted: string) =>
  wanted === 'public' ||
  ((ROLE_NAMES as string[]).includes(caller) &&
    (ROLES[caller as keyof typeof ROLES] as readonly string[]).includes(wanted))

async function statusOf(method: string, path: string, headers: Record<string, string>) {
  const hasBody = !['GET', 'HEAD', 'DELETE'].includes(method)
  const response = await fetch(`${plumbline.url}${path.replaceAll(/\{\w+\}/g, 'none')}`, {
    method,
    headers: {
      ...headers,
      'x-plumbline-page': '1',
      ...(hasBody && { 'content-type': 'application/json' }),
    },
    ...(hasBody && { body: bodyOf(path) }),
  })
  // A stream of events does not end by itself.
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  await (isStream ? response.body?.cancel() : response.arrayBuffer())
  return response.status
}

/** Those that know their callers by other means too ask for them after the body is read. */
const bodyOf = (path: string) =>
  path === '/v1/alerts' ? '{"alerts":[]}' : path.endsWith('/status') ? '{"state":"running"}' : '{}'

test('each route of the table is decided about, and none is decided about that is not there', () => {
  expect(table.map((route) => route.join(' ')).toSorted()).toEqual(Object.keys(WANTED).toSorted())
})

test('every cell of routes and roles', async () => {
  const wrong: string[] = []
  let cells = 0
  for (const [method, path] of table)
    for (const [caller, headers] of callers) {
      const wanted = WANTED[`${method} ${path}`]!
      const status = await statusOf(method, path, headers)
      const refusals =
        wanted === 'token' || path === '/v1/alerts' || path.endsWith('/status')
          ? [401]
          : [caller === 'nobody' ? 401 : 403]
      const isRight = mayAsk(caller, wanted)
        ? ![401, 403].includes(status) && status < 500
        : refusals.includes(status)
      if (!isRight) wrong.push(`${method} ${path} by ${caller}, which wants ${wanted}: ${status}`)
      cells++
    }
  expect(wrong).toEqual([])
  expect(cells).toBe(Object.keys(WANTED).length * (ROLE_NAMES.length + 2))
})
