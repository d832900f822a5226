/** A page in a real Chromium: opened, answered in place of the service, looked at by axe. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { Running } from './servers/processes.ts'

const CHROMIUM = '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Names that a page must show as text, each no wider than the page. */
export const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  'x'.repeat(200),
  'نموذج ‏الائتمان',
  '"\'&amp;</td>',
] as const

/** How a page is looked at; narrow and dark at once where pictures are kept alone. */
export const LOOKS: readonly (readonly [string, { width?: number; dark?: boolean }])[] = [
  ['wide', {}],
  ['narrow', { width: 390 }],
  ['dark', { dark: true }],
  ...(process.env['SHOTS'] ? [['narrow-dark', { width: 390, dark: true }] as const] : []),
]

/** Starts Chromium. @throws where it is not installed, with the sentence what to install */
export async function launchChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM))
    throw new Error('Chromium is not installed (Debian: apt-get install chromium)')
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
}

/** A page in a context of its own; what it complains of is added to `complaints`. */
async function openPage(
  browser: Browser,
  complaints: string[],
  { width = 1440, dark = false }: { width?: number; dark?: boolean } = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
  })
  const page = await context.newPage()
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`))
  return page
}

/** What a test of pages works on. */
interface InChromium {
  plumbline: Running
  page: Page
  /** What the page has complained of. */
  complaints: string[]
}

/**
 * Starts a service and Chromium for the tests of a file, and opens a page anew for each.
 *
 * @param parts `fill` sends what the tests need to the service that `start` started; `take` is told
 *   of each page that is opened
 * @returns opens a page with another look in place of the one that is open
 */
export function inChromium({
  start,
  fill,
  take,
}: {
  start: () => Promise<Running>
  fill?: (plumbline: Running) => Promise<unknown>
  take: (now: InChromium) => void
}): (look?: { width?: number; dark?: boolean }) => Promise<void> {
  let plumbline: Running | undefined
  let browser: Browser | undefined
  let page: Page | undefined
  const reopen = async (look = {}) => {
    await page?.context().close()
    const complaints: string[] = []
    page = await openPage(browser!, complaints, look)
    take({ plumbline: plumbline!, page, complaints })
  }
  beforeAll(async () => {
    plumbline = await start()
    await fill?.(plumbline)
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await plumbline?.stop()
  })
  beforeEach(() => reopen())
  return reopen
}

/** Answers one path of the API, whatever its query, in place of the service. */
export async function answerWith(
  page: Page,
  path: string,
  body: unknown,
  status = 200,
): Promise<void> {
  await page.route(
    (url) => decodeURIComponent(url.pathname) === path,
    (route) => route.fulfill({ status, json: body }),
  )
}

/** A text that is half there has half of its contrast; animations that never end are no such text. */
const ANIMATIONS_ENDED = `Promise.allSettled(document.getAnimations()
  .filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime))
  .map((one) => one.finished))`

/** What axe finds of the page as it is once nothing fades in any more, impact first. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(ANIMATIONS_ENDED)
  // The page allows no inline script; evaluating goes past the page.
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as {
    violations: { impact: string; id: string; nodes: { html: string }[] }[]
  }
  return violations.map(({ impact, id, nodes }) => `${impact} ${id}: ${nodes[0]!.html}`)
}

/** Whether nothing lies beyond the page's right edge. */
export const isWithinPage = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')

/** Keeps a picture of the page in the folder that `SHOTS` names; nothing without one. */
export async function photograph(page: Page, name: string, isWhole = false): Promise<void> {
  const folder = process.env['SHOTS']
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: isWhole })
}
