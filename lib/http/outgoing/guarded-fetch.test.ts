import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { messageOf } from '../../runtime/errors.ts'
import { parseAllowed } from './address-rules.ts'
import { AddressRefused, guardedFetch, type LookUp } from './guarded-fetch.ts'

async function server(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: { url: string; body: string; headers: IncomingMessage['headers'] }[] = []
  const http = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      seen.push({ url: request.url!, body, headers: request.headers })
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  return { port: (http.address() as AddressInfo).port, seen }
}

const post = { method: 'POST', headers: { 'x-own': 'a', host: 'evil' }, body: '{"ü":1}' }
const never = () => new AbortController().signal

test('a request to an address that is allowed is sent and answered', async () => {
  const { port, seen } = await server((_, response) =>
    response.writeHead(503, 'Was\u00fc', { 'retry-after': '7' }).end('later'),
  )
  const send = guardedFetch(parseAllowed('loopback'))
  const answer = await send(`http://127.0.0.1:${port}/a?b=c`, { ...post, signal: never() })
  expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([
    ...[503, '7', 'later'],
  ])
  expect(seen).toMatchObject([{ url: '/a?b=c', body: '{"ü":1}', headers: { 'x-own': 'a' } }])
  expect(seen[0]!.headers.host).toBe(`127.0.0.1:${port}`)
})

test('no connection is made to what is not allowed, whatever it is called', async () => {
  const { port, seen } = await server((_, response) => response.end())
  const send = guardedFetch(parseAllowed(''))
  // A decimal address, one in hexadecimal and one within IPv6 are the same.
  for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', 'localhost'])
    await expect(
      send(`http://${host}:${port}/`, { ...post, signal: never() }),
      host,
    ).rejects.toThrow(AddressRefused)
  await expect(send('file:///etc/passwd', { ...post, signal: never() })).rejects.toThrow('neither')
  expect(seen).toEqual([])
})

test('the address that was judged is the one that is connected to, however a name changes', async () => {
  const { port, seen } = await server((_, response) => response.end('here'))
  let asked = 0
  // The name is public at first, then loopback: a second look-up would lead to the server.
  const rebound: LookUp = (_, done) =>
    done(null, [{ address: asked++ === 0 ? '192.0.2.1' : '127.0.0.1', family: 4 }])
  const closed = guardedFetch(parseAllowed('192.0.2.1'), rebound)
  const soon = AbortSignal.timeout(50)
  await expect(closed(`http://name.test:${port}/`, { ...post, signal: soon })).rejects.toThrow()
  expect([asked, seen.length]).toEqual([1, 0])
  const mixed: LookUp = (_, done) =>
    done(null, [
      { address: '169.254.169.254', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])
  const open = guardedFetch(parseAllowed('loopback'), mixed)
  const answer = await open(`http://name.test:${port}/`, { ...post, signal: never() })
  expect(await answer.text()).toBe('here')
})

test('redirects are answers, and a timeout is told', async () => {
  const { port } = await server(({ url }, response) => {
    if (url === '/away') response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
    else if (url === '/empty') response.writeHead(204).end()
  })
  const send = guardedFetch(parseAllowed('loopback'))
  const of = (path: string, signal = never()) =>
    send(`http://127.0.0.1:${port}${path}`, { ...post, signal })
  expect((await of('/away')).status).toBe(302)
  expect((await of('/empty')).body).toBeNull()
  const told = await of('/hangs', AbortSignal.timeout(50)).catch(messageOf)
  expect(told).toContain('timeout')
})
