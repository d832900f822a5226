/** What operators see on the review page; narrow, dark, and by axe. */
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import {
  answerWith,
  faultsOf,
  HOSTILE,
  isWithinPage,
  inChromium,
  LOOKS,
  photograph,
} from '../../chromium-page.ts'
import { temporaryDirectory } from '../../harness.ts'
import { startTarget, type Running } from '../../servers/processes.ts'

const directory = temporaryDirectory()
let plumbline: Running
let page: Page
let complaints: string[] = []

const reopen = inChromium({
  start: () => startTarget('all', { PLUMBLINE_DATA_DIR: join(directory, 'data') }),
  take: (now) => ({ plumbline, page, complaints } = now),
})

const answered = (path: string, body: unknown, status = 200) => answerWith(page, path, body, status)
const AT = '2026-01-01T10:00:00.000Z'

/** A task as a claim answers it. */
const TASK = {
  ...{ task_id: 't', lease_id: 'l', model_id: 'm', prediction_id: 'p' },
  lease_expires_at: new Date(Date.now() + 600_000).toISOString(),
  ...{ classes: ['0', '1'], answer: 'class' },
  event: {
    ...{ predicted_at: AT, model_version: '7', prediction: null, score: null },
    ...{ features: { amount: 1250.5 }, attributes: {}, input_text: '', output_text: '' },
  },
}
const rate = (value: number | null, reason = '') => ({
  ...{ value, reason },
  ci_low: value === null ? null : Math.max(0, value - 0.1),
  ci_high: value === null ? null : Math.min(1, value + 0.1),
})
const GOLD = {
  ...{ in_use: 40, answers: 35, accuracy: rate(0.8) },
  reviewers: [
    { reviewer: 'claimed:ann', answers: 30, skips: 1, accuracy: rate(0.9) },
    ...HOSTILE.map((reviewer) => ({ reviewer, answers: 1, skips: 0, accuracy: rate(1) })),
    { reviewer: 'zoe', answers: 0, skips: 3, accuracy: rate(null, 'no answer to what is known') },
  ],
  positive_rate: {
    ...{ tasks: 120, sensitivity: rate(0.9), specificity: rate(0.8) },
    ...{ observed: rate(0.3), corrected: rate(0.143) },
  },
}

const FLAGS = {
  ...{ model_id: 'm', open: 60 },
  flags: HOSTILE.map((text, i) => ({
    ...{ flag_id: `f-${i}`, task_id: text, prediction_id: text, reviewer: text, comment: text },
    ...{ reason: 'personal_data', flagged_at: AT, closed_by: null, closed_at: null, message: '' },
  })),
}

/** Opens the page with the queue of the model `m` chosen. */
async function opened(gold: object = GOLD): Promise<void> {
  await answered('/v1/reviews/claim', TASK)
  await answered('/v1/reviews/stats', { models: [{ model_id: 'm', open: 12 }] })
  await answered('/v1/models/m/flags', FLAGS)
  await answered('/v1/models/m/agreement', { model_id: 'm', days: 30, gold })
  await page.addInitScript(`localStorage.setItem('plumbline-reviewer', 'ann')
    localStorage.setItem('plumbline-review-queue', 'm')`)
  await page.goto(`${plumbline.url}/review`)
  await page.locator('#answers').waitFor()
}
const open = () => page.getByText('For operators').click()

for (const [name, look] of LOOKS)
  test(`operators see how reviewers answer what is known, ${name}`, async () => {
    await reopen(look)
    await opened()
    expect(await page.getByRole('heading', { name: 'Answers to what is known' }).count()).toBe(0)
    await open()
    await page.getByRole('heading', { name: 'Answers to what is known' }).waitFor()
    const text = await page.locator('#operators').innerText()
    expect(text).toContain('90.0 % (80.0 % to 100 %)')
    expect(text).toContain('no answer to what is known')
    expect(await page.locator('#positive-rate').innerText()).toBe(
      'Of 120 answered tasks reviewers call 30.0 % (20.0 % to 40.0 %) positive. Without their mistakes it is 14.3 % (4.3 % to 24.3 %).',
    )
    expect(await faultsOf(page)).toEqual([])
    expect(await isWithinPage(page)).toBe(true)
    await photograph(page, `review-operators-${name}`)
    expect(complaints).toEqual([])
  })

test('what cannot be known says why, and whoever only reviews sees none of it', async () => {
  const reason = '3 answers to tasks known to be 1, and 10 are needed'
  await opened({
    ...GOLD,
    positive_rate: { ...GOLD.positive_rate, corrected: rate(null, reason) },
  })
  await open()
  await page.getByText(`is not known: ${reason}.`).waitFor()
  await answered('/v1/session', {
    ...{ caller: { id: 'ann', scopes: ['review'] }, key_needed: true },
    login_at: null,
  })
  await page.reload()
  await page.locator('#answers').waitFor()
  expect(await page.locator('#operators').count()).toBe(0)
})

