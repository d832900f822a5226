/** Kubernetes: a Job whose name is the run's, so a second one is refused as existing. */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobName, jobOf, listAt, member, pathOf, textAt, type JobSystem } from './system.ts'

const jobsOf = ({ namespace }: LaunchOf<'kubernetes'>) =>
  `/apis/batch/v1${pathOf('namespaces', namespace, 'jobs')}`

/** Labels take no more. */
const MAX_LABEL = 63

/** Jobs of one namespace. */
export const kubernetes: JobSystem<LaunchOf<'kubernetes'>> = {
  looksFirst: false,
  start: (settings, run) => ({
    method: 'POST',
    path: jobsOf(settings),
    body: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: jobName(run),
        labels: {
          'app.kubernetes.io/managed-by': 'plumbline',
          'plumbline/run': run.run_id.slice(0, MAX_LABEL),
        },
        annotations: { 'plumbline/model': run.model_id, 'plumbline/reason': run.reason },
      },
      spec: settings.spec,
    },
  }),
  started: ({ status, body }) =>
    status === 409 && textAt(body, 'reason') === 'AlreadyExists'
      ? 'exists'
      : status < 300
        ? jobOf(textAt(body, 'metadata', 'name'))
        : undefined,
  find: (settings, run) => ({ method: 'GET', path: `${jobsOf(settings)}${pathOf(jobName(run))}` }),
  found: ({ status, body }) => (status < 300 ? jobOf(textAt(body, 'metadata', 'name')) : undefined),
  status: (settings, job) => ({ method: 'GET', path: `${jobsOf(settings)}${pathOf(job.id)}` }),
  statusOf: ({ body }) => {
    if (member(body, 'kind') !== 'Job') return undefined
    const ended = listAt(body, 'status', 'conditions').find(
      (condition) =>
        textAt(condition, 'status') === 'True' &&
        ['Complete', 'Failed'].includes(textAt(condition, 'type')),
    )
    if (ended === undefined)
      return { state: Number(member(body, 'status', 'active') ?? 0) > 0 ? 'running' : 'queued' }
    return textAt(ended, 'type') === 'Complete'
      ? { state: 'succeeded' }
      : { state: 'failed', message: textAt(ended, 'message') }
  },
  cancel: (settings, job) => ({
    method: 'DELETE',
    path: `${jobsOf(settings)}${pathOf(job.id)}`,
    body: { propagationPolicy: 'Background' },
  }),
}
