/** An expectation says the same of an event in this process and in ClickHouse. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { createValidator, type Event } from '../../../lib/events/validator.ts'
import { eventCheck } from '../../../lib/models/expectations/evaluate.ts'
import {
  type Check,
  type Literal,
  type Name,
  type Value,
} from '../../../lib/models/expectations/expression.ts'
import { parsePattern } from '../../../lib/models/expectations/pattern.ts'
import type { ExpectationRule } from '../../../lib/models/expectations/rules.ts'
import { PredictionV1 } from '../../../schemas/events/prediction.v1.ts'
import { countViolations } from '../../../services/drift/queries/expectations/count-violations.ts'
import { pipeline, type Pipeline } from '../../pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const WINDOW = { start: START, end: START + 3_600_000 }
const validator = createValidator(PredictionV1)

const TEXTS = ['', 'a', 'ab', 'DE', 'größe', '\n', 'a\nb', '😀', '\uffee', "it's", '12', 'b1']
const NUMBERS = [0, -0, 1, -1, 2.5, 1e300, -1e-300, 12, 3]
const literal: fc.Arbitrary<Literal> = fc.oneof(
  fc.constantFrom(...NUMBERS),
  fc.constantFrom(...TEXTS),
  fc.boolean(),
)
const feature: fc.Arbitrary<Name & { kind: 'feature' }> = fc
  .constantFrom('a', 'b', 'größe/cm')
  .map((name) => ({ kind: 'feature', name }))
const name: fc.Arbitrary<Name> = fc.oneof(
  { weight: 4, arbitrary: feature },
  { weight: 1, arbitrary: fc.constant({ kind: 'own', field: 'score' } as const) },
)
const { number } = fc.letrec<{ number: Value }>((tie) => ({
  number: fc.oneof(
    { maxDepth: 3 },
    name,
    fc.constantFrom(...NUMBERS).map((value): Value => ({ kind: 'literal', value })),
    feature.map((inner): Value => ({ kind: 'call', of: 'length', inner })),
    fc
      .tuple(fc.constantFrom(...('+-*/' as unknown as ['+'])), tie('number'), tie('number'))
      .map(([sign, left, right]): Value => ({ kind: 'arithmetic', sign, left, right })),
    tie('number').map((inner): Value => ({ kind: 'call', of: 'abs', inner })),
  ),
}))
const sign = fc.constantFrom('<', '<=', '>', '>=', '=', '!=' as const)
const pattern = fc
  .constantFrom(
    ...['^a', 'b$', '^[A-Z]{2}$', '.', '^.$', '^.b$', '\\d+', '^\\w*$', '\\s', '[^a-z]', 'ö'],
    ...['^(a|b1)$', '(?:ab)?$', '^$', '\\D', '^[^\\n]*$', '😀', '[😀-😂]{1,2}', "'", 'a.b'],
  )
  .map(parsePattern)
const { check } = fc.letrec<{ check: Check }>((tie) => ({
  check: fc.oneof(
    { maxDepth: 3 },
    fc
      .tuple(sign, number, number)
      .map(([s, left, right]): Check => ({ kind: 'compare', sign: s, left, right })),
    fc.tuple(sign, feature, fc.constantFrom(...TEXTS)).map(([s, left, value]): Check => ({
      kind: 'compare',
      sign: s,
      left,
      right: { kind: 'literal', value },
    })),
    fc
      .tuple(fc.constantFrom('=', '!=' as const), fc.boolean(), feature)
      .map(([s, value, right]): Check => ({
        kind: 'compare',
        sign: s,
        left: { kind: 'literal', value },
        right,
      })),
    fc
      .tuple(sign, feature, feature)
      .map(([s, left, right]): Check => ({ kind: 'compare', sign: s, left, right })),
    fc
      .tuple(fc.oneof(name, number), fc.array(literal, { minLength: 1, maxLength: 5 }))
      .filter(([inner]) => inner.kind !== 'literal')
      .map(([inner, values]): Check => ({ kind: 'in', inner, values })),
    fc
      .tuple(name, pattern)
      .map(([inner, found]): Check => ({ kind: 'matches', inner, pattern: found })),
    fc
      .tuple(name, fc.constantFrom('number', 'integer', 'text', 'boolean' as const))
      .map(([inner, what]): Check => ({ kind: 'is', inner, what })),
    name.map((inner): Check => ({ kind: 'missing', inner })),
    fc
      .tuple(fc.constantFrom('and', 'or' as const), tie('check'), tie('check'))
      .map(([kind, left, right]): Check => ({ kind, left, right })),
    tie('check').map((inner): Check => ({ kind: 'not', inner })),
  ),
}))
const cell = fc.option(literal, { nil: null })
const event = fc.record({
  score: fc.option(fc.constantFrom(0, 0.5, 1), { nil: null }),
  features: fc.record({ a: cell, b: cell, 'größe/cm': cell }, { requiredKeys: [] }),
})

let on: Pipeline
let parsed: Event[]
beforeAll(async () => {
  on = await pipeline()
  const events = fc.sample(event, { numRuns: 300, seed: 11 }).map((own, i) => ({
    ...own,
    prediction_id: `p${i}`,
    model_id: 'm',
    model_version: '1',
    predicted_at: new Date(START + i * 1000).toISOString(),
  }))
  await on.predictions(events)
  parsed = events.map((one) => {
    const result = validator.text(JSON.stringify(one))
    if (!result.ok) throw new Error(result.rejection.message)
    return result.event
  })
})

test('300 events, 150 conditions at a time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(check, { minLength: 150, maxLength: 150 }), async (checks) => {
      const rules = checks.map((holds, i): ExpectationRule => ({
        name: `r${i}`,
        asks: { kind: 'event', holds },
        says: '',
        tolerance: 0,
        severity: 'alarm',
        rejects: false,
      }))
      const [found] = await countViolations(on.db, { modelId: 'm', window: WINDOW, rules })
      for (const [i, holds] of checks.entries()) {
        const answers = parsed.map(eventCheck(holds))
        const own = {
          check: JSON.stringify(holds),
          asked: answers.filter((one) => one !== null).length,
          violated: answers.filter((one) => one === false).length,
        }
        const { asked, violated } = found!.rules.get(`r${i}`)!
        expect({ check: JSON.stringify(holds), asked, violated }).toEqual(own)
      }
    }),
    { numRuns: 4, seed: 5, endOnFailure: true },
  )
})
