/** What judges cost, who they are: sums are whole numbers, and a version has one recipe. */
import { expect, test } from 'vitest'
import { NO_PRICES, parsePrices } from '../../../../lib/models/derived/price-table.ts'
import { parseModel } from '../../../../lib/models/model-files.ts'
import { budgetOf, costing, mostOf } from './cost.ts'
import { labelerOf, labelIdOf, labelNameOf, questionId, recipeOf } from './judge.ts'

const judgeOf = (more: string) =>
  parseModel(
    `model_id: chat\ntask: llm\njudges: [{ name: g, version: '2', prompt: prompts/g.yaml, answer: { classes: [a, b] }, ${more} }]`,
  ).judges[0]!
const ENDPOINT = 'endpoint: { url: "https://a/v1", model: small }'
const prices = parsePrices(
  'prices: [{ model: small, input_per_million: 0.1, output_per_million: 0.4 }]',
)
const usage = { inputTokens: 1000, outputTokens: 100 }

test('tokens cost what the price file says, and a flat price goes before it', () => {
  expect(costing(judgeOf(ENDPOINT), prices, 0)(usage)).toBe(140_000)
  expect(costing(judgeOf(`${ENDPOINT}, usd_per_call: 0.002`), prices, 0)(usage)).toBe(2_000_000)
  expect(costing(judgeOf('command: [x]'), prices, 0)(usage)).toBe(0)
  expect(costing(judgeOf('command: [x], usd_per_call: 0.5'), prices, 0)(usage)).toBe(500_000_000)
  expect(costing(judgeOf(ENDPOINT), NO_PRICES, 0)(usage)).toBeUndefined()
})

test('costs are rounded up, and what a liar says stays a number', () => {
  const costOf = costing(judgeOf(ENDPOINT), prices, 0)
  expect(costOf({ inputTokens: 0, outputTokens: 1 })).toBe(400)
  expect(costOf({ inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 1 })).toBe(1e15)
  expect(mostOf(costOf, 'é'.repeat(10), 100)).toBe((20 + 256) * 100 + 100 * 400)
  expect(budgetOf({ budget_usd_per_day: 0.1 })).toBe(100_000_000)
})

test('a question has one id by judge, version and prediction', () => {
  const judge = { name: 'g', version: '2' }
  const ids = [
    questionId('chat', judge, 'a'),
    questionId('chat', judge, 'b'),
    questionId('chat', { ...judge, version: '3' }, 'a'),
    questionId('cha', { ...judge, name: 'tg' }, 'a'),
  ]
  expect(new Set(ids).size).toBe(4)
  expect(questionId('chat', judge, 'a')).toBe(ids[0])
  expect(labelIdOf(ids[0]!)).toMatch(/^judge:[0-9a-f]{32}$/)
  expect(labelerOf(judge)).toBe('g@2')
  expect(labelNameOf({ name: 'g' })).toBe('g')
  expect(labelNameOf({ name: 'g', label: 'h' })).toBe('h')
})

test('what changes answers changes the recipe; its key, budget and sample do not', () => {
  const recipe = (more: string, text = 'prompt') => recipeOf(judgeOf(more), text)
  const first = recipe(ENDPOINT)
  expect(recipe(`${ENDPOINT}, sample: 0.5, budget_usd_per_day: 3`)).toBe(first)
  expect(recipe('endpoint: { url: "https://a/v1", model: small, key: "secret://env/K" }')).toBe(
    first,
  )
  expect(recipe(ENDPOINT, 'prompt ')).not.toBe(first)
  expect(recipe('endpoint: { url: "https://a/v1", model: large }')).not.toBe(first)
  expect(recipe(`${ENDPOINT}, max_tokens: 9`)).not.toBe(first)
  expect(recipe(`${ENDPOINT}, label: other`)).not.toBe(first)
})
