/** Every `@example` of a statistic is run: `expression // => value`. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const folder = new URL('../../', import.meta.url)
const files = ['lib/stats', 'services/drift/interop'].flatMap((place) =>
  readdirSync(new URL(place, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => `${place}/${name}`),
)
const scope: Record<string, unknown> = {}
for (const file of files) Object.assign(scope, await import(new URL(file, folder).href))

const examples = files.flatMap((file) =>
  [...readFileSync(new URL(file, folder), 'utf8').matchAll(/@example (.+?) \/\/ => (.+)/g)].map(
    ([, code, value]) => ({ file, code: code!, value: value! }),
  ),
)
const evaluate = (code: string): unknown => {
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the examples of our own docstrings
  const run = new Function(...Object.keys(scope), `return (${code})`) as (
    ...args: unknown[]
  ) => unknown
  return run(...Object.values(scope))
}

test('there are examples', () => expect(examples.length).toBeGreaterThan(15))

test.each(examples)('$file: $code', ({ code, value }) => {
  closeTo(evaluate(code), evaluate(value))
})

function closeTo(actual: unknown, expected: unknown): void {
  if (typeof expected === 'number') expect(actual).toBeCloseTo(expected, 9)
  else if (Array.isArray(expected)) {
    expect(actual).toHaveLength(expected.length)
    expected.forEach((part, i) => closeTo((actual as unknown[])[i], part))
  } else
    for (const [key, part] of Object.entries(expected as object))
      closeTo((actual as Record<string, unknown>)[key], part)
}
