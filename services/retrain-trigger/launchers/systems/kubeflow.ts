/** Kubeflow Pipelines v2: no idempotency key, so a run is looked up by its name before each start. */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobName, jobOf, listAt, pathOf, stateBy, textAt, type JobSystem } from './system.ts'

const STATES = {
  queued: ['RUNTIME_STATE_UNSPECIFIED', 'PENDING', 'PAUSED'],
  running: ['RUNNING', 'CANCELING'],
  succeeded: ['SUCCEEDED', 'SKIPPED'],
  failed: ['FAILED'],
  cancelled: ['CANCELED'],
}

const RUNS = '/apis/v2beta1/runs'

const filterOf = (name: string) =>
  JSON.stringify({
    predicates: [{ key: 'display_name', operation: 'EQUALS', string_value: name }],
  })

/** Runs of a pipeline. */
export const kubeflow: JobSystem<LaunchOf<'kubeflow'>> = {
  looksFirst: true,
  start: ({ pipeline_id, pipeline_version_id, experiment_id, parameters = {} }, run) => ({
    method: 'POST',
    path: RUNS,
    body: {
      display_name: jobName(run),
      description: run.reason,
      ...(experiment_id && { experiment_id }),
      pipeline_version_reference: {
        pipeline_id,
        ...(pipeline_version_id && { pipeline_version_id }),
      },
      runtime_config: { parameters },
    },
  }),
  started: ({ status, body }) => (status < 300 ? jobOf(textAt(body, 'run_id')) : undefined),
  find: (_, run) => ({
    method: 'GET',
    path: `${RUNS}?page_size=1&filter=${encodeURIComponent(filterOf(jobName(run)))}`,
  }),
  found: ({ body }, _, run) => {
    const [first] = listAt(body, 'runs')
    return textAt(first, 'display_name') === jobName(run)
      ? jobOf(textAt(first, 'run_id'))
      : undefined
  },
  status: (_, job) => ({ method: 'GET', path: `${RUNS}${pathOf(job.id)}` }),
  statusOf: ({ body }) => {
    const state = stateBy(STATES, textAt(body, 'state'))
    return state && { state, message: textAt(body, 'error', 'message') }
  },
  cancel: (_, job) => ({
    method: 'POST',
    path: `${RUNS}/${encodeURIComponent(job.id)}:terminate`,
    body: {},
  }),
}
