/** What the chart's `secrets` may be called; helm itself is asked in `test/deploy`. */
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { helmValuesSchema } from '../../scripts/helm-values.ts'

const validate = new Ajv({ strict: false }).compile(helmValuesSchema())
const from = { name: 'plumbline', key: 'k' }

test.each([
  ['PLUMBLINE_WEBHOOK_SECRET', true],
  ['RISK_CHAT_URL', true],
  ['PLAN_KEY', true],
  ['PLUMBLINE', true],
  ['PLUMBLINE_WEBHOK_SECRET', false],
  ['PLUMBLINE_', false],
])('a secret called %s: %s', (name, isTaken) => {
  expect(validate({ secrets: { [name]: from } })).toBe(isTaken)
  expect(validate({ secrets: { [name]: 'in the clear' } })).toBe(false)
})
