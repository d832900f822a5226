/**
 * OTLP's protocol buffers: the numbers are those of the vendored files, the rows those of JSON, and
 * no bytes do harm.
 */
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import { Problem } from '../../../lib/runtime/errors.ts'
import { otlpMessages, type OtlpRequest } from '../../../test/planted/otlp-messages.ts'
import { encodedAnswer, encodedStatus, exportAnswer, statusOf } from './otlp-answer.ts'
import { decodedProtobuf, PROTOBUF_BOUNDS } from './otlp-protobuf.ts'
import { LOGS, TRACES, type Shape } from './otlp-shapes.ts'
import { outcomesOfLogs, outcomesOfTraces } from './otlp.ts'

const messages = otlpMessages()
const KINDS: Record<string, string> = { hex: 'bytes', nanos: 'fixed64', attributes: 'KeyValue' }

/** Every field of a shape against the message of the same name, down to the last. */
function differences(shape: Shape, type: protobuf.Type, seen = new Set<Shape>()): string[] {
  if (seen.has(shape)) return []
  seen.add(shape)
  return Object.entries(shape).flatMap(([number, { name, read, isRepeated }]) => {
    const field = type.fieldsById[Number(number)]?.resolve()
    const at = `${type.name} ${number}`
    if (field?.name !== name || field.repeated !== isRepeated) return [`${at}: ${name}`]
    if (typeof read !== 'string')
      return differences(read, field.resolvedType as protobuf.Type, seen)
    const isEnum = field.resolvedType instanceof protobuf.Enum
    const isSame = read === 'enum' ? isEnum : field.type.split('.').at(-1) === (KINDS[read] ?? read)
    return isSame ? [] : [`${at}: ${name} is ${field.type}`]
  })
}

test('every number, name and type is that of the vendored files', () => {
  expect(differences(TRACES, messages.traces)).toEqual([])
  expect(differences(LOGS, messages.logs)).toEqual([])
  const wrong: Shape = { 1: { name: 'scopeSpans', read: 'string', isRepeated: true } }
  expect(differences(wrong, messages.traces)).toEqual(['ExportTraceServiceRequest 1: scopeSpans'])
})

const id = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((array) => Buffer.from(array).toString('hex'))
const nanos = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }).map(String)
const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constant('漢😀'.repeat(300)))
const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text.map((stringValue) => ({ stringValue })),
    fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map((n) => ({ intValue: String(n) })),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((doubleValue) => ({ doubleValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
    fc.array(tie('pair'), { maxLength: 3 }).map((values) => ({ kvlistValue: { values } })),
  ),
  pair: fc.record({ key: text, value: tie('value') }),
}))
const NAMES = [
  'gen_ai.operation.name',
  'gen_ai.request.model',
  'gen_ai.response.id',
  'gen_ai.usage.input_tokens',
  'gen_ai.response.time_to_first_chunk',
  'gen_ai.input.messages',
  'gen_ai.evaluation.score.value',
  'gen_ai.evaluation.name',
  'user.id',
  'session.id',
]
const attributes = fc.array(
  fc.record({ key: fc.oneof(fc.constantFrom(...NAMES), text), value: anyValue.value }),
  { maxLength: 8 },
)
const chat = { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } }
const span = fc.record({
  traceId: id(16),
  spanId: id(8),
  name: text,
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes: attributes.map((given) => [...given, chat]),
  events: fc.array(
    fc.record({
      name: fc.constantFrom('gen_ai.choice', 'First Token Stream Event', 'x'),
      timeUnixNano: nanos,
      attributes,
    }),
    { maxLength: 2 },
  ),
  status: fc.constantFrom({ code: 0 }, { code: 2 }),
})
const logRecord = fc.record({
  traceId: id(16),
  spanId: id(8),
  timeUnixNano: nanos,
  observedTimeUnixNano: nanos,
  eventName: fc.constantFrom(
    'gen_ai.evaluation.result',
    'gen_ai.client.inference.operation.details',
    'other',
  ),
  attributes,
})
const resource = fc.record({ attributes })
const tracesOf = (span: unknown, resource: unknown): OtlpRequest => ({
  resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }],
})
const logsOf = (record: unknown, resource: unknown): OtlpRequest => ({
  resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }],
})

test('any request is the same events in protocol buffers and in JSON', () => {
  fc.assert(
    fc.property(span, logRecord, resource, (oneSpan, oneRecord, itsResource) => {
      const [spans, records] = [tracesOf(oneSpan, itsResource), logsOf(oneRecord, itsResource)]
      // As JSON travels.
      const json = (request: OtlpRequest): unknown => JSON.parse(JSON.stringify(request))
      expect([
        ...outcomesOfTraces(decodedProtobuf(messages.encode('traces', spans), TRACES)),
      ]).toEqual([...outcomesOfTraces(json(spans))])
      expect([...outcomesOfLogs(decodedProtobuf(messages.encode('logs', records), LOGS))]).toEqual([
        ...outcomesOfLogs(json(records)),
      ])
    }),
    { numRuns: 300, seed: 16 },
  )
})