test('a reviewer flags the task and goes on with it', async () => {
  await opened()
  const sent: unknown[] = []
  await page.route('**/v1/reviews/t/flag', (route) => {
    sent.push(route.request().postDataJSON())
    return route.fulfill({ json: { task_id: 't', flag_id: 'f' } })
  })
  await page.getByLabel('Comment').fill('a name in it')
  await page.getByText('Something is wrong with this task').click()
  await page.getByLabel('What is wrong').selectOption('personal_data')
  await page.getByRole('button', { name: 'Flag it' }).click()
  await page.getByText('Flagged, with your comment').waitFor()
  expect(sent).toEqual([
    { reviewer: 'ann', lease_id: 'l', reason: 'personal_data', comment: 'a name in it' },
  ])
  expect(await page.locator('#answers').count()).toBe(1)
  await photograph(page, 'review-flag')
})

test('an operator closes a flag, or hears why not', async () => {
  await opened()
  const sent: unknown[] = []
  await page.route('**/v1/models/m/flags/*/close', (route) => {
    sent.push(route.request().postDataJSON())
    return sent.length === 1
      ? route.fulfill({ json: { flag_id: 'f-0', task_id: 't', closed_by: 'a', taken_off: true } })
      : route.fulfill({ status: 409, json: { detail: 'olga has closed this flag' } })
  })
  await open()
  const [first, second] = [page.locator('.flags li').nth(0), page.locator('.flags li').nth(1)]
  await first.getByLabel('What you did about it').fill('masked')
  await first.getByRole('button', { name: 'take the task off' }).click()
  await page.getByText('Closed. Its task is off the queue.').waitFor()
  await second.getByRole('button', { name: 'Close', exact: true }).click()
  await page.getByText('olga has closed this flag').waitFor()
  expect(sent).toEqual([
    { actor: 'ann', message: 'masked', take_off: true },
    { actor: 'ann', message: '', take_off: false },
  ])
})

test('a paused queue says by whom and why, and an operator lets it go on', async () => {
  await opened()
  const paused = { by: HOSTILE[0], reason: HOSTILE[1], since: AT }
  const queue = { model_id: 'm', open: 12, paused, assigned: false }
  await answered('/v1/reviews/stats', { models: [queue] })
  await page.reload()
  await page.getByText('The tasks of m are assigned to others.').waitFor()
  await page.getByText(`is paused by ${HOSTILE[0]}`).waitFor()
  expect(await isWithinPage(page)).toBe(true)
  const sent: unknown[] = []
  await page.route('**/v1/models/m/review/resume', (route) => {
    sent.push(route.request().postDataJSON())
    return route.fulfill({ json: { model_id: 'm', paused: null } })
  })
  await open()
  await page.getByLabel('Why').fill('it is clear now')
  await photograph(page, 'review-paused')
  await answered('/v1/reviews/stats', { models: [{ model_id: 'm', open: 12, paused: null }] })
  await page.getByRole('button', { name: 'Let it go on' }).click()
  await page.getByText('is paused by').waitFor({ state: 'detached' })
  expect(sent).toEqual([{ actor: 'ann', reason: 'it is clear now' }])
})

test('an adjudicator sees the votes without names, and decides', async () => {
  await opened()
  const queue = { model_id: 'm', open: 12, disputed: 3, adjudicates: true }
  await answered('/v1/reviews/stats', { models: [queue] })
  const votes = HOSTILE.map((label, i) => ({ label, votes: i + 1 }))
  await answered('/v1/reviews/adjudicate', { ...TASK, votes })
  const sent: unknown[] = []
  await page.route('**/v1/reviews/t/decide', (route) => {
    sent.push(route.request().postDataJSON())
    return route.fulfill({ json: { task_id: 't', state: 'done', prediction: '0', score: 0.25 } })
  })
  await page.reload()
  await page.getByText('Decide where reviewers disagree (3)').click()
  await page.locator('#votes').waitFor()
  expect(await page.locator('#votes').innerText()).toContain(`${HOSTILE[0]} (1)`)
  expect(await page.getByText('I cannot tell').count()).toBe(0)
  await photograph(page, 'review-disputed')
  expect(await faultsOf(page)).toEqual([])
  expect(await isWithinPage(page)).toBe(true)
  await page.keyboard.press('1')
  await page.locator('#said').waitFor()
  expect(sent).toMatchObject([{ reviewer: 'ann', lease_id: 'l', label: '1' }])
  expect(await page.locator('#undo').count()).toBe(0)
  await page.getByText('Back to the queue').click()
  await page.getByText('Decide where reviewers disagree').waitFor()
})
