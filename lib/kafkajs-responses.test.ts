import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixKafkajsResponses } from './kafkajs-responses.ts'

interface Connection {
  socket: { destroy: (error: Error) => void }
  processData: (chunk: Buffer) => void
}
interface Response {
  correlationId: number
  payload: Buffer
}

/** kafkajs' own connection, without a network: what it takes for a response is gathered. */
function connection() {
  fixKafkajsResponses()
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/connection') as {
    prototype: object
  }
  const responses: Response[] = []
  const refused: string[] = []
  const socket = () => ({ destroy: (error: Error) => refused.push(error.message) })
  const made = Object.assign(Object.create(prototype) as Connection, {
    authHandlers: null,
    chunks: [],
    bytesBuffered: 0,
    bytesNeeded: 4,
    requestQueue: {
      fulfillRequest: ({ correlationId, payload }: Response) =>
        responses.push({ correlationId, payload: Buffer.from(payload) }),
    },
    socket: socket(),
  })
  return {
    responses,
    refused,
    receive: (chunk: Buffer) => made.processData(chunk),
    reconnect: () => {
      made.socket = socket()
    },
  }
}

function asSent({ correlationId, payload }: Response): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + payload.length)
  head.writeInt32BE(correlationId, 4)
  return Buffer.concat([head, payload])
}

const response = fc.record({
  correlationId: fc.nat(1000),
  payload: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
})

test('responses come whole and in order, however they were cut into chunks', () => {
  fc.assert(
    fc.property(
      fc.array(response, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (sent, lengths) => {
        const { receive, responses } = connection()
        const bytes = Buffer.concat(sent.map(asSent))
        for (let at = 0, i = 0; at < bytes.length; at += lengths[i++ % lengths.length]!)
          receive(bytes.subarray(at, at + lengths[i % lengths.length]!))
        expect(responses).toEqual(sent)
      },
    ),
  )
})

test('what had come of a response when its connection was lost is forgotten', () => {
  fc.assert(
    fc.property(response, response, fc.nat(), (lost, next, cut) => {
      const { receive, reconnect, responses } = connection()
      const bytes = asSent(lost)
      receive(bytes.subarray(0, cut % bytes.length))
      reconnect()
      receive(asSent(next))
      expect(responses).toEqual([next])
    }),
  )
})

test.each([
  ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request')],
  ['a negative size', Buffer.from([255, 255, 255, 255, 0])],
  ['nothing', Buffer.alloc(8)],
])('%s in place of a response closes the connection', (_, bytes) => {
  const { receive, refused, responses } = connection()
  receive(bytes)
  expect(responses).toEqual([])
  expect(refused[0]).toMatch(/this is no Kafka broker/)
})
