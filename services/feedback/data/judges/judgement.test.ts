/** Answers of judges: what is taken, and the one reason of each that is not. */
import { expect, test } from 'vitest'
import { answerSchema, readCompletion, readJudgement } from './judgement.ts'

const CLASSES = { classes: ['yes', 'no'] }
const STARS = { minimum: 1, maximum: 5, whole: true }
const completion = (more: object) =>
  JSON.stringify({
    choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: '{}', ...more } }],
    usage: { prompt_tokens: 10, completion_tokens: 5 },
  })

test('a class or a number that was asked for is taken, with its comment', () => {
  expect(readJudgement('{"label":"yes","comment":" it\\u0000 does"}', CLASSES)).toEqual({
    kind: 'valid',
    label: 'yes',
    comment: 'it  does',
  })
  expect(readJudgement('```json\n{"label":4,"comment":""}\n```', STARS)).toEqual({
    kind: 'valid',
    label: 4,
    comment: '',
  })
  const long = readJudgement(JSON.stringify({ label: 'no', comment: 'x'.repeat(5000) }), CLASSES)
  expect(long.kind === 'valid' && long.comment).toHaveLength(1000)
})

test.each([
  ['yes', CLASSES, 'not_json'],
  ['{"label":"yes","comment":"\\ud800"}', CLASSES, 'not_json'],
  ['', CLASSES, 'not_json'],
  ['{"label":"yes","comment":"a"} and more', CLASSES, 'not_json'],
  ['{"label":"yes","label":"no","comment":"a"}', CLASSES, 'not_json'],
  ['{"label":"maybe","comment":"a"}', CLASSES, 'not_a_class'],
  ['{"label":"YES","comment":"a"}', CLASSES, 'not_a_class'],
  ['{"label":1,"comment":"a"}', CLASSES, 'wrong_shape'],
  ['{"label":"yes"}', CLASSES, 'wrong_shape'],
  ['{"label":"yes","comment":"a","more":1}', CLASSES, 'wrong_shape'],
  ['{"label":["yes"],"comment":"a"}', CLASSES, 'wrong_shape'],
  ['"yes"', CLASSES, 'wrong_shape'],
  ['null', CLASSES, 'wrong_shape'],
  ['{"label":6,"comment":"a"}', STARS, 'out_of_range'],
  ['{"label":1.5,"comment":"a"}', STARS, 'out_of_range'],
  ['{"label":1e999,"comment":"a"}', STARS, 'out_of_range'],
  ['{"label":"3","comment":"a"}', STARS, 'wrong_shape'],
] as const)('%s is refused', (text, answer, reason) =>
  expect(readJudgement(text, { ...answer } as Parameters<typeof readJudgement>[1])).toEqual({
    kind: 'invalid',
    reason,
  }),
)

test('deep nesting is refused, and does not end the process', () =>
  expect(readJudgement(`${'['.repeat(5000)}${']'.repeat(5000)}`, CLASSES).kind).toBe('invalid'))

test.each([
  ['<html>502</html>', 'not_a_completion'],
  ['{}', 'not_a_completion'],
  ['{"choices":[]}', 'not_a_completion'],
  ['{"choices":[null]}', 'not_a_completion'],
  ['{"choices":{"0":{}}}', 'not_a_completion'],
  [completion({ content: null }), 'not_a_completion'],
  [completion({ content: 'x'.repeat(40_000) }), 'too_large'],
  [completion({ refusal: 'I cannot' }), 'refused'],
  ['{"choices":[{"finish_reason":"length","message":{"content":"{"}}]}', 'cut_off'],
  ['{"choices":[{"finish_reason":"content_filter","message":{"content":""}}]}', 'refused'],
])('%s is no answer', (text, reason) =>
  expect(readCompletion(text)).toMatchObject({ kind: 'invalid', reason }),
)

test('tokens are taken where they are counts', () => {
  const usageOf = (usage: unknown) =>
    readCompletion(JSON.stringify({ choices: [{ message: { content: 'x' } }], usage })).usage
  expect(usageOf({ prompt_tokens: 3, completion_tokens: 0 })).toEqual({
    inputTokens: 3,
    outputTokens: 0,
  })
  for (const usage of [
    undefined,
    null,
    [],
    { prompt_tokens: 3 },
    { prompt_tokens: -1, completion_tokens: 1 },
    { prompt_tokens: 1.5, completion_tokens: 1 },
    { prompt_tokens: '3', completion_tokens: 1 },
    { prompt_tokens: 1e300, completion_tokens: 1 },
  ])
    expect(usageOf(usage)).toBeUndefined()
})

test('the schema is what strict endpoints take: all required, nothing besides', () => {
  expect(answerSchema(STARS)).toMatchObject({
    properties: { label: { type: 'integer', minimum: 1, maximum: 5 } },
    required: ['comment', 'label'],
    additionalProperties: false,
  })
})
