/** What a range becomes does not depend on the ranges before it, in whose memory it is written. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OffsetRange } from '../../../lib/event-log/port.ts'
import { messageReader } from '../../../lib/events/decode-message.ts'
import { encodeBlock } from '../../../lib/clickhouse/native/block.ts'
import { createSeenIds } from '../../../lib/sink/dedupe-set.ts'
import { rangeOf } from '../../../test/harness.ts'
import { prediction } from '../../../test/servers/processes.ts'
import { PREDICTION_MAPPINGS } from './prediction-rows.ts'

const mapping = PREDICTION_MAPPINGS[0]
const mapped = (range: OffsetRange) => mapping.map(range, messageReader().read, createSeenIds(1000))
const bytesOf = ({ tables }: ReturnType<typeof mapped>) =>
  tables.map(({ table, ...rows }) => {
    const block = encodeBlock(rows)
    return [table, block?.columns, block && Buffer.concat(block.parts).toString('base64')]
  })

const scalar = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -3, max: 3 }),
  fc.string({ maxLength: 5 }),
  fc.boolean(),
  fc.constant(null),
)
const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined })
const event = fc
  .record({
    i: fc.nat({ max: 30 }),
    model_id: fc.constantFrom('a', 'b'),
    prediction: scalar,
    features: fc.oneof(
      fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.integer({ min: -9, max: 9 })),
      fc.dictionary(fc.constantFrom('x', 'y', 'z'), scalar),
    ),
    more: fc.record({
      attributes: some(fc.dictionary(fc.constantFrom('sex', 'race'), fc.string({ maxLength: 3 }))),
      sampling_fraction: some(fc.constantFrom(0.25, 1)),
      producer: some(fc.record({ id: fc.constant('p'), sequence: fc.nat() })),
      embedding: some(fc.array(fc.integer(), { maxLength: 3 })),
      output_text: some(fc.string({ unit: 'grapheme' })),
      latency_ms: some(fc.nat()),
      time_to_first_token_ms: some(fc.nat()),
      unknown: some(fc.constant(1)),
    }),
  })
  .map(({ i, more, ...given }) => JSON.stringify(prediction(i, { ...given, ...more })))
const range = fc
  .array(fc.oneof({ weight: 9, arbitrary: event }, fc.constantFrom('', '{', '{"a":1}')), {
    minLength: 1,
    maxLength: 12,
  })
  .map((values) => rangeOf('plumbline.predictions.v1', mapping.version, values))

test('any ranges, one after another in the same memory and each in its own: the same bytes', () => {
  fc.assert(
    fc.property(fc.array(range, { minLength: 2, maxLength: 4 }), (ranges) => {
      for (const one of ranges) {
        const again = mapped(one)
        const found = bytesOf(again)
        // While that memory is in hand, this one is new.
        expect(bytesOf(mapped(one))).toEqual(found)
        again.release()
      }
    }),
    { numRuns: 300 },
  )
})

test('a range that an earlier version began is drained as that version read it: without first tokens', () => {
  const values = [250, 'soon'].map((told, i) =>
    JSON.stringify(prediction(i, { time_to_first_token_ms: told })),
  )
  const [now, before] = PREDICTION_MAPPINGS.map((of) =>
    of.map(
      rangeOf('plumbline.predictions.v1', of.version, values),
      messageReader().read,
      createSeenIds(1000),
    ),
  )
  const text = (range: typeof now) => JSON.stringify(bytesOf(range!).map(([, , rows]) => rows))
  expect([now!.rows, before!.rows]).toEqual([1, 2])
  const subject = Buffer.from('@time_to_first_token_ms')
  const counted = (range: typeof now) =>
    range!.tables.some(({ table, ...rows }) => {
      const block = table === 'numeric_counts' ? encodeBlock(rows) : undefined
      return block && Buffer.concat(block.parts).includes(subject)
    })
  expect([counted(now), counted(before)]).toEqual([true, false])
  expect(text(now)).not.toBe(text(before))
})
