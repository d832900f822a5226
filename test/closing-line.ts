import type { Reporter, TestModule } from 'vitest/node'

/**
 * Closes the run with the plain line `N passed, N failed`; a file that did not load counts as a
 * failed test.
 */
// oxlint-disable-next-line import/no-default-export -- vitest reads it so
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0
    let failed = errors.length
    for (const module of modules) {
      if (module.errors().length > 0) failed++
      for (const test of module.children.allTests()) {
        if (test.result().state === 'passed') passed++
        else failed++
      }
    }
    console.log(`\n${passed} passed, ${failed} failed`)
  }
}
