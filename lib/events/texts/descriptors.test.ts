/** Features that are measured on texts, and what they are added to. */
import { expect, test } from 'vitest'
import { FlatRecord } from '../flat-record.ts'
import { BUILT_IN, describing } from './descriptors.ts'

const descriptors = ['input_text.words', 'output_text.words', 'output_text.overlap'].map((name) =>
  BUILT_IN.get(name)!,
)
const describe = describing(descriptors)
const eventOf = (object: Record<string, unknown>) =>
  FlatRecord.of({
    prediction_id: 'p',
    ...object,
    ...(object['features'] ? { features: FlatRecord.of(object['features'] as object) } : {}),
  })
const featuresOf = (event: FlatRecord) =>
  (event.get('features') as FlatRecord | undefined)?.toObject()

test('measures come after the features that the event has, and leave the event as it was', () => {
  const event = eventOf({
    input_text: 'the blue sky',
    output_text: 'blue',
    features: { amount: 1, vip: true },
  })
  const described = describe(event)
  expect(featuresOf(described)).toEqual({
    amount: 1,
    vip: true,
    'input_text.words': 3,
    'output_text.words': 1,
    'output_text.overlap': 1,
  })
  expect(featuresOf(event)).toEqual({ amount: 1, vip: true })
  expect(described.get('prediction_id')).toBe('p')
})

test('an event without features gets some; one without texts stays the same object', () => {
  expect(featuresOf(describe(eventOf({ output_text: 'two words' })))).toEqual({
    'output_text.words': 2,
  })
  const bare = eventOf({ features: { amount: 1 } })
  expect(describe(bare)).toBe(bare)
  const none = eventOf({ input_text: null, output_text: null })
  expect(describe(none)).toBe(none)
})

test('what the event says itself stands, and a second time changes nothing', () => {
  const event = eventOf({ output_text: 'two words', features: { 'output_text.words': 7 } })
  expect(describe(event)).toBe(event)
  const once = describe(eventOf({ input_text: 'a', output_text: 'b' }))
  expect(describe(once)).toBe(once)
})

test('events with other names one after another are not mixed up', () => {
  const events = [
    { input_text: 'a b', features: { x: 1 } },
    { input_text: 'a b c', features: { y: 1 } },
    { output_text: 'a' },
    { input_text: 'a', features: { x: 1, y: 2 } },
  ].map((object) => featuresOf(describe(eventOf(object))))
  expect(events).toEqual([
    { x: 1, 'input_text.words': 2 },
    { y: 1, 'input_text.words': 3 },
    { 'output_text.words': 1 },
    { x: 1, y: 2, 'input_text.words': 1 },
  ])
})
