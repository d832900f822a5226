/** Payloads as Label Studio 1.23 exports and sends them. */
import { expect, test } from 'vitest'
import { LabelV1 } from '../../../../schemas/events/label.v1.ts'
import { createValidator } from '../../../../lib/events/validator.ts'
import { labelStudioLabels } from './label-studio.ts'

const validator = createValidator(LabelV1)
const AT = '2026-01-01T10:00:00.000000Z'
const DATA = { text: 'txn 42', prediction_id: 'p-1', model: 'fraud', inclusion_probability: 0.25 }
const choices = (...names: string[]) => ({
  id: 'r1',
  from_name: 'label',
  to_name: 't',
  type: 'choices',
  value: { choices: names },
})
const annotation = (more: object = {}) => ({
  id: 1,
  completed_by: 1,
  result: [choices('ok')],
  was_cancelled: false,
  ground_truth: false,
  created_at: AT,
  updated_at: AT,
  lead_time: 4.2,
  unique_id: '2ad48e72-5d3c-4d0f-8f3a-6f0f2f7c1b11',
  ...more,
})
const task = (...annotations: object[]) => ({
  id: 1,
  annotations,
  predictions: [1],
  data: DATA,
  meta: {},
  total_annotations: 1,
  cancelled_annotations: 0,
})
const LABEL = {
  label_id: `label-studio/2ad48e72-5d3c-4d0f-8f3a-6f0f2f7c1b11@${AT}/label`,
  model_id: 'fraud',
  prediction_id: 'p-1',
  label: 'ok',
  labelled_at: AT,
  source: 'human_review',
  labeler: 'label-studio/1',
  inclusion_probability: 0.25,
}

test('an export, and the webhook of the same annotation, give one and the same label', () => {
  const webhook = {
    action: 'ANNOTATION_CREATED',
    annotation: annotation(),
    task: task(),
    project: {},
  }
  expect(labelStudioLabels([task(annotation())])).toEqual([{ event: LABEL }])
  expect(labelStudioLabels(webhook)).toEqual([{ event: LABEL }])
  expect(validator.value(LABEL)).toMatchObject({ ok: true })
})

test('a changed annotation is another label of the same labeler', () => {
  const updated_at = '2026-01-02T10:00:00.000000Z'
  const changed = annotation({
    updated_at,
    result: [choices('fraud')],
    completed_by: { id: 1, email: 'a@b.c' },
  })
  const [found] = labelStudioLabels({
    action: 'ANNOTATION_UPDATED',
    annotation: changed,
    task: task(),
  })
  expect(found).toMatchObject({
    event: { label: 'fraud', labeler: LABEL.labeler, labelled_at: updated_at },
  })
  expect(found).not.toMatchObject({ event: { label_id: LABEL.label_id } })
  expect(JSON.stringify(found)).not.toContain('a@b.c')
})

test('several questions are labels with names; a skip is none', () => {
  const result = [
    choices('a', 'b'),
    { from_name: 'stars', to_name: 't', type: 'rating', value: { rating: 4 } },
    { from_name: 'amount', to_name: 't', type: 'number', value: { number: 1.5 } },
    { from_name: 'why', to_name: 't', type: 'textarea', value: { text: ['one', 'two'] } },
  ]
  const skip = annotation({ was_cancelled: true, result: [] })
  const labels = labelStudioLabels([task(annotation({ result }), skip)])
  expect(labels.map((one) => 'event' in one && [one.event['name'], one.event['label']])).toEqual([
    [undefined, ['a', 'b']],
    ['stars', 4],
    ['amount', 1.5],
    ['why', 'one\ntwo'],
  ])
})

test('JSON_MIN has the data and the answer side by side', () => {
  const flat = {
    text: 'txn 42',
    prediction_id: 'p-1',
    model_id: 'fraud',
    id: 1,
    annotator: 1,
    annotation_id: 7,
    lead_time: 4.2,
    created_at: AT,
    updated_at: AT,
  }
  for (const label of ['ok', ['ok'], { choices: ['ok'] }])
    expect(labelStudioLabels([{ ...flat, label }])).toMatchObject([
      { event: { label: 'ok', label_id: `label-studio/7@${AT}/label`, labeler: 'label-studio/1' } },
    ])
})

test.each([
  [{ action: 'ANNOTATIONS_DELETED', annotations: [{ id: 1 }] }, 'must be ANNOTATION_CREATED'],
  [{ action: 'ANNOTATION_CREATED', annotation: annotation() }, 'task.data'],
  [[task(annotation({ result: [] }))], 'must have a result'],
  [
    [task(annotation({ result: [{ type: 'rectanglelabels', value: { x: 1 } }] }))],
    'rectanglelabels is no label',
  ],
  [[task(annotation({ result: [{ value: { choices: [{}] } }, null] }))], 'undefined is no label'],
  [['x'], 'must be an object'],
  [{ id: 1 }, 'must have data and annotations'],
])('%j is refused in a sentence', (body, message) =>
  expect(labelStudioLabels(body)[0]).toEqual({
    refused: expect.stringContaining(message) as string,
  }),
)

test('a long id is refused, and not held once for each answer', () => {
  const data = {
    ...DATA,
    prediction_id: 'x'.repeat(1_000_000),
    model: { deep: ['x'.repeat(1_000_000)] },
  }
  const many = {
    ...task(annotation({ result: Array.from({ length: 1000 }, () => choices('a')) })),
    data,
  }
  const labels = labelStudioLabels([many])
  expect(JSON.stringify(labels).length).toBeLessThan(1_000_000)
  expect(validator.value('event' in labels[0]! && labels[0].event)).toMatchObject({ ok: false })
})
