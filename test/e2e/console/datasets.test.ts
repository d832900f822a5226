/** The page of data sets in Chromium: made, listed and fetched on the real engine. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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
import { post, prediction, startTarget } from '../../servers/processes.ts'

const directory = temporaryDirectory()
let page: Page
let complaints: string[] = []
let url: string

const reopen = inChromium({
  start: () => {
    const models = join(directory, 'models')
    mkdirSync(models)
    writeFileSync(join(models, 'm.yaml'), 'model_id: team/m\ntask: binary\n')
    return startTarget('all', {
      PLUMBLINE_DATA_DIR: join(directory, 'data'),
      PLUMBLINE_MODELS_DIR: models,
    })
  },
  fill: (plumbline) =>
    post(
      `${plumbline.url}/v1/predictions`,
      Array.from({ length: 30 }, (_, i) =>
        prediction(i, {
          model_id: 'team/m',
          predicted_at: new Date(Date.now() - i * 60_000).toISOString(),
          features: { amount: i, note: i === 3 ? '=1+1' : 'plain' },
        }),
      ),
    ),
  take: (now) => {
    ;({ page, complaints } = now)
    url = now.plumbline.url
  },
})

/** Names that are no trouble: for pictures of the documents. */
const PLAIN = ['returns', 'churn', 'credit-risk', 'fraud']

/** One erased, and the others of ever more rows, of models and people of these names. */
const datasetsOf = (names: readonly string[]) =>
  names.map((name, i) => ({
    dataset_id: `5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9${i}`,
    model_id: name,
    made_at: '2026-02-01T08:00:00.000Z',
    made_by: names === PLAIN ? ['ann', 'ben'][i % 2] : name,
    state: i === 0 ? 'erased' : 'made',
    ...(i === 0
      ? {
          format: null,
          label: null,
          as_of: null,
          from: null,
          to: null,
          rows: null,
          bytes: null,
          sha256: null,
        }
      : {
          format: 'csv',
          label: names === PLAIN ? 'label' : name,
          as_of: '2026-02-01T08:00:00.000Z',
          from: '2026-01-01T00:00:00.000Z',
          to: '2026-02-01T00:00:00.000Z',
          rows: 1250 * 10 ** i,
          bytes: 180 * 1000 ** i,
          sha256: createHash('sha256').update(name).digest('hex'),
        }),
  }))

test('a data set is made, listed and fetched, and what is wrong with the question is told', async () => {
  await page.goto(`${url}/datasets?model=team/m`)
  await page.getByText('No data set was made yet.').waitFor()
  await page.getByLabel('As').selectOption('csv')
  await page.getByLabel('Predictions').selectOption('all')
  await page.getByLabel('Where').fill('amount >')
  await page.getByLabel('Your name').fill('ann')
  await page.getByRole('button', { name: 'Make the data set' }).click()
  await page.getByRole('alert').getByText('where: expected').waitFor()
  await page.getByLabel('Where').fill('amount < 10')
  await page.getByLabel('To (UTC)').fill('2099-01-01T00:00')
  await page.getByRole('button', { name: 'Make the data set' }).click()
  const fetched = page.getByRole('link', { name: 'Fetch' })
  await fetched.waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
  const [download] = await Promise.all([page.waitForEvent('download'), fetched.click()])
  const bytes = readFileSync(await download.path())
  expect(bytes.toString().trimEnd().split('\r\n')).toHaveLength(11)
  expect(bytes.toString()).toContain("'=1+1")
  expect(download.suggestedFilename()).toMatch(/^dataset-.*\.csv$/)
  const hash = createHash('sha256').update(bytes).digest('hex')
  await page.locator(`code[title="${hash}"]`).waitFor()
  await page.getByLabel('As').selectOption('pairs')
  await page.getByLabel('Preferred is').waitFor()
  expect(await page.getByLabel('Columns').count()).toBe(0)
  expect(complaints).toEqual([])
})

for (const [name, look] of LOOKS)
  test(`names of any kind are text within the page, and axe finds nothing: ${name}`, async () => {
    await reopen(look)
    for (const [picture, names] of [
      [`datasets-${name}`, HOSTILE],
      [`datasets-plain-${name}`, PLAIN],
    ] as const) {
      await answerWith(page, '/v1/datasets', { datasets: datasetsOf(names) })
      await page.goto(`${url}/datasets`)
      await page.getByText('erased').waitFor()
      expect(await faultsOf(page)).toEqual([])
      expect(await isWithinPage(page)).toBe(true)
      await photograph(page, picture, true)
    }
    expect(complaints).toEqual([])
  })
