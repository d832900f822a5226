/** Each kind of receiver, held against a double that takes what the service documents. */
import { expect, test } from 'vitest'
import type { Receiver } from '../../../schemas/alerts-file.ts'
import { grafana, opsgenie, pagerduty, slack, webhook, double } from './doubles.ts'
import { message, ROUTING_KEY, SECRET, sendParts, told } from './told.ts'

const HOSTILE = '<!channel> *a* <@U1> <http://evil.example|click> & \u202e' + 'x'.repeat(4000)

test('slack: a header, the text and links; nothing in it is markup, however long it is', async () => {
  const { hook, posts } = await slack()
  const parts = sendParts({ HOOK: hook })
  const receiver: Receiver = { name: 's', kind: 'slack', url: 'secret://env/HOOK' }
  expect(await told(parts, receiver, message())).toEqual({
    kind: 'delivered',
    answer: 'answered 200: ok',
  })
  const hostile = message({ title: HOSTILE, text: HOSTILE, runbook: 'javascript:alert(1)' })
  expect(await told(parts, receiver, hostile)).toMatchObject({ kind: 'delivered' })
  expect(posts[0]).toMatchObject({
    header: message().title,
    body: message().text,
    links: ['https://plumbline.example/models/fraud|Page', 'https://wiki.example/fraud|Runbook'],
  })
  expect(posts[1]).toMatchObject({
    mentions: [],
    links: ['https://plumbline.example/models/fraud|Page'],
  })
  expect(posts[1]!.body).toMatch(/^<!channel> \*a\* <@U1>/)
})

test('slack: its own sentence refuses for good, and its address is told to nobody', async () => {
  const { url, before } = await slack()
  const gone = `${url}/services/T000/B000/YYYYYYYY`
  const parts = sendParts({ HOOK: gone })
  const receiver: Receiver = { name: 's', kind: 'slack', url: 'secret://env/HOOK' }
  expect(await told(parts, receiver, message())).toEqual({
    kind: 'refused',
    why: 'answered 404: no_service',
  })
  before.push([403, `invalid_token of ${gone} at /services/T000/B000/YYYYYYYY`])
  expect(await told(parts, receiver, message())).toEqual({
    kind: 'refused',
    why: 'answered 403: invalid_token of *** at ***',
  })
})

test('pagerduty: an incident begins, changes and ends under one key; a test leaves none open', async () => {
  const { url, incidents, seen } = await pagerduty()
  const parts = sendParts({ KEY: ROUTING_KEY })
  const receiver: Receiver = {
    ...{ name: 'p', kind: 'pagerduty', url },
    routing_key: 'secret://env/KEY',
  }
  const outcomes = []
  for (const event of ['open', 'update', 'resolve'] as const) {
    outcomes.push((await told(parts, receiver, message({ event }))).kind)
    const { status } = incidents.get(message().subject)!
    expect(status).toBe(event === 'resolve' ? 'resolved' : 'triggered')
  }
  expect(outcomes).toEqual(['delivered', 'delivered', 'delivered'])
  expect([...incidents.values()]).toEqual([
    { status: 'resolved', severity: 'critical', triggers: 2 },
  ])
  expect(JSON.parse(seen[0]!.text)).toMatchObject({
    event_action: 'trigger',
    links: [{ text: 'Page' }, { text: 'Runbook' }],
    payload: { source: 'fraud', component: 'fraud', group: 'risk', class: 'alarm' },
  })
  await told(parts, receiver, message({ event: 'test', subject: 'test/p' }))
  expect(incidents.get('test/p')).toMatchObject({ status: 'resolved', severity: 'info' })
  const wrong = sendParts({ KEY: 'short' })
  expect(await told(wrong, receiver, message())).toEqual({
    kind: 'refused',
    why: 'answered 400: Event object is invalid',
  })
  const long = message({ title: HOSTILE, model_id: 'm'.repeat(300) })
  expect(await told(parts, receiver, long)).toMatchObject({ kind: 'delivered' })
})

test('opsgenie: an alert is created, changed part by part, and closed by its alias', async () => {
  const { url, alerts } = await opsgenie('genie-key')
  const parts = sendParts({ KEY: 'genie-key' })
  const receiver: Receiver = { name: 'o', kind: 'opsgenie', url, api_key: 'secret://env/KEY' }
  const { subject } = message()
  await told(parts, receiver, message({ severity: 'warning' }))
  expect(alerts.get(subject)).toMatchObject({ status: 'open', priority: 'P3', count: 1 })
  const graver = message({ event: 'update', title: HOSTILE, text: 'worse' })
  expect(await told(parts, receiver, graver)).toMatchObject({ kind: 'delivered' })
  expect(alerts.get(subject)).toMatchObject({ priority: 'P1', count: 1 })
  expect(alerts.get(subject)!.description).toMatch(/^worse\nPage: https/)
  await told(parts, receiver, message({ event: 'resolve' }))
  expect(alerts.get(subject)!.status).toBe('closed')
  await told(parts, receiver, message({ event: 'test', subject: 'test/o' }))
  expect(alerts.get('test/o')).toMatchObject({ status: 'closed', priority: 'P5' })
  expect(await told(sendParts({ KEY: 'other-key' }), receiver, message())).toEqual({
    kind: 'refused',
    why: 'answered 401: Could not authenticate',
  })
})

