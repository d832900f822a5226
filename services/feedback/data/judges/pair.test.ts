/** Which of two texts is the better one: what changes with the order is a tie. */
import { expect, test } from 'vitest'
import { answerSchema, readJudgement, type Judgement } from './judgement.ts'
import { preferenceOf } from './pair.ts'
import { parsePrompt, promptProblem, renderPrompts } from './prompt.ts'

const says = (label: string): Judgement => ({ kind: 'valid', label, comment: label })
const PAIR = { pair: ['output_text', 'attributes.other'] }

test.each([
  ['first', 'second', 'first'],
  ['second', 'first', 'second'],
  ['first', 'first', 'tie'],
  ['second', 'second', 'tie'],
  ['tie', 'tie', 'tie'],
  ['tie', 'first', 'tie'],
  ['first', 'tie', 'tie'],
])('%s, and %s where the order is swapped, is %s', (straight, swapped, label) =>
  expect(preferenceOf(says(straight), says(swapped))).toMatchObject({ kind: 'valid', label }),
)

test('an order without an answer leaves none', () => {
  const invalid: Judgement = { kind: 'invalid', reason: 'not_json' }
  expect(preferenceOf(says('first'), invalid)).toEqual(invalid)
  expect(preferenceOf(invalid, says('first'))).toEqual(invalid)
})

test('comments of both orders are kept within bounds', () => {
  const long: Judgement = { kind: 'valid', label: 'tie', comment: 'x'.repeat(1000) }
  const found = preferenceOf(long, long)
  expect(found.kind === 'valid' && found.comment.length).toBeLessThanOrEqual(1000)
})

test('a pair is answered by first, second or tie', () => {
  expect(answerSchema(PAIR)).toMatchObject({
    properties: { label: { enum: ['first', 'second', 'tie'] } },
  })
  expect(readJudgement('{"comment":"","label":"third"}', PAIR)).toEqual({
    kind: 'invalid',
    reason: 'not_a_class',
  })
})

test('both orders are rendered, and do not tell which text is which', () => {
  const prompt = parsePrompt("{ version: '1', system: s, user: '{{first}} or {{second}}' }")
  const prediction = {
    prediction: null,
    score: null,
    features: {},
    attributes: { other: 'theirs' },
    input_text: '',
    output_text: 'ours',
  }
  const rendered = renderPrompts(prompt, prediction, { answer: PAIR, maxChars: 1000 })
  if (rendered.kind !== 'rendered') throw new Error(rendered.detail)
  const [straight, swapped] = rendered.requests.map((messages) => messages[1]!.content)
  expect(straight).toMatch(/field="first">\n"ours"[^]*field="second">\n"theirs"/)
  expect(swapped).toBe(
    straight!.replace('ours', 'x').replace('theirs', 'ours').replace('x', 'theirs'),
  )
  const without = { ...prediction, attributes: {} }
  expect(renderPrompts(prompt, without, { answer: PAIR, maxChars: 1000 })).toMatchObject({
    kind: 'unasked',
    detail: 'it has no attributes.other',
  })
})

test('a prompt has the places of a pair where one is judged, and there alone', () => {
  const prompt = (user: string) => parsePrompt(JSON.stringify({ version: '1', system: 's', user }))
  expect(promptProblem(prompt('{{first}} {{second}}'), PAIR)).toBeUndefined()
  expect(promptProblem(prompt('{{first}}'), PAIR)).toContain('needs the places')
  expect(promptProblem(prompt('{{first}}'), { classes: ['a', 'b'] })).toContain('has no pair')
  expect(promptProblem(prompt('{{output_text}}'), { classes: ['a', 'b'] })).toBeUndefined()
})
