import { createRequire } from 'node:module'
import net from 'node:net'
import { once } from 'node:events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { responseReader, responseSocket } from './responses.ts'

interface Response {
  correlationId: number
  payload: Buffer
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

test('responses come whole and in order, however much of them a read brings', () => {
  fc.assert(
    fc.property(
      fc.array(response, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (sent, reads) => {
        const whole: Buffer[] = []
        const { room, came } = responseReader(
          (one) => whole.push(one),
          (error) => expect.fail(error.message),
        )
        const bytes = Buffer.concat(sent.map(asSent))
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const read = bytes.copy(room(), 0, at, at + reads[i % reads.length]!)
          at += read
          came(read)
        }
        expect(whole).toEqual(sent.map(asSent))
      },
    ),
  )
})

test.each([
  ['HTTP', Buffer.from('HTTP')],
  ['a negative size', Buffer.from([255, 255, 255, 255])],
  ['a response without a byte', Buffer.alloc(4)],
])('%s is refused', (_, bytes) => {
  const refused: string[] = []
  const { room, came } = responseReader(
    () => expect.fail('this was no response'),
    (error) => refused.push(error.message),
  )
  came(bytes.copy(room()))
  expect(refused[0]).toMatch(/this is no Kafka broker/)
})

test('what had come of a response when its connection was lost is forgotten', async () => {
  const lost = asSent({ correlationId: 1, payload: Buffer.alloc(100_000, 1) })
  const next = { correlationId: 2, payload: Buffer.alloc(200_000, 2) }
  let connections = 0
  const server = net.createServer((socket) => {
    if (connections++ === 0) socket.end(lost.subarray(0, 70_000))
    else socket.write(asSent(next))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  // kafkajs' own connection, of which each client keeps the same one however often it connects.
  const Connection = createRequire(import.meta.url)('kafkajs/src/network/connection') as {
    prototype: object
  }
  const came = Promise.withResolvers<Response>()
  const connection = Object.assign(
    Object.create(Connection.prototype) as { processData: (chunk: Buffer) => void },
    {
      authHandlers: null,
      chunks: [],
      bytesBuffered: 0,
      bytesNeeded: 4,
      requestQueue: { fulfillRequest: came.resolve },
      socket: undefined as net.Socket | undefined,
    },
  )
  const connect = () => {
    const socket = responseSocket({
      host: '127.0.0.1',
      port,
      ssl: undefined as never,
      onConnect: () => {},
    }) as net.Socket
    connection.socket = socket
    return socket.on('data', (chunk: Buffer) => connection.processData(chunk))
  }
  await once(connect(), 'close')
  const second = connect()
  expect(await came.promise).toMatchObject(next)
  second.destroy()
  server.close()
})
