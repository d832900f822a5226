/**
 * SageMaker's files line by line: what cells, rows and answers become, and that no line ends the
 * import.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OutputKind } from '../../../lib/models/model-files.ts'
import { importedLine } from './sagemaker.ts'
import { cellValue } from '../../../lib/events/csv-cell.ts'

const options = (output: OutputKind = 'probability', columns: string[] = []) => ({
  modelId: 'm',
  modelVersion: '1',
  columns,
  output,
})
const csv = (data: unknown) => ({ data, encoding: 'CSV' })
const json = (value: unknown) => ({ data: JSON.stringify(value), encoding: 'JSON' })
const base64 = (text: string) => ({
  data: Buffer.from(text).toString('base64'),
  encoding: 'BASE64',
})
const META = { eventId: 'e', inferenceTime: '2026-02-14T17:25:49Z' }

const line = (endpointInput: unknown, endpointOutput: unknown) =>
  JSON.stringify({ captureData: { endpointInput, endpointOutput }, eventMetadata: META })

/** The events of a line, or the reason why it is refused. */
function read(text: string, using = options()) {
  const imported = importedLine(text, using)
  return imported.kind === 'refused' ? imported.reason : imported.events
}

function features(input: unknown, outputs = csv('0.5'), columns: string[] = []) {
  const events = read(line(input, outputs), options('probability', columns))
  return typeof events === 'string' ? events : events.map((event) => event['features'])
}

function answers(output: unknown, kind?: OutputKind, rows = 1) {
  const input = csv(Array.from({ length: rows }, () => '1').join('\n'))
  const events = read(line(input, output), options(kind))
  return typeof events === 'string'
    ? events
    : events.map(({ prediction, score, scores }) => ({
        ...(prediction !== undefined && { prediction }),
        ...(score !== undefined && { score }),
        ...(scores !== undefined && { scores }),
      }))
}

test('numbers are decimals that keep their digits; codes stay text', () => {
  const numbers = ['0', '7', '-7', '0.50', '153.7', '-0.25', '9.8e-05', '1e+16', '1.0E5', ' 2 ']
  expect(numbers.map(cellValue)).toEqual([0, 7, -7, 0.5, 153.7, -0.25, 9.8e-5, 1e16, 1e5, 2])
  const codes = [
    '00501',
    '0x1F',
    '1e5',
    '12e3',
    '+5',
    '0b11',
    '1_000',
    '1,5',
    'Infinity',
    '-',
    '.5',
  ]
  expect(codes.map(cellValue)).toEqual(codes)
  expect(cellValue('9007199254740993')).toBe('9007199254740993')
  expect(cellValue('9007199254740991')).toBe(9007199254740991)
  expect(['', ' ', 'nan', 'NaN'].map(cellValue)).toEqual([null, null, null, null])
  expect(features(csv('00501,1e5,0x1F'))).toEqual([{ f0: '00501', f1: '1e5', f2: '0x1F' }])
  expect(features(csv('1e5'))).toEqual([{ f0: '1e5' }])
  expect(answers(csv('00501'), 'class')).toEqual([{ prediction: '00501' }])
})

test('any decimal that a program prints is read as its number', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      const text = String(x)
      const wide = /^-?\d+$/.test(text) && !Number.isSafeInteger(x)
      expect(cellValue(text)).toBe(wide ? text : Number(text))
    }),
    { numRuns: 2000, seed: 3 },
  )
})

test('columns do not shift where a row is irregular', () => {
  expect(features(csv(',a,b'))).toEqual([{ f0: null, f1: 'a', f2: 'b' }])
  expect(features(csv('1,,3\n,,'), csv('0.5\n0.6'))).toEqual([
    { f0: 1, f1: null, f2: 3 },
    { f0: null, f1: null, f2: null },
  ])
  expect(features(csv('"a,b","say ""x""","two\nlines",4'))).toEqual([
    { f0: 'a,b', f1: 'say "x"', f2: 'two\nlines', f3: 4 },
  ])
  expect(features(csv('\ufeff1,2\r\n3,4\r\n'), csv('0.5\r\n0.6'))).toEqual([
    { f0: 1, f1: 2 },
    { f0: 3, f1: 4 },
  ])
  expect(features(csv('1,2,3\n4,5'), csv('0.5\n0.6'))).toMatch(
    /^endpointInput.data is no CSV by RFC 4180: Invalid Record Length: expect 3, got 2 on line 2/,
  )
  expect(features(csv('1,5" pipe,3'))).toMatch(/RFC 4180/)
  expect(features(csv('1,"open'))).toMatch(/RFC 4180/)
  expect(features(csv('1,2'), csv('0.5'), ['a', 'b', 'c'])).toBe(
    'a row has 2 cells where 3 columns are named',
  )
})

test('an object of lists is columns, or one row: as many go in as come out', () => {
  const columns = json({ lon: [-122.1, -117.2], rooms: [25, 43] })
  const both = [
    { lon: -122.1, rooms: 25 },
    { lon: -117.2, rooms: 43 },
  ]
  expect(features(columns, base64('{"value": [478.5, 206.25]}'))).toEqual(both)
  expect(features(columns, json([478.5, 206.25]))).toEqual(both)
  expect(features(columns, csv('478.5'))).toEqual([
    { lon_0: -122.1, lon_1: -117.2, rooms_0: 25, rooms_1: 43 },
  ])
  expect(features(columns, csv('1\n2\n3'))).toBe('2 rows went in and 3 came out')
  expect(answers(json({ value: [478.5, 206.25] }), 'value', 2)).toEqual([
    { prediction: 478.5 },
    { prediction: 206.25 },
  ])
})

