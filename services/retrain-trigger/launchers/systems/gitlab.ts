/**
 * GitLab: no idempotency key, so a pipeline is looked up by its name, which the project's
 * configuration must make of a variable (`workflow: { name: 'Retraining $PLUMBLINE_RUN_ID' }`).
 */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobOf, listAt, pathOf, stateBy, textAt, type JobSystem } from './system.ts'

const project = (settings: Pick<LaunchOf<'gitlab'>, 'project'>, ...rest: readonly string[]) =>
  `/api/v4${pathOf('projects', settings.project, ...rest)}`

const PIPELINES_LOOKED_AT = 100

const STATES = {
  queued: ['created', 'waiting_for_resource', 'preparing', 'pending', 'scheduled', 'manual'],
  running: ['running', 'canceling'],
  succeeded: ['success'],
  failed: ['failed', 'skipped'],
  cancelled: ['canceled'],
}

/** Pipelines of a project. */
export const gitlab: JobSystem<LaunchOf<'gitlab'>> = {
  looksFirst: true,
  start: (settings, run) => ({
    method: 'POST',
    path: project(settings, 'pipeline'),
    body: {
      ref: settings.ref,
      variables: Object.entries({ ...settings.variables, PLUMBLINE_RUN_ID: run.run_id }).map(
        ([key, value]) => ({ key, value }),
      ),
    },
  }),
  started: ({ status, body }) =>
    status < 300 ? jobOf(textAt(body, 'id'), textAt(body, 'web_url')) : undefined,
  find: (settings) => ({
    method: 'GET',
    path: `${project(settings, 'pipelines')}?source=api&per_page=${PIPELINES_LOOKED_AT}`,
  }),
  found: ({ body }, _, run) => {
    const ours = listAt(body).find((one) => textAt(one, 'name').includes(run.run_id))
    return jobOf(textAt(ours, 'id'), textAt(ours, 'web_url'))
  },
  status: (settings, job) => ({ method: 'GET', path: project(settings, 'pipelines', job.id) }),
  statusOf: ({ body }) => {
    const word = textAt(body, 'status')
    const state = stateBy(STATES, word)
    return state && { state, message: textAt(body, 'yaml_errors') || `the pipeline: ${word}` }
  },
  cancel: (settings, job) => ({
    method: 'POST',
    path: project(settings, 'pipelines', job.id, 'cancel'),
  }),
}
