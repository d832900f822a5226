/** What is stored of a prediction besides what its event says. */
import { expect, test } from 'vitest'
import { FlatRecord } from '../../events/flat-record.ts'
import { BUILT_IN } from '../../events/texts/descriptors.ts'
import { readDescriptors } from './declared-descriptors.ts'
import { parseModel } from '../model-files.ts'
import { derivation } from './derived-fields.ts'
import { NO_PRICES, parsePrices } from './price-table.ts'

const prices = parsePrices(
  'prices: [{ model: v1, provider: p, input_per_million: 2, output_per_million: 4 }]',
)
const words = [BUILT_IN.get('output_text.words')!]
const derive = derivation({
  descriptorsOf: (modelId) => (modelId === 'chat' ? words : []),
  prices: () => prices,
})
const eventOf = (more: Record<string, unknown>) =>
  FlatRecord.of({
    model_id: 'chat',
    model_version: 'v1',
    predicted_at: '2026-01-01T00:00:00Z',
    attributes: FlatRecord.of({ provider: 'p' }),
    ...more,
  })

test('tokens cost what the price file says, unless the event says what they cost', () => {
  const cost = (more: Record<string, unknown>) => derive(eventOf(more)).get('cost_usd')
  expect(cost({ input_tokens: 1000, output_tokens: 500 })).toBeCloseTo(0.004, 12)
  expect(cost({ output_tokens: 500 })).toBeCloseTo(0.002, 12)
  expect(cost({ input_tokens: 1000, cost_usd: 7 })).toBe(7)
  expect(cost({ input_tokens: 1000, cost_usd: null })).toBeCloseTo(0.002, 12)
  expect(cost({})).toBeUndefined()
  expect(cost({ input_tokens: 1000, model_version: 'v2' })).toBeUndefined()
  expect(cost({ input_tokens: 1000, attributes: undefined })).toBeUndefined()
})

test('each model has its own descriptors, and an event of which nothing is derived stays itself', () => {
  const features = (more: Record<string, unknown>) =>
    (
      derive(eventOf({ output_text: 'a b', ...more })).get('features') as FlatRecord | undefined
    )?.toObject()
  expect(features({})).toEqual({ 'output_text.words': 2 })
  expect(features({ model_id: 'other' })).toBeUndefined()
  const plain = eventOf({ model_id: 'other' })
  expect(derive(plain)).toBe(plain)
  const without = derivation({ descriptorsOf: () => [], prices: () => NO_PRICES })
  const priced = eventOf({ input_tokens: 1 })
  expect(without(priced)).toBe(priced)
})

test('descriptors of model files: defaults of language models, patterns, and what is wrong', () => {
  const names = (declared: Parameters<typeof readDescriptors>[0]) =>
    readDescriptors(declared).descriptors.map(({ name }) => name)
  expect(names({ task: 'llm' })).toContain('output_text.refusal')
  expect(names({ task: 'llm', descriptors: [] })).toEqual([])
  expect(names({ task: 'binary' })).toEqual([])
  const { descriptors, problems } = readDescriptors({
    descriptors: [
      { name: 'cites', of: 'output_text', pattern: '\\[\\d+\\]' },
      'output_text.word',
      'output_text.words',
      'output_text.words',
      { name: 'words', of: 'output_text', pattern: 'x' },
      { name: 'broken', of: 'output_text', pattern: '(' },
    ],
  })
  expect(descriptors.map(({ name, measure }) => [name, measure('see [12]')])).toEqual([
    ['output_text.cites', true],
    ['output_text.words', 2],
  ])
  expect(problems).toEqual([
    'descriptors: output_text.word is no measure; did you mean output_text.words?',
    'descriptors: output_text.words is named twice',
    'descriptors: output_text.words is a measure already; give the pattern another name',
    expect.stringMatching(/^descriptors: output_text\.broken: /),
  ])
})

test('a rule cannot refuse events by what is measured once they are accepted', () => {
  const file = (on: string) => `
model_id: chat
task: llm
expectations: [{ feature: output_text.words, max: 500, on_violation: ${on} }]`
  expect(() => parseModel(file('count'))).not.toThrow()
  expect(() => parseModel(file('reject'))).toThrow(
    /output_text\.words cannot reject by output_text\.words, which is measured once/,
  )
})
