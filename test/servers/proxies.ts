/**
 * Proxies that fail on purpose, on loopback: what a network does to a reply, a registry or a
 * broker.
 */
import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface TcpProxy {
  port: number
  /** Ends every connection and refuses new ones, until `restore`. */
  cut: () => void
  restore: () => void
  close: () => void
}

export async function tcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return void client.destroy()
    const upstream = connect(targetPort, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    restore: () => (isCut = false),
    close: () => {
      cut()
      server.close()
    },
  }
}

/**
 * What happens to a request: `lost` runs it and loses the reply, `inside` runs it and answers 200
 * with an exception.
 */
export type Fate = 'ok' | 'reset' | 'hang' | 'unavailable' | 'lost' | 'inside' | 'inside unrun'

export interface HttpProxy {
  url: string
  /** Decides over each request by its query. */
  fate: (decide: (query: string) => Fate) => void
  close: () => void
}

const EXCEPTION =
  'Code: 241. DB::Exception: (total) memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)\n'

export async function httpProxy(target: string): Promise<HttpProxy> {
  let decide: (query: string) => Fate = () => 'ok'
  const server = createHttpServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', () => {})
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const url = new URL(incoming.url ?? '/', target)
      const query = url.searchParams.get('query') ?? body.toString('utf8', 0, 2000)
      const fate = decide(query)
      if (fate === 'reset') return void outgoing.destroy()
      if (fate === 'hang') return
      if (fate === 'unavailable') return void outgoing.writeHead(503).end('starting')
      if (fate === 'inside unrun') return void outgoing.writeHead(200).end(EXCEPTION)
      const forwarded = httpRequest(
        url,
        { method: incoming.method!, headers: { ...incoming.headers, host: url.host } },
        (reply) => {
          const parts: Buffer[] = []
          reply.on('data', (part: Buffer) => parts.push(part))
          reply.on('end', () => {
            if (fate === 'lost') return void outgoing.destroy()
            if (fate === 'inside') return void outgoing.writeHead(200).end(EXCEPTION)
            outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
            outgoing.end(Buffer.concat(parts))
          })
        },
      )
      forwarded.on('error', () => outgoing.destroy())
      forwarded.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fate: (next) => (decide = next),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
