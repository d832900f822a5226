/**
 * What one number alone of a model server becomes, by what the model file declares of its outputs.
 */
import { expect, test } from 'vitest'
import { parseModel } from '../../../lib/models/model-files.ts'
import { readModels } from '../../../lib/models/reload/model-folder.ts'
import { MAX_ROWS, outputOf, predictionsOf, type Output } from './inference.ts'

/** What each row of an exchange answered. */
function answers(response: unknown, output: Output | undefined, rows = 2) {
  const events = predictionsOf({
    exchangeId: 'e',
    modelId: 'm',
    modelVersion: '1',
    answeredAt: '2026-01-01T00:00:00Z',
    request: JSON.stringify({ instances: Array.from({ length: rows }, (_, i) => [i]) }),
    response: JSON.stringify(response),
    output,
  })
  return events.map(({ prediction, score, scores }) => ({
    ...(prediction !== undefined && { prediction }),
    ...(score !== undefined && { score }),
    ...(scores !== undefined && { scores }),
  }))
}

const declared = (file: string) => outputOf(parseModel(file))

const BINARY = 'model_id: m\ntask: binary\n'

test.each([
  ['a list', { predictions: [0.93, 0.08] }],
  ['lists of one', { predictions: [[0.93], [0.08]] }],
  ['columns', { outputs: { dense_1: [0.93, 0.08] } }],
  ['a tensor', { outputs: [{ name: 'dense_1', shape: [2], data: [0.93, 0.08] }] }],
  ['a tensor of two rows', { outputs: [{ name: 'dense_1', shape: [2, 1], data: [0.93, 0.08] }] }],
])('one number a row in %s is what the model file says', (_, response) => {
  const scores = [{ score: 0.93 }, { score: 0.08 }]
  const values = [{ prediction: 0.93 }, { prediction: 0.08 }]
  expect(answers(response, declared(BINARY))).toEqual(scores)
  expect(answers(response, declared(`${BINARY}output: { kind: probability }\n`))).toEqual(scores)
  expect(answers(response, declared(`${BINARY}output: { kind: class }\n`))).toEqual([
    { prediction: '0.93' },
    { prediction: '0.08' },
  ])
  expect(answers(response, declared(`${BINARY}output: { kind: value }\n`))).toEqual(values)
  expect(answers(response, declared('model_id: m\ntask: regression\n'))).toEqual(values)
  // A model without a file has no task, and is read as most are.
  const undeclared = readModels('no such folder').get('m')
  expect(answers(response, outputOf(undeclared))).toEqual(scores)
})

test('classes are told by a declared kind, and by what no probability is', () => {
  const response = { predictions: [1, 0] }
  const classes = [{ prediction: 1 }, { prediction: 0 }]
  expect(answers(response, declared(BINARY))).toEqual(classes)
  expect(answers(response, declared(`${BINARY}output: { kind: class }\n`))).toEqual([
    { prediction: '1' },
    { prediction: '0' },
  ])
  // A model whose probabilities reach 0 and 1 declares them.
  expect(answers(response, declared(`${BINARY}output: { kind: probability }\n`))).toEqual([
    { score: 1 },
    { score: 0 },
  ])
})

test('what says itself what it is stays so, whatever the model file says', () => {
  const response = { predictions: [[0.2, 0.8], { label: 'spam', probability: 0.7 }] }
  for (const kind of ['class', 'probability', 'value'])
    expect(answers(response, declared(`${BINARY}output: { kind: ${kind} }\n`))).toEqual([
      { prediction: '1', score: 0.8, scores: { 0: 0.2, 1: 0.8 } },
      { prediction: 'spam', score: 0.7 },
    ])
})

test('a label beside probabilities is the prediction, wherever it stands', () => {
  const scores = { 0: 0.1, 1: 0.2, 2: 0.7 }
  const response = {
    predictions: [
      { score: [0.1, 0.2, 0.7], predicted_label: 1 },
      { predicted_label: 1, score: [0.1, 0.2, 0.7] },
    ],
  }
  expect(answers(response, undefined)).toEqual([
    { prediction: 1, scores },
    { prediction: 1, scores },
  ])
})

test('a list that is not all numbers has no probabilities', () => {
  expect(answers({ predictions: [['spam', 0.9]] }, undefined, 1)).toEqual([{ prediction: 'spam' }])
  expect(answers({ predictions: [[null, 0.9]] }, undefined, 1)).toEqual([{ prediction: null }])
})

test('an exchange has its bound of rows', () => {
  const zeros = (rows: number) => ({ predictions: Array.from({ length: rows }, () => 0) })
  expect(answers(zeros(MAX_ROWS), undefined, MAX_ROWS)).toHaveLength(10_000)
  expect(() => answers(zeros(MAX_ROWS + 1), undefined, MAX_ROWS + 1)).toThrow(
    'the exchange has 10001 rows: at most 10000 are read',
  )
})
