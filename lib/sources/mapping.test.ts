import { expect, test } from 'vitest'
import { FlatRecord } from '../events/flat-record.ts'
import { compileSource, MAX_EVENTS, type SourceResult } from './mapping.ts'
import { parseSource } from './source-files.ts'

const HEAD = 'source: fraud\nkafka: { topic: fraud.scored }\nformat: json\n'
const FIELDS = `
      prediction_id: $.id
      model_id: fraud
      model_version: $.version
      predicted_at: { path: $.at, time: epoch_s }`

/** Maps messages by a file with these events. */
function mapperOf(events: string, more = '') {
  const { file } = parseSource(`${HEAD}${more}\nevents:\n${events}`, () => '')
  const { map } = compileSource(file)
  return (body: unknown, meta: Record<string, unknown> = {}) =>
    map({ body, meta, bytes: JSON.stringify(body).length })
}

const predictions = (fields: string, more = '') =>
  mapperOf(`  - type: prediction${more}\n    fields:${FIELDS}${fields}`)

/** Events as plain objects, faults as they are. */
const told = (results: readonly SourceResult[]) =>
  results.map((result) => ('fault' in result ? result.fault : plainOf(result.event)))
const plainOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plainOf)
  if (!(value instanceof FlatRecord)) return value
  const entries = value.names.map((name, i) => [name, plainOf(value.values[i])] as const)
  return Object.fromEntries(entries.filter(([, one]) => one !== undefined))
}
const BODY = { id: 'a', version: 3, at: 1_700_000_000 }
const EVENT = {
  prediction_id: 'a',
  model_id: 'fraud',
  model_version: '3',
  predicted_at: '2023-11-14T22:13:20.000Z',
}

test('a message becomes an event by paths, constants, templates and tables of values', () => {
  const map = predictions(`
      request_id: { template: "{$meta.key}/{$.id}" }
      decision: { path: $.verdict, values: { approved: accept, denied: deny } }
      status: { value: ok }
      score: { path: [$.p, $.proba], optional: true }
      latency_ms: { path: $.ms, default: 0 }
      input_text: { path: $.input, as: json, optional: true }`)
  expect(
    told(
      map({ ...BODY, verdict: 'denied', proba: '0.25', input: [{ q: 1 }] }, { key: 'k' }).results,
    ),
  ).toEqual([
    {
      ...EVENT,
      request_id: 'k/a',
      decision: 'deny',
      status: 'ok',
      score: 0.25,
      latency_ms: 0,
      input_text: '[{"q":1}]',
    },
  ])
  expect(told(map({ ...BODY, verdict: 'maybe' }, { key: 'k' }).results)).toEqual([
    'decision is "maybe", which its values do not list',
  ])
})

test('one fault sentence names every missing path, with the nearest name that is there', () => {
  const map = predictions('\n      features: { path: $.request.featurs, list: [a, b] }')
  const { results } = map({ id: 'a', versoin: 3, at: 'x', request: { features: { a: 1 } } })
  expect(results).toEqual([
    {
      type: 'prediction',
      code: 'unmapped',
      fault:
        'no $.version (model_version); did you mean versoin?; predicted_at: "x" is no time in epoch_s; no $.request.featurs (features); did you mean features?',
    },
  ])
})