test('webhook: signed, with headers of its own, once however often it comes', async () => {
  const own = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
  const { url, taken, seen } = await webhook(own)
  const parts = sendParts({ KEY: own, TOKEN: 't0ken' })
  const receiver: Receiver = {
    ...{ name: 'w', kind: 'webhook', url: `${url}/in`, key: 'secret://env/KEY' },
    headers: { authorization: 'Bearer secret://env/TOKEN' },
  }
  const again = { delivery_id: 'the-same' }
  for (const attempt of [1, 2])
    expect(await told(parts, receiver, message(), { ...again, attempt })).toMatchObject({
      kind: 'delivered',
    })
  expect(taken).toMatchObject([
    {
      id: 'the-same',
      type: 'plumbline.alert.open',
      data: { incident_id: message().subject, model_id: 'fraud', owner: 'ann' },
    },
  ])
  expect(seen[0]!.headers.authorization).toBe('Bearer t0ken')
  const unsigned: Receiver = { name: 'w', kind: 'webhook', url }
  expect(await told(parts, unsigned, message())).toEqual({
    kind: 'refused',
    why: 'answered 401: the signature is not good',
  })
  expect(SECRET).not.toBe(own)
})

test('grafana: an annotation from the begin of an incident to its end, found again after a crash', async () => {
  const { url, annotations } = await grafana('glsa_t')
  const parts = sendParts({ TOKEN: 'glsa_t' })
  const receiver: Receiver = {
    ...{ name: 'g', kind: 'grafana', url, token: 'secret://env/TOKEN' },
    dashboard_uid: 'plumbline-drift',
  }
  const same = { delivery_id: 'd-1' }
  const first = await told(parts, receiver, message({ text: '<b>bold</b>' }), same)
  expect(first).toMatchObject({ kind: 'delivered', remoteId: '1' })
  // The process died before it wrote that down.
  expect(await told(parts, receiver, message(), { ...same, attempt: 2 })).toMatchObject({
    remoteId: '1',
    answer: 'it was there already',
  })
  expect(annotations).toHaveLength(1)
  expect(annotations[0]).toMatchObject({
    time: Date.parse(message().since),
    dashboardUID: 'plumbline-drift',
  })
  expect(annotations[0]!.text).toContain('&lt;b&gt;bold&lt;/b&gt;')
  expect(annotations[0]!.tags).toContain('fraud')
  const end = message({ event: 'resolve', at: '2026-01-03T00:00:00.000Z' })
  expect(await told(parts, receiver, end, { remoteId: '1' })).toMatchObject({ remoteId: '1' })
  expect(annotations[0]!.timeEnd).toBe(Date.parse(end.at))
  expect(await told(parts, receiver, end, { remoteId: '77' })).toMatchObject({
    kind: 'delivered',
    answer: 'the annotation is gone',
  })
  expect(await told(parts, receiver, end)).toMatchObject({ remoteId: '2' })
  expect(annotations[1]).toMatchObject({ timeEnd: Date.parse(end.at) })
})

test('what may pass is tried again, as soon as is asked for; redirects are refused', async () => {
  const { url, before } = await double(() => [200, 'ok'])
  const parts = sendParts({})
  const receiver: Receiver = { name: 'w', kind: 'webhook', url, timeout: '1s' }
  const outcomes = async (...answers: typeof before) => {
    before.push(...answers)
    const found = []
    for (const _ of answers) found.push(await told(parts, receiver, message()))
    return found
  }
  expect(
    await outcomes(
      [429, { message: 'slow down' }, { 'retry-after': '30' }],
      [503, '<html>away</html>'],
      [408, ''],
    ),
  ).toEqual([
    { kind: 'failed', why: 'answered 429: slow down', askedMs: 30_000 },
    { kind: 'failed', why: 'answered 503', askedMs: 0 },
    { kind: 'failed', why: 'answered 408', askedMs: 0 },
  ])
  expect(await outcomes('hang up', 'hang')).toMatchObject([{ kind: 'failed' }, { kind: 'failed' }])
  expect(await outcomes([302, '', { location: 'http://169.254.169.254/' }])).toMatchObject([
    { kind: 'refused', why: expect.stringContaining('redirects are not followed') },
  ])
})

test('nothing is sent where none may be reached, nor by a secret that is not set', async () => {
  const parts = sendParts({})
  const metadata: Receiver = { name: 'w', kind: 'webhook', url: 'http://169.254.169.254/x' }
  expect(await told(parts, metadata, message())).toMatchObject({
    kind: 'refused',
    why: expect.stringContaining('169.254.169.254 tells secrets of its machine'),
  })
  const unset: Receiver = { name: 's', kind: 'slack', url: 'secret://env/GONE' }
  expect(await told(parts, unset, message())).toEqual({
    kind: 'refused',
    why: 'secret://env/GONE is not set',
  })
})
