/** A walk through approvals in another's stead, and by a link. */
import { until } from './servers/processes.ts'

type Walk = (operation: string, request?: object) => Promise<unknown>

/** Runs that await approval: one is approved for somebody, one by the link that was sent. */
export async function walkApprovals(
  walk: Walk,
  asked: () => Promise<{ run_id: string }>,
  sent: readonly object[],
): Promise<void> {
  const span = { until: new Date(Date.now() + 86_400_000).toISOString(), reason: 'away' }
  const body = { actor: 'eve', to: 'ida', ...span }
  const { delegation_id: id } = (await walk('POST /v1/delegations', { body })) as {
    delegation_id: string
  }
  for (const wrong of [
    { ...body, actor: 'ida', to: 'zoe' },
    { ...body, until: 'soon' },
  ])
    await walk('POST /v1/delegations', { body: wrong })
  await walk('GET /v1/delegations')
  const { run_id } = await asked()
  for (const run of [run_id, run_id, 'no'])
    await walk('POST /v1/runs/{id}/approve-for', {
      params: { id: run },
      body: { actor: 'ida', for: 'eve', message: 'seen' },
    })
  for (const known of [id, id, 'no'])
    await walk('POST /v1/delegations/{id}/revoke', {
      params: { id: known },
      body: { actor: 'eve', message: 'back' },
    })
  const pages = () => (sent as { page?: string }[]).map(({ page = '' }) => page)
  const own = () => pages().find((page) => page.includes(`?run=${run_id}#`))
  await until('a link is sent', async () => own() !== undefined, 60_000)
  const link = { run_id, token: new URL(own()!).hash.slice(1) }
  await walk('POST /v1/approval-links/open', { body: link })
  for (const token of [link.token, link.token, 'forged.'])
    await walk('POST /v1/approval-links/use', {
      body: { ...link, token, act: 'approve', message: 'so' },
    })
}
