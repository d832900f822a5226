/** What a registry's answer means: a schema, that there is none, or nothing at all. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { MAX_SCHEMA_BYTES, RegistryAway, schemaRegistry } from './schema-registry.ts'
import { isStoreFault } from '../../runtime/store-faults.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

async function answering(listener: RequestListener) {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return schemaRegistry(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

const answer = (status: number, body: string) =>
  answering((_request, response) => response.writeHead(status).end(body))

test('a schema with its type and references', async () => {
  const plain = await answer(200, '{"schema":"\\"int\\""}')
  expect(await plain.byId(7)).toEqual({ schema: '"int"', type: 'AVRO', references: 0 })
  server.close()
  const other = await answer(
    200,
    '{"schema":"x","schemaType":"PROTOBUF","references":[{"name":"a"},{"name":"b"}]}',
  )
  expect(await other.byId(7)).toEqual({ schema: 'x', type: 'PROTOBUF', references: 2 })
})

test.each(['{"error_code":40403,"message":"Schema 7 not found"}', '', '{}'])(
  'a 404 that says %j: there is no such schema',
  async (body) => {
    expect(await (await answer(404, body)).byId(7)).toBeUndefined()
  },
)

test.each([
  [500, ''],
  [502, '<html>Bad Gateway</html>'],
  [503, '{"error_code":50302}'],
  [401, ''],
  [429, ''],
  [404, '<html>default backend</html>'],
  [200, '<html>please log in</html>'],
  [200, '[]'],
  [200, '{"schema":7}'],
  [200, 'null'],
])('an answer %i of %j says nothing of a schema', async (status, body) => {
  const fault = await (await answer(status, body)).byId(7).catch((error: unknown) => error)
  expect(fault).toBeInstanceOf(RegistryAway)
  expect(isStoreFault(fault)).toBe(true)
})

test('an answer that breaks off, and a registry that is not there', async () => {
  const registry = await answering((_request, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('{"schema":', () => response.destroy())
  })
  await expect(registry.byId(7)).rejects.toThrow('broke off its answer')
  server.close()
  server.closeAllConnections()
  const fault = await registry.byId(7).catch((error: unknown) => error)
  expect(String(fault)).toContain('cannot be reached')
  expect(isStoreFault(fault)).toBe(true)
})

test('an answer without an end is not read to it', async () => {
  const chunk = Buffer.alloc(65_536, 'x')
  let sent = 0
  const registry = await answering((_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length
    }
    response.on('drain', more).writeHead(200)
    more()
  })
  expect(await registry.byId(7)).toBe('too_large')
  expect(sent).toBeLessThan(64 * MAX_SCHEMA_BYTES)
})
