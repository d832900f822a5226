/**
 * Makes the pictures of docs/pages.md anew: `npm run screenshots`. The tests of the pages open them
 * in Chromium on planted data, and keep a picture of each; look at all before committing them.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** The picture that a test keeps, by its name in docs/. */
const PICTURES: Readonly<Record<string, string>> = {
  'overview-page': 'overview-dark',
  'model-page': 'model-wide',
  'feature-drawer': 'feature-wide',
  'episode-page': 'episode',
  'compare-page': 'compare-wide',
  'canary-page': 'canary-wide',
  'slices-page': 'slices-wide',
  'fairness-page': 'fairness-wide',
  'report-page': 'report-wide',
  'runs-page': 'run-r1-wide',
  'audit-page': 'audit-wide',
  'settings-page': 'settings-wide',
  'policy-page': 'policy-wide',
  'data-page': 'data-wide',
  'datasets-page': 'datasets-plain-wide',
}

const TESTS = ['gallery', 'episode', 'compare', 'records', 'datasets', 'policy']

/** Runs the tests, then takes their pictures. @throws where a test fails or keeps no picture */
function makePictures(): void {
  const folder = mkdtempSync(join(tmpdir(), 'screenshots-'))
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
  const files = TESTS.map((name) => `test/e2e/console/${name}.test.ts`)
  execFileSync(process.execPath, [vitest, 'run', ...files], {
    cwd: ROOT,
    env: { ...process.env, SHOTS: folder },
    stdio: 'inherit',
  })
  for (const [name, taken] of Object.entries(PICTURES)) {
    copyFileSync(join(folder, `${taken}.png`), join(ROOT, 'docs', `${name}.png`))
    console.log(`docs/${name}.png`)
  }
  rmSync(folder, { recursive: true })
}

makePictures()
