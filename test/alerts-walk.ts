/** A file of alerts with one receiver, and a walk through the routes that tell of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './servers/processes.ts'

/** Writes the file, and returns its path. */
export function alertsFile(directory: string, port: number): string {
  const path = join(directory, 'alerts.yaml')
  const receiver = `{ name: hook, kind: webhook, url: "http://127.0.0.1:${port}/alerts" }`
  writeFileSync(path, `receivers: [${receiver}]\ndefault: { receivers: [hook] }\n`)
  return path
}

/** A test that is delivered, and what is refused. */
export async function walkAlertsOut(
  walk: (operation: string, request?: object) => Promise<unknown>,
): Promise<void> {
  const { deliveries } = (await walk('POST /v1/alerts/test', { body: { receiver: 'hook' } })) as {
    deliveries: { delivery_id: string }[]
  }
  for (const asked of [{ receiver: 'none' }, { model_id: 'm' }, {}])
    await walk('POST /v1/alerts/test', { body: asked })
  const query = { delivery_id: deliveries[0]!.delivery_id }
  await until('the test is delivered', async () => {
    const answer = await walk('GET /v1/alerts/deliveries', { query })
    return (answer as { deliveries: { state: string }[] }).deliveries[0]!.state === 'delivered'
  })
  await walk('GET /v1/alerts/receivers')
}
