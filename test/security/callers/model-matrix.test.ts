/**
 * Every route of the route table by every role that holds for one model alone: that model's things
 * are answered, another's are refused, and lists hold that model alone.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROLES, type Scope } from '../../../lib/http/grants.ts'
import { embeddedPostgres } from '../../../lib/postgres/port.ts'
import { copyFreshStores } from '../../servers/fresh-stores.ts'
import { temporaryDirectory } from '../../harness.ts'
import { AUDIENCE, startIssuer, type Issuer } from '../../servers/oidc-issuer.ts'
import { prediction, startTarget, type Running } from '../../servers/processes.ts'
import { LISTS, OTLP, ROUTES, type Asked } from './routes-by-model.ts'

const OWN = 'own'
const FOREIGN = 'foreign'
let issuer: Issuer
let plumbline: Running
let table: string[]

beforeAll(async () => {
  const directory = temporaryDirectory()
  const dataDir = join(directory, 'data')
  mkdirSync(join(directory, 'models'))
  mkdirSync(dataDir)
  for (const [model, team] of [
    [OWN, 'red'],
    [FOREIGN, 'blue'],
  ] as const)
    writeFileSync(
      join(directory, `models/${model}.yaml`),
      `model_id: ${model}\ntask: binary\nteam: ${team}\nenvironment: of-${model}\nwindows: { size: 1h }\n`,
    )
  await plantRows(dataDir)
  issuer = await startIssuer()
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: dataDir,
    PLUMBLINE_MODELS_DIR: join(directory, 'models'),
    PLUMBLINE_OIDC_ISSUER: issuer.url,
    PLUMBLINE_OIDC_AUDIENCE: AUDIENCE,
    PLUMBLINE_OIDC_TEAMS_CLAIM: 'teams',
  })
  await plantVerdicts(dataDir)
  const { paths } = (await (await fetch(`${plumbline.url}/docs/json`)).json()) as {
    paths: Record<string, Record<string, { security?: object[] }>>
  }
  table = Object.entries(paths).flatMap(([route, operations]) =>
    Object.entries(operations).flatMap(([method, { security = [] }]) =>
      security.some((way) => !('feedback' in way)) ? [`${method.toUpperCase()} ${route}`] : [],
    ),
  )
})
afterAll(async () => {
  await plumbline?.stop()
  await issuer?.stop()
})

async function plantRows(dataDir: string): Promise<void> {
  copyFreshStores(dataDir, ['postgres'])
  const db = await embeddedPostgres(join(dataDir, 'postgres'))
  const at = new Date(Date.UTC(2026, 0, 1))
  for (const model of [OWN, FOREIGN]) {
    await db.query(
      `insert into review_tasks (task_id, model_id, prediction_id, reviewers, inclusion_probability, created_at)
       values ($1, $2, 'p', 1, 1, $3)`,
      [`task-of-${model}`, model, at],
    )
    await db.query(
      `insert into runs (run_id, model_id, policy, cause, state, reason, decided_at, created_at, updated_at)
       values ($1, $2, 'no', 'asked', 'awaiting_approval', 'r', $3, $3, $3)`,
      [`run-of-${model}`, model, at],
    )
    // The caller of every cell is ann: eve has delegated to her, and zoe to somebody else.
    await db.query(
      `insert into approval_delegations (delegation_id, delegator, delegator_person, delegate, delegate_person, models, begins_at, ends_at, reason, created_at)
       values ($1, 'zoe', 'zoe', 'ida', 'ida', $2, $3, '2099-01-01', 'r', $3), ($1 || '-', 'eve', 'eve', 'ann', 'ann', $2, $3, '2099-01-01', 'r', $3)`,
      [`delegation-of-${model}`, [model], at],
    )
    await db.query(
      `insert into datasets (dataset_id, model_id, made_at, made_by, erased_at) values ($1, $2, $3, 'ann', $3)`,
      [`dataset-of-${model}`, model, at],
    )
    await db.query(
      `insert into alert_deliveries (delivery_id, receiver, subject, sequence, model_id, event, hash, message, state, created_at, next_attempt_at)
       values ($1, 'r', $1, 1, $2, 'open', '', '{"title": "t"}', 'delivered', $3, $3)`,
      [`delivery-of-${model}`, model, at],
    )
  }
  await db.close()
}

async function plantVerdicts(dataDir: string): Promise<void> {
  const rows = [OWN, FOREIGN].map((model) => `('verdict-of-${model}', '${model}')`)
  const response = await fetch(plumbline.clickhouseUrl, {
    method: 'POST',
    headers: {
      'x-clickhouse-user': 'plumbline',
      'x-clickhouse-key': readFileSync(join(dataDir, 'clickhouse.secret'), 'utf8').trim(),
    },
    body: `INSERT INTO verdicts (verdict_id, model_id) VALUES ${rows.join(', ')}`,
  })
  expect([response.status, await response.text()]).toEqual([200, ''])
}

/** The roles of a token, and its teams. */
const tokenOf = (roles: string[], teams: string[] = ['*']) =>
  issuer.signed({
    ...{ iss: issuer.url, aud: AUDIENCE, sub: 'ann', roles, teams },
    exp: Math.floor(Date.now() / 1000) + 3600,
  })

