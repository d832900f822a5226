/**
 * Sends a test message, and waits until it is known what became of it:
 *
 *     npm run alerts -- test --receiver NAME
 *     npm run alerts -- test --model ID [--severity warning|alarm] [--kind KIND]
 *
 * The second form tells those that an alert of the model goes to. The service at PLUMBLINE_URL
 * (http://127.0.0.1:8080) sends, with the key of PLUMBLINE_KEY where keys are set. Ends with 1 where
 * a message was not delivered.
 */
import { parseArgs } from 'node:util'
import { sleep } from '../lib/runtime/clock.ts'
import { messageOf } from '../lib/runtime/errors.ts'
import type { DeliveriesAnswer } from '../schemas/http/alerts/alerts-out.ts'
import { ask } from './ask-service.ts'

const USAGE =
  'usage: npm run alerts -- test --receiver NAME | test --model ID [--severity warning|alarm] [--kind KIND]'
/** How long an answer is waited for; what is tried again goes on after that. */
const PATIENCE_MS = 60_000

type Listed = DeliveriesAnswer['deliveries'][number]

async function ended(id: string, deadline: number): Promise<Listed | undefined> {
  for (;;) {
    const { deliveries } = await ask<DeliveriesAnswer>(`/v1/alerts/deliveries?delivery_id=${id}`)
    const [found] = deliveries
    if (found === undefined || found.state !== 'waiting' || Date.now() > deadline) return found
    await sleep(250)
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      receiver: { type: 'string' },
      model: { type: 'string' },
      severity: { type: 'string' },
      kind: { type: 'string' },
    },
  })
  const { receiver, model, severity, kind } = values
  if (positionals.join(' ') !== 'test' || (receiver === undefined) === (model === undefined)) {
    console.error(USAGE)
    return 2
  }
  const { deliveries } = await ask<{ deliveries: { delivery_id: string; receiver: string }[] }>(
    '/v1/alerts/test',
    { receiver, model_id: model, severity, kind },
  )
  const deadline = Date.now() + PATIENCE_MS
  let isDelivered = true
  for (const { delivery_id: id, receiver: name } of deliveries) {
    const { state = 'waiting', answer = '' } = (await ended(id, deadline)) ?? {}
    console.log(`${name}: ${state}${answer === '' ? '' : `: ${answer}`}`)
    isDelivered &&= state === 'delivered'
  }
  return isDelivered ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}
