/** Refused messages of sources, whose members have names that the privacy rules of models do not know. */
import { expect, test } from 'vitest'
import { eventPrivacy } from '../../../lib/models/event-privacy.ts'
import { parseModel } from '../../../lib/models/model-files.ts'
import { NO_PRIVACY, type Privacy } from '../../../lib/events/privacy/redactor.ts'
import { createSeenIds } from '../../../lib/sink/dedupe-set.ts'
import { sourceReader } from '../../../lib/sources/reader.ts'
import { parseSource } from '../../../lib/sources/source-files.ts'
import { predictionMapping } from '../../../services/ingest/data/prediction-rows.ts'
import { rangeOf } from '../../harness.ts'

const source = parseSource(
  `source: shop
kafka: { topic: shop.scored }
format: json
events:
  - type: prediction
    each: $.rows
    fields:
      prediction_id: $item.n
      model_id: shop
      model_version: "1"
      predicted_at: { path: $item.at, time: epoch_ms }
      score: $item.score
      features: { fields: { mail: $item.cust_contact, segment: $item.segment } }
`,
  () => '',
)
const shop = parseModel('model_id: shop\ntask: binary\nprivacy: { drop: [mail] }\n')
const rules = eventPrivacy({ declared: [shop], get: () => shop }, undefined)
const PLANTED = 'ann@planted.example'

/** The dead letters of messages, with the tables that would be stored of them. */
function refused(privacy: Privacy, messages: readonly string[]) {
  const mapping = predictionMapping('source-1-0000000000000000', { privacy })
  const { read } = sourceReader(source, 'prediction', undefined)
  const keys = messages.map(() => PLANTED)
  const range = rangeOf('shop/prediction', mapping.version, messages, 0, keys)
  return mapping.map(range, read, createSeenIds(1000)).dead
}

const row = (n: number, more: object = {}) => ({
  n: `p-${n}`,
  at: 1_767_225_600_000,
  score: 0.5,
  cust_contact: PLANTED,
  segment: 'a',
  ...more,
})
const faulty = [
  JSON.stringify({ rows: [row(1), row(2, { at: PLANTED }), row(3, { score: PLANTED })] }),
  `{"rows":[],"rows":["${PLANTED}"]}`,
  `no JSON: ${PLANTED}`,
]

test('nothing of a refused message is kept that a rule might be about, by whatever name', () => {
  const dead = refused(rules, faulty)
  expect(dead.map(({ code }) => code)).toEqual(['unmapped', 'repeated_key', 'invalid_json'])
  for (const { message, text } of dead) {
    expect([message.value.length, message.key.length]).toEqual([0, 0])
    expect(text).not.toContain('planted')
  }
  expect(refused(NO_PRIVACY, faulty)[0]!.message.value.toString()).toContain(PLANTED)
})

test('a message of thousands of refused events is asked about once', () => {
  const rows = Array.from({ length: 5000 }, (_, n) => row(n, { score: 'high' }))
  let asked = 0
  const counting: Privacy = {
    of: rules.of,
    ofAll: () => {
      asked++
      return rules.ofAll()
    },
  }
  const [letter] = refused(counting, [JSON.stringify({ rows })])
  expect(letter!.text).toMatch(/^5000 of 5000 events are refused/)
  expect(asked).toBe(1)
})