async function send(
  token: string,
  route: string,
  { query: text = '', body: sent }: Asked,
  id = '',
) {
  const [method = '', address = ''] = route.split(' ')
  const filled = address
    .replaceAll(/\{(id|task_id)\}/g, id || 'none')
    .replace('{name}', 'n')
    .replace('{episode}', '2026-01-01T00:00:00Z')
  const hasBody = !['GET', 'DELETE'].includes(method)
  const type = address === '/v1/cloudevents' ? 'application/cloudevents+json' : 'application/json'
  return fetch(`${plumbline.url}${filled}${text}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'x-plumbline-page': '1',
      ...(hasBody && { 'content-type': type }),
    },
    ...(hasBody && { body: JSON.stringify(sent ?? {}) }),
  })
}
const statusOf = async (token: string, name: string, model: string) => {
  const { id, asked } = ROUTES[name]!
  const response = await send(token, name, asked?.(model) ?? {}, id?.(model))
  // A stream of events does not end by itself.
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  await (isStream ? response.body?.cancel() : response.arrayBuffer())
  return response.status
}

test('each route that knows its callers is decided about', () => {
  const decided = [...Object.keys(ROUTES), ...Object.keys(LISTS), ...OTLP]
  expect([...new Set(decided)].toSorted()).toEqual(table.toSorted())
})

const WAYS: [string, (role: string) => [string[], string[]?]][] = [
  ['the model', (role) => [[`${role}@model:${OWN}`]]],
  ['its team', (role) => [[`${role}@team:red`]]],
  ['its environment', (role) => [[`${role}@environment:of-${OWN}`]]],
  ['the teams of a claim', (role) => [[role], ['red']]],
]

test.each(WAYS)(
  'every cell of routes, roles and models, with roles for %s',
  async (_, claimsOf) => {
    const wrong: string[] = []
    for (const [role, scopes] of Object.entries(ROLES)) {
      const token = await tokenOf(...claimsOf(role))
      for (const [name, { scope, isOfEvery }] of Object.entries(ROUTES))
        for (const model of [OWN, FOREIGN]) {
          const status = await statusOf(token, name, model)
          const mayScope = (scopes as readonly Scope[]).includes(scope)
          const may = mayScope && model === OWN && !isOfEvery
          const refused = mayScope ? [403] : [401, 403]
          const isRight = may
            ? ![401, 403].includes(status) && status < 500
            : refused.includes(status)
          if (!isRight) wrong.push(`${name} of ${model} by ${role}: ${status}`)
        }
    }
    expect(wrong).toEqual([])
  },
  240_000,
)

test('a role for all models is refused nowhere, and no team is no model', async () => {
  const [all, none] = [await tokenOf(['admin']), await tokenOf(['admin'], [])]
  for (const name of Object.keys(ROUTES)) {
    expect([name, await statusOf(none, name, OWN)]).toEqual([
      name,
      name.endsWith('/alerts') || name.endsWith('/status') ? 401 : 403,
    ])
    expect([401, 403]).not.toContain(await statusOf(all, name, FOREIGN))
  }
})

test('lists hold the models of the caller alone', async () => {
  const own = await tokenOf(['analyst@team:red', 'reviewer@team:red'])
  const all = await tokenOf(['analyst', 'reviewer'])
  for (const [name, modelsOf] of Object.entries(LISTS)) {
    const found = new Set(modelsOf(await (await send(own, name, {})).json()))
    expect([name, [...found].filter((model) => model !== OWN)]).toEqual([name, []])
    if (name === 'GET /v1/alarms') continue
    expect([name, found.has(OWN)]).toEqual([name, true])
    expect(modelsOf(await (await send(all, name, {})).json())).toContain(FOREIGN)
  }
})

test('a batch is taken without the events of others, and spans of others are refused', async () => {
  const token = await tokenOf([`emitter@model:${OWN}`])
  const batch = [OWN, FOREIGN].map((model, i) => prediction(100 + i, { model_id: model }))
  expect(await (await send(token, 'POST /v1/predictions', { body: batch })).json()).toMatchObject({
    accepted: 1,
    rejected: [{ index: 1, id: 'p-101', code: 'foreign_model' }],
  })
  const attributes = (given: Record<string, string>) =>
    Object.entries(given).map(([key, value]) => ({ key, value: { stringValue: value } }))
  const refusedOf = async (model: string) => {
    const span = {
      ...{
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: '0000000000000003',
        name: 'chat g',
      },
      startTimeUnixNano: '1767225600000000000',
      endTimeUnixNano: '1767225601500000000',
      attributes: attributes({ 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'g' }),
    }
    const resource = { attributes: attributes({ 'service.name': model }) }
    const resourceSpans = [{ resource, scopeSpans: [{ spans: [span] }] }]
    const response = await send(token, 'POST /v1/traces', { body: { resourceSpans } })
    const answer = (await response.json()) as { partialSuccess?: { rejectedSpans?: string } }
    return Number(answer.partialSuccess?.rejectedSpans ?? 0)
  }
  expect(await refusedOf(OWN)).toBe(0)
  expect(await refusedOf(FOREIGN)).toBe(1)
})

test('who may read some models reads their rows on the ClickHouse port', async () => {
  const asked = async (roles: string[], sql: string) => {
    const response = await fetch(plumbline.clickhouseUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf(roles)}` },
      body: sql,
    })
    return [response.status, await response.text()] as const
  }
  const models = 'SELECT DISTINCT model_id FROM verdicts ORDER BY model_id FORMAT CSV'
  const own = [200, `"${OWN}"\n`]
  expect(await asked([`analyst@model:${OWN}`], models)).toEqual(own)
  expect(await asked([`admin@model:${OWN}`], models)).toEqual(own)
  expect((await asked(['analyst'], models))[1]).toContain(FOREIGN)
  expect((await asked([`emitter@model:${OWN}`], 'SELECT 1'))[0]).toBe(403)
  expect((await asked(['analyst@team:nobodys'], 'SELECT 1'))[0]).toBe(403)
  expect((await asked([`analyst@model:${OWN}`], 'SELECT * FROM dead_letters'))[1]).toContain(
    'the table dead_letters: it holds rows of every model',
  )
})
