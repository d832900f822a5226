/** The page of delegations in Chromium: made, seen and ended on the real engine. */
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import {
  answerWith,
  faultsOf,
  HOSTILE,
  inChromium,
  isWithinPage,
  LOOKS,
  photograph,
} from '../../chromium-page.ts'
import { temporaryDirectory } from '../../harness.ts'
import { startTarget } from '../../servers/processes.ts'

const directory = temporaryDirectory()
let page: Page
let complaints: string[] = []
let url: string

const reopen = inChromium({
  start: () => startTarget('all', { PLUMBLINE_DATA_DIR: join(directory, 'data') }),
  take: (now) => {
    ;({ page, complaints } = now)
    url = now.plumbline.url
  },
})

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

test('a delegation is made, and ended with a reason; what is wrong with one is told', async () => {
  await page.goto(`${url}/runs`)
  await page.getByRole('link', { name: 'Delegations' }).click()
  await page.getByText('Nobody has delegated approvals yet.').waitFor()
  const make = page.getByRole('form', { name: 'Delegate' })
  const fill = async (to: string, until: string) => {
    await make.getByLabel('Who is to approve').fill(to)
    await make.getByLabel('Until (UTC)').fill(until.slice(0, 16))
    await make.getByLabel('Your name').fill('ann')
    await make.getByLabel('Reason').fill('away')
    await make.getByRole('button', { name: 'Delegate' }).press('Enter')
  }
  await fill('Ann', inDays(1))
  await page.getByRole('alert').getByText('one person').waitFor()
  await fill('bob', inDays(200))
  await page.getByRole('alert').getByText('90 days after from at most').waitFor()
  await make.getByLabel('Models').fill('fraud\n churn ')
  await fill('bob', inDays(7))
  const row = page.getByRole('row', { name: 'bob (claimed) for ann (claimed)' })
  await row.getByText('in force').waitFor()
  expect(await row.innerText()).toContain('fraud, churn')
  expect(await page.getByRole('alert').count()).toBe(0)
  await page.getByRole('button', { name: 'End: bob' }).press('Enter')
  await page.getByRole('textbox', { name: 'Reason' }).last().fill('back')
  await page.getByRole('button', { name: 'End it' }).click()
  await page.getByText('None is in force or to come').waitFor()
  await page.getByRole('button', { name: 'Those that have ended too' }).click()
  await page.getByText('taken back').waitFor()
  await page.reload()
  await page.getByText('taken back').waitFor()
  expect(await page.getByRole('row').nth(1).innerText()).toContain('back')
  expect(complaints).toEqual([])
})

const STATES = [
  { begins_at: inDays(-1), known_by: 'key' },
  { begins_at: inDays(1), known_by: 'token', models: null },
  { revoked_at: inDays(-1), known_by: 'key', end_reason: 'no key of ann is good any more' },
  { ends_at: inDays(-1), known_by: 'claimed' },
]

for (const [name, look] of LOOKS)
  test(`names of any kind are text within the page, and axe finds nothing: ${name}`, async () => {
    await reopen(look)
    const delegations = HOSTILE.map((text, i) => ({
      ...{ delegation_id: `d${i}`, delegator: text, delegate: `claimed:${text}`, models: [text] },
      ...{ begins_at: inDays(-2), ends_at: inDays(20), reason: text, created_at: inDays(-2) },
      ...{ revoked_at: null, revoked_by: text, end_reason: text, ...STATES[i] },
    }))
    await answerWith(page, '/v1/delegations', { delegations })
    await page.goto(`${url}/delegations?ended=shown`)
    await page.getByText('has ended').waitFor()
    await page.getByRole('button', { name: 'End: ' }).first().click()
    await page.getByRole('button', { name: 'End it' }).waitFor()
    expect(await faultsOf(page)).toEqual([])
    expect(await isWithinPage(page)).toBe(true)
    await photograph(page, `delegations-${name}`, true)
    expect(complaints).toEqual([])
  })
