import { expect, test } from 'vitest'
import { pairMaker, type LabelledAnswer } from './pairs.ts'

const answer = (id: string, label: string, more: Partial<LabelledAnswer> = {}): LabelledAnswer => ({
  prediction_id: id,
  input_text: 'why?',
  output_text: `answer ${id}`,
  label,
  ...more,
})

function pairsOf(
  rule: Parameters<typeof pairMaker>[0],
  answers: readonly LabelledAnswer[],
): { pairs: string[]; leftOut: object } {
  const maker = pairMaker(rule)
  const pairs = [...answers.map((one) => maker.take(one)), maker.end()].flatMap((pair) =>
    pair ? [`${pair.prompt} ${pair.chosen_id}>${pair.rejected_id}`] : [],
  )
  return { pairs, leftOut: maker.leftOut }
}

const HIGHER = { rule: 'higher_label' as const, order: [], margin: 0 }

test('of the answers to one input the best is chosen and the worst is rejected, the first of equals', () =>
  expect(
    pairsOf(HIGHER, [
      answer('a', '3'),
      answer('b', '5'),
      answer('c', '1'),
      answer('d', '5.0'),
      answer('e', '1'),
      answer('f', 'true', { input_text: 'how?' }),
      answer('g', 'False', { input_text: 'how?' }),
    ]),
  ).toEqual({ pairs: ['why? b>c', 'how? f>g'], leftOut: { between_best_and_worst: 3 } }))

test('what makes no pair is counted by why', () =>
  expect(
    pairsOf({ ...HIGHER, margin: 2 }, [
      answer('a', '3'),
      answer('b', '4'),
      answer('c', 'great'),
      answer('d', '4', { output_text: '' }),
      answer('e', '4', { input_text: 'alone' }),
      answer('f', '4', { input_text: 'same' }),
      answer('g', '4', { input_text: 'same' }),
    ]),
  ).toEqual({
    pairs: [],
    leftOut: { label_has_no_order: 1, no_text: 1, only_answer: 1, no_difference: 4 },
  }))

test('labels in words have the order that is given', () =>
  expect(
    pairsOf({ ...HIGHER, order: ['bad', 'good'] }, [
      answer('a', ' Good'),
      answer('b', 'BAD'),
      answer('c', '7'),
    ]),
  ).toEqual({ pairs: ['why? a>b'], leftOut: { label_has_no_order: 1 } }))

test('a label that names another answer makes a pair with it, to the same input alone', () =>
  expect(
    pairsOf({ rule: 'preferred_to', order: [], margin: 0 }, [
      answer('a', 'b', { other_input: 'why?', other_output: 'worse' }),
      answer('c', 'd', { other_input: 'how?', other_output: 'worse' }),
      answer('e', 'gone', { other_input: null, other_output: null }),
      answer('f', 'f', { other_input: 'why?', other_output: 'answer f' }),
      answer('g', 'h', { other_input: 'why?', other_output: '' }),
    ]),
  ).toEqual({
    pairs: ['why? a>b'],
    leftOut: { other_prompt: 1, other_not_found: 1, no_difference: 1, no_text: 1 },
  }))
