import { expect, test } from 'vitest'
import { scanValue } from './duplicate-keys.ts'

test.each([
  ['{"a":1,"a":2}', { field: undefined, key: 'a' }],
  ['{"a":{"x":1,"x":2}}', { field: 'a', key: 'x' }],
  [String.raw`{"a":1,"\u0061":2}`, { field: undefined, key: 'a' }],
  ['{"a":{"x":{"y":1,"y":2}}}', undefined],
  ['{"a":[{"x":1},{"x":2}],"b":{"a":1}}', undefined],
])('repeated keys of %s', (text, repeated) => expect(scanValue(text, 0).repeated).toEqual(repeated))

test.each([
  [String.raw`{"a":"\ud800"}`, 'half of a surrogate pair'],
  [String.raw`{"a":"\udc00x"}`, 'half of a surrogate pair'],
  [String.raw`{"a":"\ud83d\ude00"}`, undefined],
  [`${'['.repeat(600)}${']'.repeat(600)}`, 'nested too deeply'],
])('what JSON.parse takes and is refused: %s', (text, unparsable) =>
  expect(scanValue(text, 0).unparsable).toBe(unparsable),
)