test('rows of JSON, as the built-in algorithms take them', () => {
  const rows = [{ f0: 1, f1: 2 }]
  expect(features(json({ instances: [[1, 2]] }))).toEqual(rows)
  expect(features(json({ instances: [{ features: [1, 2] }] }))).toEqual(rows)
  expect(features(json({ instances: [{ data: { features: { values: [1, 2] } } }] }))).toEqual(rows)
  expect(features(json([1, 2]))).toEqual(rows)
  expect(features(json({ age: 3, tags: ['a', 'b'], more: { x: 1 } }))).toEqual([
    { age: 3, tags_0: 'a', tags_1: 'b', more: '{"x":1}' },
  ])
  expect(features(csv('{"features":[1,2]}\n{"features":[3,4]}'), csv('0.5\n0.6'))).toEqual([
    ...rows,
    { f0: 3, f1: 4 },
  ])
})

test('what the linear learner answers becomes prediction and score', () => {
  const answer = (score: unknown, predicted_label: number) =>
    csv(JSON.stringify({ predictions: [{ score, predicted_label }] }))
  expect(answers(answer(0.0126, 0))).toEqual([{ prediction: '0', score: 0.0126 }])
  expect(answers(answer(0.97, 1), 'class')).toEqual([{ prediction: '1', score: 0.97 }])
  expect(answers(answer([0.1, 0.2, 0.7], 2))).toEqual([
    { prediction: '2', scores: { 0: 0.1, 1: 0.2, 2: 0.7 } },
  ])
  const regression = json({ predictions: [{ score: 5.3 }] })
  expect(answers(regression, 'value')).toEqual([{ prediction: 5.3 }])
  expect(answers(json({ scores: [{ score: 0.02 }, { score: 0.3 }] }), 'probability', 2)).toEqual([
    { score: 0.02 },
    { score: 0.3 },
  ])
})

test('one number alone is what is declared', () => {
  for (const output of [csv('0.93'), json(0.93), json([0.93]), json({ predictions: [[0.93]] })]) {
    expect(answers(output)).toEqual([{ score: 0.93 }])
    expect(answers(output, 'value')).toEqual([{ prediction: 0.93 }])
    expect(answers(output, 'class')).toEqual([{ prediction: '0.93' }])
  }
  expect(answers(csv('spam'))).toEqual([{ prediction: 'spam' }])
  expect(answers(json({ predicted_label: 1 }))).toEqual([{ prediction: '1' }])
  expect(answers(csv('0.2,0.8'))).toEqual([
    { prediction: '1', score: 0.8, scores: { 0: 0.2, 1: 0.8 } },
  ])
})

const truth = (data: unknown, id: unknown = 'e') =>
  JSON.stringify({ groundTruthData: csv(data), eventMetadata: { eventId: id } })

test('labels of long ids stay apart', () => {
  const labels = ['a', 'b'].map((end) => read(truth('1', 'x'.repeat(190) + end)))
  const ids = labels.flat().map((label) => (typeof label === 'string' ? '' : label['label_id']))
  expect(new Set(ids).size).toBe(2)
  expect(Math.max(...ids.map((id) => (id as string).length))).toBeLessThanOrEqual(200)
})

test.each([
  ['{', 'the line is not JSON'],
  ['null', 'the line is not a JSON object'],
  ['[1]', 'the line is not a JSON object'],
  ['{}', 'eventMetadata.eventId is required'],
  ['{"eventMetadata":null}', 'eventMetadata.eventId is required'],
  [truth('1', 5), 'eventMetadata.eventId must be text'],
  [truth(['1']), 'groundTruthData.data must be text'],
  [truth(1), 'groundTruthData.data must be text'],
  [truth(null), 'groundTruthData.data must be text'],
  [truth(''), 'groundTruthData.data is empty'],
  ['{"groundTruthData":"x","eventMetadata":{"eventId":"e"}}', 'groundTruthData must be an object'],
  [line(csv('1'), null), 'captureData needs endpointInput and endpointOutput'],
  [
    line(csv('1'), { data: '1', encoding: 7 }),
    'endpointOutput.encoding must be CSV, JSON or BASE64',
  ],
  [line(csv('1'), csv('{"predictions":')), 'endpointOutput.data must be CSV or JSON'],
  [
    line(csv('1'), { data: '/////w==', encoding: 'BASE64' }),
    'endpointOutput.data holds bytes that are no text',
  ],
  ['['.repeat(5000), 'the line: the JSON is nested deeper than 32'],
  [
    line(csv('1'), { data: '['.repeat(5000), encoding: 'JSON' }),
    'endpointOutput: the JSON is nested deeper than 32',
  ],
])('an odd line is refused with its reason: %.60s', (text, reason) => {
  expect(read(text)).toBe(reason)
})

test('no line makes it throw', () => {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.record({
      data: fc.oneof(fc.string(), fc.json({ maxDepth: 3 }), fc.jsonValue()),
      encoding: fc.constantFrom('CSV', 'JSON', 'BASE64', 1),
    }),
  )
  fc.assert(
    fc.property(odd, odd, fc.constantFrom('captureData', 'groundTruthData'), (a, b, part) => {
      const given = part === 'captureData' ? { endpointInput: a, endpointOutput: b } : a
      const imported = importedLine(
        JSON.stringify({ [part]: given, eventMetadata: META }),
        options(),
      )
      expect(['predictions', 'labels', 'refused']).toContain(imported.kind)
    }),
    { numRuns: 3000, seed: 21 },
  )
})
