/**
 * The HTTP door beside a bare Fastify handler with the same schema; ours answers once Kafka has
 * acknowledged.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from 'simple-statistics'
import { freePort, startKafka } from '../../deploy/local/kafka.ts'
import { benchEvent } from '../ingest/events.ts'
import type { Result } from '../result.ts'

const CONNECTIONS = 64
const SECONDS = 4
const WARM_UP_SECONDS = 2

export async function benchGateway(rounds: number): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-bench-'))
  const kafka = await startKafka({ directory: join(directory, 'kafka') })
  const servers = {
    bare: await startServer('bare', kafka.brokers),
    plumbline: await startServer('plumbline', kafka.brokers),
  }
  try {
    const results: Result[] = []
    for (const size of [1, 100]) {
      const rates: Record<string, number[]> = { bare: [], plumbline: [] }
      for (const server of Object.values(servers))
        await eventsPerSecond(server.port, size, WARM_UP_SECONDS)
      for (let round = 0; round < rounds; round++) {
        for (const [name, server] of Object.entries(servers))
          rates[name]!.push(await eventsPerSecond(server.port, size, SECONDS))
      }
      const [bare, ours] = [median(rates['bare']!), median(rates['plumbline']!)]
      const of = size === 1 ? 'single events' : `batches of ${size}`
      const settings = { connections: CONNECTIONS, seconds: SECONDS, features: 20 }
      results.push(
        {
          name: `bare Fastify handler, ${of}`,
          value: bare,
          unit: 'events/s',
          against: '',
          ratio: null,
          rounds,
          settings,
        },
        {
          name: `gateway, ${of}, acknowledged by Kafka`,
          value: ours,
          unit: 'events/s',
          against: 'the bare handler',
          ratio: ours / bare,
          rounds,
          settings,
        },
      )
    }
    return results
  } finally {
    for (const server of Object.values(servers)) server.child.kill('SIGKILL')
    await kafka.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function startServer(mode: string, brokers: string) {
  const port = await freePort()
  const script = fileURLToPath(new URL('gateway-server.ts', import.meta.url))
  const child = spawn(process.execPath, [script, mode, String(port), brokers], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const ready = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(benchEvent(0)),
    }).catch(() => undefined)
    return response?.ok === true
  }
  for (let i = 0; !(await ready()); i++) {
    if (i > 100) throw new Error(`the ${mode} server did not become ready`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return { port, child }
}

let sequence = 1

function nextRequest(size: number): Buffer {
  const events = Array.from({ length: size }, () => benchEvent(sequence++))
  const body = JSON.stringify(size === 1 ? events[0] : events)
  return Buffer.from(
    `POST /v1/predictions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

/**
 * Each connection sends its next request when the answer to the last one is there; requests are
 * made beforehand.
 */
async function eventsPerSecond(port: number, size: number, seconds: number): Promise<number> {
  const requests = Array.from({ length: 256 }, () => nextRequest(size))
  let answered = 0
  let next = 0
  const end = performance.now() + seconds * 1000
  await Promise.all(
    Array.from(
      { length: CONNECTIONS },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connect(port, '127.0.0.1')
          const send = () => socket.write(requests[next++ % requests.length]!)
          let text = ''
          socket.on('error', reject)
          socket.on('data', (chunk: Buffer) => {
            text += chunk.toString('latin1')
            const head = text.indexOf('\r\n\r\n')
            if (head === -1) return
            const length = Number(/content-length: (\d+)/i.exec(text)?.[1])
            if (text.length < head + 4 + length) return
            if (!text.startsWith('HTTP/1.1 200')) return reject(new Error(text.slice(0, 300)))
            text = ''
            answered++
            if (performance.now() < end) send()
            else {
              socket.destroy()
              resolve()
            }
          })
          send()
        }),
    ),
  )
  return (answered * size) / seconds
}
