/** A policy whose candidates get their traffic step by step, and a walk through what people do about it. */
import { until } from './servers/processes.ts'

type Walk = (operation: string, request?: object) => Promise<unknown>

/** The policy, as one line of a model file; its jobs and its steps are launched at that port. */
export function steppedPolicy(port: number): string {
  const launch = `{ kind: webhook, url: "http://127.0.0.1:${port}/" }`
  return `{ name: stepped, when: 'schedule("0 0 1 1 *")', launch: ${launch}, promote: { launch: ${launch}, steps: [50, 100] } }`
}

/** A candidate that is held, let on and taken back; each asked twice, and of a run that is not there. */
export async function walkRollout(
  walk: Walk,
  runId: string,
  jobs: readonly { run_id: string; status_url: string }[],
): Promise<void> {
  const trial = { model_id: 'm', when: 'any(drift.psi, alarm)', from: '2026-01-01T00:00:00Z' }
  for (const to of ['2026-02-01T00:00:00Z', '2025-01-01T00:00:00Z'])
    await walk('POST /v1/policy-trials', { body: { ...trial, to } })
  await walk('GET /v1/models/{id}/policies', { params: { id: 'm' } })
  const { when, ...asked } = trial
  const written = { ...asked, policy: `when: ${when}`, to: '2026-02-01T00:00:00Z' }
  for (const knob of [0, 1, 9])
    await walk('POST /v1/policy-trials', { body: { ...written, turn: { knob, value: 2 } } })
  const job = () => jobs.find(({ run_id: id }) => id === runId)
  await until('its job is launched', async () => job() !== undefined)
  const token = new URL(job()!.status_url).searchParams.get('token')!
  const body = { state: 'succeeded', new_version: '8' }
  await walk('POST /v1/runs/{id}/status', { params: { id: runId }, query: { token }, body })
  for (const act of ['hold', 'go-on', 'roll-back'])
    for (const id of [runId, runId, 'no'])
      await walk(`POST /v1/runs/{id}/${act}`, {
        params: { id },
        body: { actor: 'ann', message: 'so' },
      })
}