test.each([
  ['an object', '{ path: $.f }', { f: { a: 1, b: 'x', c: null } }, { a: 1, b: 'x', c: null }],
  ['a path alone', '$.f', { f: { a: 1 } }, { a: 1 }],
  ['columns by list', '{ list: [a, b] }', { a: 1, b: true, z: 2 }, { a: 1, b: true }],
  ['columns by pattern', '{ match: "f_*", strip: f_ }', { f_a: 1, f_b: 2, g: 3 }, { a: 1, b: 2 }],
  ['all columns but', '{ except: [id, version, at] }', { x: 1 }, { x: 1 }],
  ['a list with names', '{ path: $.row, names: [a, b] }', { row: [1, 2] }, { a: 1, b: 2 }],
  ['names in the message', '{ path: $.row, columns: $.cols }', { cols: ['a'], row: [7] }, { a: 7 }],
  [
    'pairs',
    '{ path: $.tags, key: name, value: v }',
    {
      tags: [
        { name: 'a', v: 1 },
        { name: 'b', v: 'x' },
      ],
    },
    { a: 1, b: 'x' },
  ],
  [
    'nested objects',
    '{ path: $.f, flatten: true }',
    { f: { user: { age: 3, tags: ['x', 'y'] }, n: 1 } },
    { 'user.age': 3, 'user.tags_0': 'x', 'user.tags_1': 'y', n: 1 },
  ],
  [
    'parts one after another',
    '[{ fields: { amount: $.a.b, kind: card } }, { path: $.f, optional: true }]',
    { a: { b: 9 } },
    { amount: 9, kind: 'card' },
  ],
])('features of %s', (_name, spec, body, features) => {
  const map = predictions(`\n      features: ${spec}`)
  expect(told(map({ ...BODY, ...body }).results)).toEqual([{ ...EVENT, features }])
})

test.each([
  ['{ match: "f_*" }', { g: 1 }, '$item has none of f_* (features)'],
  [
    '{ path: $.row, names: [a, b] }',
    { row: [1] },
    '$.row has 1 elements where 2 are named (features)',
  ],
  [
    '{ path: $.row }',
    { row: [1] },
    '$.row is a list of 1 and no object (features): names or columns say what its elements are',
  ],
  ['{ path: $.p, key: k }', { p: [{ k: 1 }] }, 'an element of $.p lacks k or value (features)'],
  ['[$.f, $.g]', { f: { a: 1 }, g: { a: 2 } }, 'features gives a name twice'],
])('features %s that no message fits say why', (spec, body, fault) => {
  expect(told(predictions(`\n      features: ${spec}`)({ ...BODY, ...body }).results)).toEqual([
    fault,
  ])
})

test('attributes are texts and scores numbers, and hold no null', () => {
  const map = predictions(`
      attributes: { path: $.who }
      scores: { path: $.scores }`)
  const body = { ...BODY, who: { age: 31, vip: true, sex: null }, scores: { a: '0.5', b: null } }
  expect(told(map(body).results)).toEqual([
    { ...EVENT, attributes: { age: '31', vip: 'true' }, scores: { a: 0.5 } },
  ])
})

test('each makes one event of each element, lists within lists too', () => {
  const map = mapperOf(`  - type: prediction
    each: $.batches[*].rows
    where: { $item.kept: true }
    fields:
      prediction_id: { template: "{$.id}/{$meta.file}/{$item.n}" }
      model_id: fraud
      model_version: "1"
      predicted_at: $.at
      position: { path: "$.places[#]", optional: true }`)
  const at = '2026-01-31T12:00:00Z'
  const batches = [{ rows: [{ n: 1, kept: true }] }, { rows: [{ n: 2 }, { n: 3, kept: true }] }]
  const { results } = map({ id: 'r', at, batches, places: [7, 8, 9] }, { file: 'f' })
  expect(told(results)).toMatchObject([
    { prediction_id: 'r/f/1', position: 7, predicted_at: '2026-01-31T12:00:00.000Z' },
    { prediction_id: 'r/f/3', position: 9 },
  ])
  expect(map({ id: 'r', at, batches: [{ rows: 3 }] }).filtered).toBe('no $item.kept')
})

test('a message of no interest says which condition left it out', () => {
  const map = predictions(
    '',
    '\n    where: { $.kind: [scored, rescored], $.ok: { not: false }, $.host: { match: "eu-*" } }',
  )
  const good = { ...BODY, kind: 'scored', host: 'eu-1' }
  expect(map(good).results).toHaveLength(1)
  expect(map({ ...good, kind: 'x' }).filtered).toBe('where $.kind')
  expect(map({ ...good, ok: false }).filtered).toBe('where $.ok')
  expect(map({ ...good, host: 'us-1' }).filtered).toBe('where $.host')
  expect(map(BODY).filtered).toBe('no $.kind')
})

