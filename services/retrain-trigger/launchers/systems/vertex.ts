/** Vertex AI: a pipeline job whose id is the run's, so a second one is refused as existing. */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobName, jobOf, pathOf, stateBy, textAt, type JobSystem } from './system.ts'

const STATES = {
  queued: ['PIPELINE_STATE_UNSPECIFIED', 'PIPELINE_STATE_QUEUED', 'PIPELINE_STATE_PENDING'],
  running: ['PIPELINE_STATE_RUNNING', 'PIPELINE_STATE_CANCELLING', 'PIPELINE_STATE_PAUSED'],
  succeeded: ['PIPELINE_STATE_SUCCEEDED'],
  failed: ['PIPELINE_STATE_FAILED'],
  cancelled: ['PIPELINE_STATE_CANCELLED'],
}

const jobsOf = ({ project, location }: LaunchOf<'vertex'>) =>
  `/v1${pathOf('projects', project, 'locations', location, 'pipelineJobs')}`

/** The last segment of a resource name, which is the job's own id. */
const lastOf = (name: string) => name.slice(name.lastIndexOf('/') + 1)

/** Pipeline jobs of one project and location. */
export const vertex: JobSystem<LaunchOf<'vertex'>> = {
  looksFirst: false,
  start: (settings, run) => ({
    method: 'POST',
    path: `${jobsOf(settings)}?pipelineJobId=${encodeURIComponent(jobName(run))}`,
    body: {
      displayName: jobName(run),
      templateUri: settings.template_uri,
      runtimeConfig: {
        gcsOutputDirectory: settings.output,
        parameterValues: settings.parameters ?? {},
      },
    },
  }),
  started: ({ status, body }) =>
    status === 409 && textAt(body, 'error', 'status') === 'ALREADY_EXISTS'
      ? 'exists'
      : status < 300
        ? jobOf(lastOf(textAt(body, 'name')))
        : undefined,
  find: (settings, run) => ({ method: 'GET', path: `${jobsOf(settings)}${pathOf(jobName(run))}` }),
  found: ({ status, body }) => (status < 300 ? jobOf(lastOf(textAt(body, 'name'))) : undefined),
  status: (settings, job) => ({ method: 'GET', path: `${jobsOf(settings)}${pathOf(job.id)}` }),
  statusOf: ({ body }) => {
    const state = stateBy(STATES, textAt(body, 'state'))
    return state && { state, message: textAt(body, 'error', 'message') }
  },
  cancel: (settings, job) => ({
    method: 'POST',
    path: `${jobsOf(settings)}/${encodeURIComponent(job.id)}:cancel`,
    body: {},
  }),
}