/** The refusal of some bytes; undefined where they are read. */
function refusalOf(bytes: Uint8Array, shape = TRACES): string | undefined {
  const outcomes = shape === TRACES ? outcomesOfTraces : outcomesOfLogs
  try {
    for (const _ of outcomes(decodedProtobuf(Buffer.from(bytes), shape)));
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(Problem)
    expect((error as Problem).code).toBe('invalid_protobuf')
    return (error as Problem).message
  }
}

const REQUEST = tracesOf(
  {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: '0000000000000001',
    name: 'chat',
    startTimeUnixNano: '1767225600000000000',
    endTimeUnixNano: '1767225601500000000',
    attributes: [chat],
  },
  { attributes: [{ key: 'service.name', value: { stringValue: 'bot' } }] },
)

test('any bytes, and any change of a request, are read or refused with a sentence', () => {
  const whole = messages.encode('traces', REQUEST)
  const changed = fc
    .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
    .map((changes) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, byte] of changes) bytes[at] = byte
      return bytes
    })
  let refused = 0
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), (bytes) => {
      for (const shape of [TRACES, LOGS]) if (refusalOf(bytes, shape) !== undefined) refused++
    }),
    { numRuns: 5000, seed: 7 },
  )
  expect(refused).toBeGreaterThan(1000)
}, 120_000)

test('a request that is cut off anywhere is refused, or is whole by itself', () => {
  const whole = messages.encode('traces', REQUEST)
  expect(refusalOf(whole)).toBeUndefined()
  const kept = [...whole.keys()].filter((end) => refusalOf(whole.subarray(0, end)) === undefined)
  expect(kept).toEqual([0])
  expect(refusalOf(whole.subarray(0, -1))).toBe(
    'the body is no OTLP protobuf message: a field is longer than the message it is in',
  )
})

/** A field of a length. */
function delimited(number: number, content: Uint8Array): Buffer {
  const writer = protobuf.Writer.create()
  return Buffer.from(
    writer
      .uint32((number << 3) | 2)
      .bytes(content)
      .finish(),
  )
}

test('a message of more levels, or of more parts, than may be is refused', () => {
  const nested = (levels: number) => {
    let value: Buffer = delimited(1, Buffer.from('x'))
    for (let i = 0; i < levels; i++) value = delimited(5, delimited(1, value))
    return delimited(1, delimited(1, delimited(1, delimited(2, value))))
  }
  expect(refusalOf(nested(20))).toBeUndefined()
  for (const levels of [40, 3000])
    expect(refusalOf(nested(levels))).toBe(
      `the protobuf is nested deeper than ${PROTOBUF_BOUNDS.maxDepth}`,
    )
  const wide = Buffer.alloc(2 * PROTOBUF_BOUNDS.maxMessages)
  for (let at = 0; at < wide.length; at += 2) wide.writeUInt16BE(0x0a_00, at)
  expect(refusalOf(wide)).toBe(`the protobuf has more than ${PROTOBUF_BOUNDS.maxMessages} messages`)
})

test('groups, which OTLP has none of, and numbers without an end are refused', () => {
  expect(refusalOf(Buffer.alloc(100_000, 0x0b))).toContain('wire type 3')
  expect(refusalOf(Buffer.alloc(50, 0xff))).toContain('no OTLP protobuf message')
  expect(refusalOf(Buffer.from([0x02, 0x00]))).toContain('the number 0')
})

test('an answer and a status are those messages', () => {
  const ignored = new Map([['no_genai_operation', 2] as const])
  const refused = new Map([['model_id is required', 1]])
  const answer = exportAnswer({ refused, ignored }, 'rejectedSpans', 'span')
  expect(answer).toEqual({
    partialSuccess: {
      rejectedSpans: '1',
      errorMessage:
        '1 span refused: 1 model_id is required; 2 spans ignored as no model call: 2 without GenAI attributes',
    },
  })
  const read = messages.tracesAnswer.decode(encodedAnswer(answer, 'rejectedSpans'))
  expect(messages.tracesAnswer.toObject(read, { longs: String })).toEqual(answer)
  const silent = exportAnswer(
    { refused: new Map(), ignored: new Map() },
    'rejectedLogRecords',
    'log record',
  )
  expect(silent).toEqual({})
  expect(encodedAnswer(silent, 'rejectedLogRecords')).toHaveLength(0)
  const Status = new protobuf.Type('Status')
    .add(new protobuf.Field('code', 1, 'int32'))
    .add(new protobuf.Field('message', 2, 'string'))
  const status = statusOf(503, 'a store is away')
  expect(Status.toObject(Status.decode(encodedStatus(status)))).toEqual({
    code: 14,
    message: 'a store is away',
  })
})
