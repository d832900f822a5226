/** What a model file may not ask of scores beside reference texts. */
import { expect, test } from 'vitest'
import { parseModel } from '../model-files.ts'

const fileOf = (scores: string, more = 'task: llm') =>
  `model_id: m\n${more}\nreference_scores: ${scores}\n`

test.each([
  ['{ scores: [context_overlap] }', 'context_overlap needs context, the name of a label'],
  ['{ context: passage }', 'context is used by context_overlap alone'],
  ['{ scores: [context_overlap], context: label }', 'label and context are both label'],
  ['{ scores: [] }', 'reference_scores'],
  ['{ scores: [bleu, bleu] }', 'reference_scores'],
  ['{ scores: [meteor] }', 'reference_scores'],
  ['{ label: "" }', 'reference_scores'],
])('%s is refused', (scores, problem) => {
  expect(() => parseModel(fileOf(scores))).toThrow(problem)
})

test('a number or a class is no reference text, a label of another name may be one', () => {
  expect(() => parseModel(fileOf('{}', 'task: regression'))).toThrow('is a number, no text')
  const classes = 'task: multiclass\nclasses: [a, b]'
  expect(() => parseModel(fileOf('{}', classes))).toThrow('is one of classes, no text')
  expect(parseModel(fileOf('{ label: summary }', classes)).referenceScores).toMatchObject({
    label: 'summary',
    scores: ['exact_match', 'token_f1', 'bleu', 'rouge_l', 'chrf'],
  })
})
