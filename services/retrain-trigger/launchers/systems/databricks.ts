/** Databricks: an idempotency token makes a second start answer the first one's run. */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobOf, stateBy, textAt, type JobSystem } from './system.ts'

const LIFE = {
  queued: ['QUEUED', 'PENDING', 'BLOCKED', 'WAITING'],
  running: ['RUNNING', 'TERMINATING'],
  succeeded: [],
  failed: [],
  cancelled: [],
}
const RESULT = {
  queued: [],
  running: [],
  succeeded: ['SUCCESS'],
  failed: ['RUN_EXECUTION_ERROR', 'INTERNAL_ERROR', 'CLIENT_ERROR', 'CLOUD_FAILURE', 'SKIPPED'],
  cancelled: ['CANCELED', 'USER_CANCELED'],
}

/** Runs of a job, by Jobs API 2.2. */
export const databricks: JobSystem<LaunchOf<'databricks'>> = {
  looksFirst: false,
  start: ({ job_id, parameters }, run) => ({
    method: 'POST',
    path: '/api/2.2/jobs/run-now',
    body: {
      job_id,
      idempotency_token: run.run_id,
      ...(parameters && { job_parameters: parameters }),
    },
  }),
  started: ({ status, body }) => (status < 300 ? jobOf(textAt(body, 'run_id')) : undefined),
  find: undefined,
  found: () => undefined,
  status: (_, job) => ({
    method: 'GET',
    path: `/api/2.2/jobs/runs/get?run_id=${encodeURIComponent(job.id)}`,
  }),
  statusOf: ({ body }) => {
    const life = textAt(body, 'status', 'state')
    const details = textAt(body, 'status', 'termination_details', 'code')
    const state =
      life === 'TERMINATED' ? (stateBy(RESULT, details) ?? 'failed') : stateBy(LIFE, life)
    const message = textAt(body, 'status', 'termination_details', 'message')
    const url = textAt(body, 'run_page_url')
    const job = jobOf(textAt(body, 'run_id'), url)
    return state && { state, message, ...(job && { job }) }
  },
  cancel: (_, job) => ({
    method: 'POST',
    path: '/api/2.2/jobs/runs/cancel',
    body: { run_id: Number(job.id) },
  }),
}
