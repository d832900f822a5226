/** Ratings from pages of other origins: taken, changed, refused in one sentence, and counted. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { feedbackToken } from '../../emitters/node/plumbline.mjs'
import { signedPrediction } from '../../lib/http/oidc/prediction-tokens.ts'
import { launchChromium } from '../chromium-page.ts'
import { temporaryDirectory } from '../harness.ts'
import { AUDIENCE, startIssuer } from '../servers/oidc-issuer.ts'
import { ask, startTarget, until, type Running } from '../servers/processes.ts'

const ROOT = join(import.meta.dirname, '../..')
const EXAMPLE = join(ROOT, 'examples/ratings/rating.html')
const [KEY, OLD_KEY] = ['k'.repeat(32), 'o'.repeat(32)]
const EXP = 4_000_000_000
const GOLDEN =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbF9pZCI6ImsiLCJwcmVkaWN0aW9uX2lkIjoicC3DpCIsIm5hbWVzIjpbInRodW1icyIsInN0YXJzIl0sImF1ZCI6InBsdW1ibGluZS1mZWVkYmFjayIsImV4cCI6NDAwMDAwMDAwMH0.WWR1xVFYysbTR6TDpkGFcw-rfT3MQ_h0q_f3GgCg1o8'

let pages: Server
let origin: string
let plumbline: Running

const tokenOf = (prediction_id: string, { key = KEY, exp = EXP } = {}) =>
  feedbackToken({ model_id: 'm', prediction_id, names: ['thumbs'], exp }, key)

beforeAll(async () => {
  pages = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(readFileSync(EXAMPLE))
  })
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'key'), `${KEY}\n${OLD_KEY}\n`)
  plumbline = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: join(ROOT, 'test/no-models'),
    PLUMBLINE_FEEDBACK_KEY_FILE: join(directory, 'key'),
    PLUMBLINE_FEEDBACK_ORIGINS: origin,
  })
})
afterAll(async () => {
  await plumbline?.stop()
  pages?.close()
})

const RATING = { name: 'thumbs', label: 'up' }
async function rate(prediction_id: string, token: string, more: object = {}, from = origin) {
  const response = await fetch(`${plumbline.url}/v1/feedback`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', origin: from },
    body: JSON.stringify({ prediction_id, ...RATING, ...more }),
  })
  const answer = (await response.json()) as { detail?: string; code?: string }
  return { status: response.status, ...answer }
}
const counted = async (reason: string) =>
  (await (await fetch(`${plumbline.url}/metrics`)).text()).includes(
    `plumbline_endpoint_events_total{service="feedback",topic="plumbline.labels.v1",outcome="rejected",reason="${reason}"}`,
  )

test('the emitters and the service make the same token', async () => {
  const claims = { model_id: 'k', prediction_id: 'p-ä', names: ['thumbs', 'stars'], exp: EXP }
  const python = execFileSync(
    'python3',
    [
      '-c',
      `from plumbline import feedback_token; print(feedback_token("${KEY}\\n", "k", "p-ä", ["thumbs", "stars"], ${EXP}), end="")`,
    ],
    { cwd: join(ROOT, 'emitters/python'), encoding: 'utf8' },
  )
  expect(python).toBe(GOLDEN)
  expect(feedbackToken(claims, KEY)).toBe(GOLDEN)
  expect(feedbackToken(claims, `${KEY}\n`)).toBe(GOLDEN)
  expect(() => feedbackToken(claims, 'short')).toThrow('the key has 5 bytes: 32 are the least')
  expect(await signedPrediction(claims, Buffer.from(KEY))).toBe(GOLDEN)
})

test('a page of another origin rates in a browser, and what it sends is a label', async () => {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.goto(`${origin}/#${plumbline.url}|p-page|${tokenOf('p-page')}`)
    await page.getByRole('button', { name: 'Yes' }).click()
    await page.getByText('Thank you').waitFor()
    await page.goto('about:blank')
    await page.goto(`${origin}/#${plumbline.url}|p-page|${tokenOf('p-other')}`)
    await page.getByRole('button', { name: 'No' }).click()
    await page.getByText('prediction_id is another than that of the token').waitFor()
  } finally {
    await browser.close()
  }
  const stored = () =>
    ask(
      plumbline.clickhouseUrl,
      `SELECT label, name, source FROM labels WHERE prediction_id = 'p-page'`,
    )
  await until('the label is stored', async () => (await stored()).length > 0)
  expect(await stored()).toEqual([{ label: 'up', name: 'thumbs', source: 'user_feedback' }])
})

test('tokens that are not good are refused and counted', async () => {
  const [header, claims] = tokenOf('p').split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  for (const [reason, token] of [
    ['token_forged', tokenOf('p', { key: 'x'.repeat(32) })],
    ['token_forged', `${header}.${claims}.AAAA`],
    ['token_forged', `${none}.${claims}.`],
    ['token_absent', ''],
    ['token_expired', tokenOf('p', { exp: 1_000_000_000 })],
  ] as const) {
    expect(await rate('p', token)).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(await counted(reason)).toBe(true)
  }
  expect(await rate('q', tokenOf('p'))).toMatchObject({ status: 403, code: 'other_prediction' })
  expect(await rate('p', tokenOf('p'), { name: 'label' })).toMatchObject({ code: 'other_name' })
  expect(await rate('p', tokenOf('p'), { comment: 'x'.repeat(1001) })).toMatchObject({
    status: 400,
  })
  expect(await rate('p', tokenOf('p'), { comment: 'x'.repeat(9000) })).toMatchObject({
    status: 413,
  })
  for (const foreign of ['http://127.0.0.1:1', 'null', `${origin}.evil`])
    expect(await rate('p', tokenOf('p'), {}, foreign)).toMatchObject({ code: 'foreign_origin' })
  for (const reason of ['other_prediction', 'other_name', 'invalid_request', 'foreign_origin'])
    expect([reason, await counted(reason)]).toEqual([reason, true])
})

test('an old key is believed, changes are bounded, and a final answer is the last', async () => {
  const old = tokenOf('p-old', { key: OLD_KEY })
  expect(await rate('p-old', old)).toMatchObject({ status: 200, changes_left: 9 })
  expect(await rate('p-old', old, { label: 'down', final: true })).toMatchObject({
    status: 200,
    changes_left: 0,
  })
  expect(await rate('p-old', old)).toMatchObject({ status: 409, code: 'rating_closed' })
})

test('a token of the service is good, and one address may not send without end', async () => {
  const response = await fetch(`${plumbline.url}/v1/feedback-tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model_id: 'm', prediction_id: 'p-made', names: ['thumbs'] }),
  })
  const { token } = (await response.json()) as { token: string }
  expect(await rate('p-made', token)).toMatchObject({ status: 200 })
  const many = await Promise.all(Array.from({ length: 60 }, async () => rate('p', '')))
  expect(many.some(({ status }) => status === 429)).toBe(true)
  expect(await counted('rate_limited')).toBe(true)
})

test('where callers need tokens of an issuer, a rating needs its own alone, which opens nothing else', async () => {
  const issuer = await startIssuer()
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'key'), KEY)
  const guarded = await startTarget('all', {
    PLUMBLINE_DATA_DIR: join(directory, 'data'),
    PLUMBLINE_MODELS_DIR: join(ROOT, 'test/no-models'),
    PLUMBLINE_OIDC_ISSUER: issuer.url,
    PLUMBLINE_OIDC_AUDIENCE: AUDIENCE,
    PLUMBLINE_FEEDBACK_KEY_FILE: join(directory, 'key'),
  })
  const headers = { authorization: `Bearer ${tokenOf('p')}`, 'content-type': 'application/json' }
  const statusOf = async (path: string, body: object) =>
    (await fetch(guarded.url + path, { method: 'POST', headers, body: JSON.stringify(body) }))
      .status
  try {
    expect(await statusOf('/v1/feedback', { prediction_id: 'p', ...RATING })).toBe(200)
    expect(await statusOf('/v1/labels', {})).toBe(401)
  } finally {
    await guarded.stop()
    await issuer.stop()
  }
})
