/** A file of alerts with one receiver, and a walk through the routes that tell of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { walkApprovals } from './approvals-walk.ts'
import { until } from './servers/processes.ts'

/** Writes the file, and returns the settings that name it, and the keys of its links. */
export function alertsSettings(directory: string, port: number): Record<string, string> {
  const path = join(directory, 'alerts.yaml')
  const receiver = `{ name: hook, kind: webhook, url: "http://127.0.0.1:${port}/alerts" }`
  writeFileSync(
    path,
    `receivers: [${receiver}]\nroutes: [{ match: { kind: [approval] }, receivers: [hook], approver: ann }]\ndefault: { receivers: [hook] }\n`,
  )
  return { PLUMBLINE_ALERTS_FILE: path, PLUMBLINE_APPROVAL_LINK_KEYS: 'k'.repeat(32) }
}

/** A test that is delivered, what is refused, and approvals of whom it was sent to. */
export async function walkAlertsOut(
  walk: (operation: string, request?: object) => Promise<unknown>,
  asked: () => Promise<{ run_id: string }>,
  sent: readonly object[],
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
  await walkApprovals(walk, asked, sent)
}