test('one message may be events of several types', () => {
  const map = mapperOf(`  - type: prediction
    fields:${FIELDS}
  - type: label
    where: { $.truth: { exists: true } }
    fields:
      label_id: { template: "truth-{$.id}" }
      model_id: fraud
      prediction_id: $.id
      label: $.truth
      labelled_at: { path: $.at, time: epoch_s }
      source: ground_truth`)
  expect(map({ ...BODY, truth: 1 }).results.map(({ type }) => type)).toEqual([
    'prediction',
    'label',
  ])
  expect(map(BODY).results.map(({ type }) => type)).toEqual(['prediction'])
})

test('texts that hold JSON or CSV are read as such, in base64 too', () => {
  const map = mapperOf(
    `  - type: prediction
    each: $.out
    fields:
      prediction_id: { template: "{$.id}/{$item[0]}" }
      model_id: fraud
      model_version: "1"
      predicted_at: { path: $.request.at, time: epoch_s }
      score: $item[1]`,
    'parse: { $.request: json, $.out: base64_csv }',
  )
  const out = Buffer.from('a,0.5\nb,0.25\n').toString('base64')
  const { results } = map({ id: 'r', request: '{"at":1700000000}', out })
  expect(told(results)).toMatchObject([
    { prediction_id: 'r/a', score: 0.5 },
    { prediction_id: 'r/b', score: 0.25 },
  ])
  expect(told(map({ id: 'r', request: '{"at"', out }).results)).toEqual(['$.request is no JSON'])
})

test('what a message becomes is bounded in events and in bytes', () => {
  const map = mapperOf(`  - type: prediction
    each: $.rows
    fields:
      prediction_id: $item
      model_id: fraud
      model_version: "1"
      predicted_at: { path: $.at, time: epoch_s }
      input_text: { path: $.text, optional: true }`)
  const many = { at: BODY.at, rows: Array.from({ length: MAX_EVENTS + 1 }, (_, i) => `${i}`) }
  expect(told(map(many).results)).toEqual([`the message becomes more than ${MAX_EVENTS} events`])
  const copied = { at: BODY.at, text: 'x'.repeat(60_000), rows: many.rows.slice(0, 9000) }
  expect(told(map(copied).results)).toEqual([
    'the events of the message hold more than 64 times its bytes',
  ])
  const large = predictions('\n      input_text: $.text')({ ...BODY, text: 'x'.repeat(300_000) })
  expect(told(large.results)).toEqual(['an event is larger than 262144 bytes'])
})

test('names of a message are names, whatever they are called', () => {
  const body = JSON.parse(
    '{"id":"a","version":3,"at":1700000000,"f":{"__proto__":1,"constructor":2,"toString":3}}',
  ) as object
  const { results } = predictions('\n      features: $.f')(body)
  const { event } = results[0] as { event: FlatRecord }
  const features = event.get('features') as FlatRecord
  expect([features.names, features.values]).toEqual([
    ['__proto__', 'constructor', 'toString'],
    [1, 2, 3],
  ])
  expect(({} as Record<string, unknown>)['constructor']).toBe(Object)
  const missing = predictions('\n      request_id: $.constructor.name')(BODY)
  expect(told(missing.results)).toEqual([
    expect.stringContaining('no $.constructor.name (request_id)') as never,
  ])
  const replaced = mapperOf(
    `  - type: prediction\n    fields:${FIELDS}\n      score: $.__proto__.s`,
    'parse: { $.__proto__: json }',
  )
  const own = JSON.parse(
    '{"id":"a","version":3,"at":1700000000,"__proto__":"{\\"s\\":0.5}"}',
  ) as object
  expect(told(replaced(own).results)).toMatchObject([{ score: 0.5 }])
})

test('values of a wrong type are refused by the validator or named here, and never throw', () => {
  const map = predictions('\n      features: $.f\n      request_id: { template: "{$.a}" }')
  for (const odd of [
    null,
    3,
    'x',
    true,
    [],
    {},
    [[]],
    { toString: 3 },
    { f: { a: { toString: 3 } } },
  ])
    expect(() => map(odd)).not.toThrow()
  for (const at of [{ toString: 3 }, [], {}, true, 1e300, -1, '9'.repeat(400)])
    expect(told(map({ ...BODY, at, f: {}, a: 1 }).results)[0]).toContain('predicted_at: ')
})
