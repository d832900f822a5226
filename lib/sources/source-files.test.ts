import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigError } from '../runtime/config.ts'
import { parseSource, readSources } from './source-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'plumbline-sources-'))
afterAll(() => rmSync(folder, { recursive: true }))

const GOOD = `source: fraud
kafka: { topic: fraud.scored }
format: json
events:
  - type: prediction
    fields:
      prediction_id: $.id
      model_id: fraud
      model_version: "1"
      predicted_at: $.at
`

function problemsOf(text: string, proto = ''): readonly string[] {
  try {
    parseSource(text, () => proto)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

test('a revision changes with the file', () => {
  const one = parseSource(GOOD, () => '')
  expect(one).toMatchObject({
    name: 'fraud',
    revision: expect.stringMatching(/^[0-9a-f]{16}$/) as never,
  })
  expect(parseSource(`${GOOD}# changed`, () => '').revision).not.toBe(one.revision)
})

test.each([
  [
    'source: Fraud',
    'source: fraud',
    'source must be a name of small letters, digits, points, hyphens and underscores',
  ],
  [
    'source: ../../etc/passwd',
    'source: fraud',
    'source must be a name of small letters, digits, points, hyphens and underscores',
  ],
  [
    'kafca: { topic: fraud.scored }',
    'kafka: { topic: fraud.scored }',
    'kafca is no key of a source file; did you mean kafka?',
  ],
  [
    'kafka: { topic: a/b }',
    'kafka: { topic: fraud.scored }',
    'kafka.topic must be a topic of Kafka, with its whole name',
  ],
  [
    'format: jsn',
    'format: json',
    'format must be one of json, avro, protobuf, csv, parquet; did you mean json?',
  ],
  [
    'format: parquet',
    'format: json',
    'format parquet is of files: messages of Kafka are json, avro, protobuf or csv',
  ],
  [
    'format: csv',
    'format: json',
    'csv.columns must name the columns: a message of Kafka has no heading',
  ],
  [
    'format: protobuf',
    'format: json',
    'protobuf must name file and message: format protobuf needs them',
  ],
  [
    'type: predicton',
    'type: prediction',
    'events[0].type must be one of prediction, label, attributes, inference; did you mean prediction?',
  ],
  ['type: label', 'type: prediction', 'events[0].fields must have label_id: a label needs it'],
  [
    'model_versoin: "1"',
    'model_version: "1"',
    'events[0].fields.model_versoin is no field of a prediction; did you mean model_version?',
  ],
  [
    'prediction_id: $.id[',
    'prediction_id: $.id',
    'events[0].fields.prediction_id: $.id[ is no path: .name, ["name"], [0] or [#] must follow, and [ is none of them',
  ],
  [
    'prediction_id: "$.a[#]"',
    'prediction_id: $.id',
    'events[0].fields.prediction_id: $.a[#] has [#], and the event has no each',
  ],
  [
    'prediction_id: "$.a[*]"',
    'prediction_id: $.id',
    'events[0].fields.prediction_id: $.a[*] has [*], which is for each alone',
  ],
  [
    'predicted_at: { path: $.at, timee: epoch_s }',
    'predicted_at: $.at',
    'events[0].fields.predicted_at.timee is no key of a source file; did you mean time?',
  ],
  [
    'predicted_at: { path: $.at, time: epoch }',
    'predicted_at: $.at',
    'events[0].fields.predicted_at.time must be one of rfc3339, epoch_s, epoch_ms, epoch_us, epoch_ns; did you mean epoch_s?',
  ],
  [
    'predicted_at: { path: $.at, timezone: Europa/Berlin }',
    'predicted_at: $.at',
    'events[0].fields.predicted_at.timezone Europa/Berlin is not an IANA time zone',
  ],
  [
    'predicted_at: { path: $.at, value: x }',
    'predicted_at: $.at',
    'events[0].fields.predicted_at must have one of path, template and value, and has path and value',
  ],
  [
    'model_id: { path: $.m, time: epoch_s }',
    'model_id: fraud',
    'events[0].fields.model_id.time is for times, and events[0].fields.model_id is none',
  ],
  [
    'predicted_at: $.at\n      status: okk',
    'predicted_at: $.at',
    'events[0].fields.status must be one of ok, error; did you mean ok?',
  ],
  [
    'predicted_at: $.at\n      features: { match: "a*b*c*d*e*f" }',
    'predicted_at: $.at',
    'events[0].fields.features.match: a*b*c*d*e*f has more than 4 *',
  ],
  [
    'predicted_at: $.at\n      features: { list: [a], match: b }',
    'predicted_at: $.at',
    'events[0].fields.features has list and match, and may have one',
  ],
  [
    'predicted_at: $.at\n      features: region',
    'predicted_at: $.at',
    'events[0].fields.features must be a path, such as $.features, or a mapping',
  ],
  [
    'where: { $.k: { equls: 1 } }\n    fields:',
    'fields:',
    'events[0].where.$.k.equls is no key of a source file; did you mean equals?',
  ],
  [
    'each: rows\n    fields:',
    'fields:',
    'events[0].each: rows is no path: it begins with $, $item, $index or $meta',
  ],
  [
    'parse: { $.a: jsn }\nevents:',
    'events:',
    'parse.$.a must be one of json, csv, base64, base64_json, base64_csv; did you mean json?',
  ],
])('%s is refused in a sentence', (wrong, right, problem) => {
  expect(problemsOf(GOOD.replace(right, wrong))).toContain(problem)
})

test.each(['', '[]', '3', '&a [*a]', 'a: b: c', 'source: x\nevents: []'])(
  'a file that says %j is refused, and throws nothing else',
  (text) => {
    expect(problemsOf(text)).not.toEqual([])
  },
)

const PROTO = `syntax = "proto3"; package acme; import "google/protobuf/timestamp.proto";
message Scored { string id = 1; google.protobuf.Timestamp at = 2; }`
const OF_PROTO = (file: string, message: string) =>
  GOOD.replace('format: json', `format: protobuf\nprotobuf: { file: ${file}, message: ${message} }`)

test('a .proto file lies beside the source file, has the message, and imports nothing of others', () => {
  expect(problemsOf(OF_PROTO('s.proto', 'acme.Scored'), PROTO)).toEqual([])
  expect(problemsOf(OF_PROTO('../s.proto', 'acme.Scored'), PROTO)).toEqual([
    'protobuf.file must be the name of a .proto file beside the source file',
  ])
  expect(problemsOf(OF_PROTO('s.proto', 'acme.Score'), PROTO)[0]).toContain(
    'protobuf: s.proto has no message acme.Score',
  )
  expect(problemsOf(OF_PROTO('s.proto', 'A'), 'import "/etc/passwd"; message A {}')).toEqual([
    'protobuf: s.proto imports /etc/passwd: only google/protobuf’s own types may be imported'.replace(
      '’',
      "'",
    ),
  ])
  expect(problemsOf(OF_PROTO('s.proto', 'A'), '%')[0]).toContain('is no .proto file')
})

test('a folder is read with all problems at once, and two files may not declare one source', () => {
  expect(readSources(join(folder, 'absent'))).toEqual([])
  writeFileSync(join(folder, 'a.yaml'), GOOD)
  expect(readSources(folder).map(({ name }) => name)).toEqual(['fraud'])
  writeFileSync(join(folder, 'b.yaml'), GOOD.replace('format: json', 'format: xml'))
  writeFileSync(join(folder, 'c.yaml'), GOOD)
  const read = () => readSources(folder)
  expect(read).toThrow('b.yaml: format must be one of')
  expect(read).toThrow('two files declare the source fraud')
})
