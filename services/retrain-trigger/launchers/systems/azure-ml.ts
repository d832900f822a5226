/** Azure Machine Learning: a job is put under the run's name, so a second start is the same one. */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobName, jobOf, stateBy, textAt, type JobSystem } from './system.ts'

const STATES = {
  queued: ['NotStarted', 'Starting', 'Provisioning', 'Preparing', 'Queued', 'Scheduled'],
  running: ['Running', 'Finalizing', 'CancelRequested', 'NotResponding', 'Paused'],
  succeeded: ['Completed'],
  failed: ['Failed'],
  cancelled: ['Canceled'],
}

const VERSION = 'api-version=2024-10-01'

const jobPath = ({ workspace }: LaunchOf<'azure_ml'>, name: string, action = '') =>
  `/${workspace
    .split('/')
    .filter((part) => part !== '')
    .map(encodeURIComponent)
    .join('/')}/jobs/${encodeURIComponent(name)}${action}?${VERSION}`

/** Jobs of one workspace. */
export const azureMl: JobSystem<LaunchOf<'azure_ml'>> = {
  looksFirst: true,
  start: (settings, run) => ({
    method: 'PUT',
    path: jobPath(settings, jobName(run)),
    body: { properties: settings.properties },
  }),
  started: ({ status, body }) => (status < 300 ? jobOf(textAt(body, 'name')) : undefined),
  find: (settings, run) => ({ method: 'GET', path: jobPath(settings, jobName(run)) }),
  found: ({ status, body }) => (status < 300 ? jobOf(textAt(body, 'name')) : undefined),
  status: (settings, job) => ({ method: 'GET', path: jobPath(settings, job.id) }),
  statusOf: ({ body }) => {
    const state = stateBy(STATES, textAt(body, 'properties', 'status'))
    return state && { state }
  },
  cancel: (settings, job) => ({
    method: 'POST',
    path: jobPath(settings, job.id, '/cancel'),
    body: {},
  }),
}
