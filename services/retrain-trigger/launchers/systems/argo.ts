/** Argo Workflows: a workflow whose name is the run's, so a second one is refused as existing. */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobName, jobOf, pathOf, stateBy, textAt, type JobSystem } from './system.ts'

const STATES = {
  queued: ['', 'Pending'],
  running: ['Running'],
  succeeded: ['Succeeded'],
  failed: ['Failed', 'Error'],
  cancelled: [],
}

const workflows = ({ namespace }: LaunchOf<'argo'>, ...rest: readonly string[]) =>
  `/api/v1${pathOf('workflows', namespace, ...rest)}`

/** Workflows that a WorkflowTemplate makes. */
export const argo: JobSystem<LaunchOf<'argo'>> = {
  looksFirst: false,
  start: (settings, run) => ({
    method: 'POST',
    path: workflows(settings, 'submit'),
    body: {
      resourceKind: 'WorkflowTemplate',
      resourceName: settings.template,
      submitOptions: {
        name: jobName(run),
        labels: `plumbline.run=${run.run_id}`,
        parameters: Object.entries(settings.parameters ?? {}).map(
          ([name, value]) => `${name}=${value}`,
        ),
      },
    },
  }),
  started: ({ status, body }) =>
    status === 409 ? 'exists' : status < 300 ? jobOf(textAt(body, 'metadata', 'name')) : undefined,
  find: (settings, run) => ({ method: 'GET', path: workflows(settings, jobName(run)) }),
  found: ({ status, body }) => (status < 300 ? jobOf(textAt(body, 'metadata', 'name')) : undefined),
  status: (settings, job) => ({ method: 'GET', path: workflows(settings, job.id) }),
  statusOf: ({ body }) => {
    if (textAt(body, 'metadata', 'name') === '') return undefined
    const state = stateBy(STATES, textAt(body, 'status', 'phase'))
    return state && { state, message: textAt(body, 'status', 'message') }
  },
  cancel: (settings, job) => ({
    method: 'PUT',
    path: workflows(settings, job.id, 'terminate'),
    body: { name: job.id, namespace: settings.namespace },
  }),
}
