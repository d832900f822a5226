/** Prefect 3: a flow run has an idempotency key, so a second start answers the first one's id. */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobName, jobOf, pathOf, stateBy, textAt, type JobSystem } from './system.ts'

const STATES = {
  queued: ['SCHEDULED', 'PENDING', 'PAUSED'],
  running: ['RUNNING', 'CANCELLING'],
  succeeded: ['COMPLETED'],
  failed: ['FAILED', 'CRASHED'],
  cancelled: ['CANCELLED'],
}

/** Flow runs of a deployment. */
export const prefect: JobSystem<LaunchOf<'prefect'>> = {
  looksFirst: false,
  start: ({ deployment, parameters }, run) => ({
    method: 'POST',
    path: `/api${pathOf('deployments', deployment, 'create_flow_run')}`,
    body: {
      idempotency_key: run.run_id,
      name: jobName(run),
      tags: ['plumbline', run.model_id],
      ...(parameters && { parameters }),
    },
  }),
  // 409 is a parameter that the flow refuses, and no run that is there already.
  started: ({ status, body }) => (status < 300 ? jobOf(textAt(body, 'id')) : undefined),
  find: undefined,
  found: () => undefined,
  status: (_, job) => ({ method: 'GET', path: `/api${pathOf('flow_runs', job.id)}` }),
  statusOf: ({ body }) => {
    const state = stateBy(STATES, textAt(body, 'state_type'))
    return state && { state, message: textAt(body, 'state', 'message') }
  },
  cancel: (_, job) => ({
    method: 'POST',
    path: `/api${pathOf('flow_runs', job.id, 'set_state')}`,
    body: { state: { type: 'CANCELLING', message: 'cancelled by Plumbline' } },
  }),
}
