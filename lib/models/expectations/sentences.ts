/** Expectations in words, for reasons and refusals. Pure. */
import type { ModelExpectation } from '../../../schemas/model-expectations.ts'

/** Values of a set that are named. */
const NAMED = 5

/** What must be so, as the end of a sentence that begins with `expected`. */
export function sentenceOf(one: ModelExpectation): string {
  if (one.freshness !== undefined) return `events arrive within ${one.freshness} of predicted_at`
  if (one.expression !== undefined) return one.expression
  const { feature, monotone, per } = one
  if (monotone !== undefined)
    return `${feature} is ${monotone.replace('_', ' ')}${per === undefined ? '' : ` per ${per}`}`
  return `${feature} ${[...kindWords(one), ...rangeWords(one), ...textWords(one)].join(', ')}`
}

const ARTICLES = {
  number: 'a number',
  integer: 'a whole number',
  text: 'text',
  boolean: 'a boolean',
}

function kindWords({ type, required, one_of: values }: ModelExpectation): string[] {
  return [
    ...(required ? ['is present'] : []),
    ...(type === undefined ? [] : [`is ${ARTICLES[type]}`]),
    ...(values
      ? [
          `is one of ${values.slice(0, NAMED).join(', ')}${
            values.length > NAMED ? ` and ${values.length - NAMED} more` : ''
          }`,
        ]
      : []),
  ]
}

function rangeWords({ min, max, above, below }: ModelExpectation): string[] {
  const words = [
    ...(min !== undefined && max !== undefined
      ? [`is from ${min} to ${max}`]
      : [
          ...(min === undefined ? [] : [`is at least ${min}`]),
          ...(max === undefined ? [] : [`is at most ${max}`]),
        ]),
    ...(above === undefined ? [] : [`is above ${above}`]),
    ...(below === undefined ? [] : [`is below ${below}`]),
  ]
  return words
}

function textWords(one: ModelExpectation): string[] {
  const { pattern, min_length: least, max_length: most } = one
  return [
    ...(least === undefined ? [] : [`has at least ${least} characters`]),
    ...(most === undefined ? [] : [`has at most ${most} characters`]),
    ...(pattern === undefined ? [] : [`matches ${pattern}`]),
  ]
}
