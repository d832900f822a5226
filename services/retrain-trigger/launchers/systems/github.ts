/**
 * GitHub Actions: no idempotency key, so a run is looked up by its title, which the workflow must
 * make of the input `plumbline_run_id` (`run-name: Retraining ${{ inputs.plumbline_run_id }}`).
 */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobOf, listAt, pathOf, textAt, type JobState, type JobSystem } from './system.ts'

const repository = (settings: Pick<LaunchOf<'github'>, 'repository'>, ...rest: readonly string[]) =>
  `/repos${pathOf(...settings.repository.split('/'), 'actions', ...rest)}`

const RUNS_LOOKED_AT = 100

function stateOf(status: string, conclusion: string): JobState | undefined {
  if (['queued', 'requested', 'waiting', 'pending'].includes(status)) return 'queued'
  if (status === 'in_progress') return 'running'
  if (status !== 'completed') return undefined
  return conclusion === 'success'
    ? 'succeeded'
    : conclusion === 'cancelled'
      ? 'cancelled'
      : 'failed'
}

/** Runs of a workflow with `workflow_dispatch`. */
export const github: JobSystem<LaunchOf<'github'>> = {
  looksFirst: true,
  start: (settings, run) => ({
    method: 'POST',
    path: repository(settings, 'workflows', settings.workflow, 'dispatches'),
    body: {
      ref: settings.ref,
      inputs: { ...settings.inputs, plumbline_run_id: run.run_id },
      return_run_details: true,
    },
  }),
  // Servers that do not tell the run answer 204: it is looked up by its title.
  started: ({ status, body }) =>
    status === 204
      ? 'exists'
      : status < 300
        ? (jobOf(textAt(body, 'workflow_run_id'), textAt(body, 'html_url')) ?? 'exists')
        : undefined,
  find: (settings) => ({
    method: 'GET',
    path: `${repository(settings, 'workflows', settings.workflow, 'runs')}?event=workflow_dispatch&per_page=${RUNS_LOOKED_AT}`,
  }),
  found: ({ body }, _, run) => {
    const ours = listAt(body, 'workflow_runs').find((one) =>
      textAt(one, 'display_title').includes(run.run_id),
    )
    return jobOf(textAt(ours, 'id'), textAt(ours, 'html_url'))
  },
  status: (settings, job) => ({ method: 'GET', path: repository(settings, 'runs', job.id) }),
  statusOf: ({ body }) => {
    const conclusion = textAt(body, 'conclusion')
    const state = stateOf(textAt(body, 'status'), conclusion)
    return state && { state, ...(conclusion && { message: `the workflow run: ${conclusion}` }) }
  },
  cancel: (settings, job) => ({
    method: 'POST',
    path: repository(settings, 'runs', job.id, 'cancel'),
  }),
}
