/** Apache Airflow: a run is a DAG run whose id is the run's, so a second start meets the first. */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobName, jobOf, pathOf, stateBy, textAt, type JobSystem } from './system.ts'

const STATES = {
  queued: ['queued', 'scheduled'],
  running: ['running'],
  succeeded: ['success'],
  failed: ['failed'],
  cancelled: [],
}

const MAX_NOTE = 1000

const runsOf = ({ api = 'v2', dag }: LaunchOf<'airflow'>) =>
  `/api/${api}${pathOf('dags', dag, 'dagRuns')}`

/** DAG runs of Airflow 3 and, with `api: v1`, of Airflow 2. */
export const airflow: JobSystem<LaunchOf<'airflow'>> = {
  looksFirst: false,
  start: (settings, run) => ({
    method: 'POST',
    path: runsOf(settings),
    body: {
      dag_run_id: jobName(run),
      // Airflow 3 refuses a start without it.
      logical_date: settings.api === 'v1' ? run.created_at : null,
      conf: { ...settings.conf, plumbline: run },
      note: run.reason.slice(0, MAX_NOTE),
    },
  }),
  // 409 is the answer to any constraint: whether the run is ours is asked by its id.
  started: ({ status, body }) =>
    status === 409 ? 'exists' : status < 300 ? jobOf(textAt(body, 'dag_run_id')) : undefined,
  find: (settings, run) => ({ method: 'GET', path: `${runsOf(settings)}${pathOf(jobName(run))}` }),
  found: ({ status, body }) => (status < 300 ? jobOf(textAt(body, 'dag_run_id')) : undefined),
  status: (settings, job) => ({ method: 'GET', path: `${runsOf(settings)}${pathOf(job.id)}` }),
  statusOf: ({ body }) => {
    const state = stateBy(STATES, textAt(body, 'state'))
    return state && { state, message: `the DAG run is ${textAt(body, 'state')}` }
  },
  // A DAG run has no cancel: to set it failed ends its tasks.
  cancel: (settings, job) => ({
    method: 'PATCH',
    path: `${runsOf(settings)}${pathOf(job.id)}`,
    body: { state: 'failed' },
  }),
}
