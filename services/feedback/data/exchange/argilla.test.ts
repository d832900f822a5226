/** Records as Argilla 2.8 exports them. */
import { expect, test } from 'vitest'
import { LabelV1 } from '../../../../schemas/events/label.v1.ts'
import { createValidator } from '../../../../lib/events/validator.ts'
import { argillaLabels } from './argilla.ts'
import { argillaRecord, labelStudioTask } from './tasks-out.ts'

const NOW = Date.UTC(2026, 0, 1)
const USER = '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d'
const record = (responses: object, more: object = {}) => ({
  id: 'p-1',
  fields: { input_text: 'why?', output_text: 'so' },
  metadata: { model_id: 'chat' },
  suggestions: { label: { value: 'good', score: 0.7, agent: 'chat' } },
  responses,
  vectors: {},
  _server_id: USER,
  ...more,
})

test('responses are labels of their users, the same answer one and the same', () => {
  const given = record({
    label: [{ value: 'good', user_id: USER }],
    stars: [{ value: 4, user_id: USER }],
  })
  const labels = argillaLabels([given], NOW)
  expect(labels).toMatchObject([
    {
      event: {
        model_id: 'chat',
        prediction_id: 'p-1',
        label: 'good',
        labelled_at: '2026-01-01T00:00:00.000Z',
        source: 'human_review',
        labeler: `argilla/${USER}`,
      },
    },
    { event: { name: 'stars', label: 4 } },
  ])
  const idOf = (value: unknown, now = NOW) => {
    const [one] = argillaLabels(record({ label: [{ value, user_id: USER }] }), now)
    return 'event' in one! && one.event['label_id']
  }
  expect(idOf('good', NOW + 1)).toBe(idOf('good'))
  expect(idOf('bad')).not.toBe(idOf('good'))
  const validator = createValidator(LabelV1)
  for (const one of labels)
    expect(validator.value('event' in one && one.event)).toMatchObject({ ok: true })
})

test.each([
  [record({ rank: [{ value: [{ rank: 1, value: 'a' }], user_id: USER }] }), 'rank is no label'],
  [record({ label: ['good'] }), 'a response must be an object'],
  [{ id: 'p-1' }, 'must have responses'],
  [3, 'a record must be an object'],
])('%j is refused in a sentence', (body, message) =>
  expect(argillaLabels(body, NOW)).toEqual([
    { refused: expect.stringContaining(message) as string },
  ]),
)

const COLUMNS = [
  { name: 'prediction_id', type: 'text' },
  { name: 'model_version', type: 'text' },
  { name: 'prediction', type: 'text' },
  { name: 'score', type: 'number' },
  { name: 'input_text', type: 'text' },
  { name: 'label', type: 'text' },
  { name: 'inclusion_probability', type: 'number' },
  { name: 'features.amount', type: 'number' },
  { name: 'attributes.country', type: 'text' },
] as const
const CELLS = ['p-1', '7', 'good', 0.7, 'why?', 'bad', 0.25, 1.5, null]
const OF = { model_id: 'chat', label: 'label' }

test("a row is a task with the model's answer as its prediction, and what is known beside it", () =>
  expect(labelStudioTask(CELLS, COLUMNS, OF)).toEqual({
    data: {
      model_id: 'chat',
      prediction_id: 'p-1',
      model_version: '7',
      prediction: 'good',
      score: 0.7,
      input_text: 'why?',
      inclusion_probability: 0.25,
      features: { amount: 1.5 },
      attributes: { country: null },
    },
    meta: { label: 'bad' },
    predictions: [
      {
        model_version: 'chat:7',
        score: 0.7,
        result: [
          { from_name: 'label', to_name: 'text', type: 'choices', value: { choices: ['good'] } },
        ],
      },
    ],
  }))

test("a row is a record with the model's answer as its suggestion", () =>
  expect(argillaRecord(CELLS, COLUMNS, OF)).toEqual({
    id: 'p-1',
    fields: { input_text: 'why?' },
    metadata: {
      model_id: 'chat',
      model_version: '7',
      prediction: 'good',
      inclusion_probability: 0.25,
      label: 'bad',
    },
    suggestions: { label: { value: 'good', score: 0.7, agent: 'chat' } },
    responses: {},
    vectors: {},
  }))

test('an attribute is called what it likes: none is another model, or what an answer stands for', () => {
  const names = ['model_id', 'inclusion_probability', 'country', '__proto__']
  const columns = names.map((name) => ({ name: `attributes.${name}`, type: 'text' as const }))
  const cells = ['p-1', 'theirs', '0.001', 'FR', 'odd']
  const record = argillaRecord(cells, [COLUMNS[0], ...columns], OF)
  expect(JSON.parse(JSON.stringify(record))).toMatchObject({
    metadata: {
      model_id: 'chat',
      'attributes.model_id': 'theirs',
      'attributes.inclusion_probability': '0.001',
      country: 'FR',
    },
  })
  expect(JSON.stringify(record)).toContain('"__proto__":"odd"')
})
