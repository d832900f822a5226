/**
 * Jenkins: a start answers a place in the queue, and the build has a number of its own later; no
 * idempotency key, so builds are looked up by the parameter `PLUMBLINE_RUN_ID`.
 */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import {
  jobOf,
  listAt,
  member,
  pathOf,
  textAt,
  type Job,
  type JobState,
  type JobSystem,
} from './system.ts'

const PARAMETER = 'PLUMBLINE_RUN_ID'

const jobPath = ({ job }: LaunchOf<'jenkins'>) =>
  pathOf(...job.split('/').flatMap((part) => ['job', part]))

const ACTIONS = 'actions[parameters[name,value]]'
const BUILDS_LOOKED_AT = 50

const hasRun = (build: unknown, runId: string) =>
  listAt(build, 'actions').some((action) =>
    listAt(action, 'parameters').some(
      (parameter) =>
        textAt(parameter, 'name') === PARAMETER && textAt(parameter, 'value') === runId,
    ),
  )

/** `build/7` or `queue/12`: which of the two a number is. */
const numbered = (kind: 'build' | 'queue', number: string, url: string): Job | undefined =>
  number === '' ? undefined : jobOf(`${kind}/${number}`, url)

const ENDS: Readonly<Record<string, JobState>> = { SUCCESS: 'succeeded', ABORTED: 'cancelled' }

const pathOfJob = (settings: LaunchOf<'jenkins'>, { id }: Job) => {
  const [, kind = '', number = ''] = /^(build|queue)\/(\d+)$/.exec(id) ?? []
  return kind === 'queue'
    ? pathOf('queue', 'item', number)
    : `${jobPath(settings)}${pathOf(number)}`
}

/** Builds of a job with parameters. */
export const jenkins: JobSystem<LaunchOf<'jenkins'>> = {
  looksFirst: true,
  start: (settings, run) => {
    const query = new URLSearchParams({ ...settings.parameters, [PARAMETER]: run.run_id })
    return { method: 'POST', path: `${jobPath(settings)}/buildWithParameters?${query.toString()}` }
  },
  started: ({ status, location }) =>
    status < 300
      ? (numbered('queue', /\/queue\/item\/(\d+)/.exec(location)?.[1] ?? '', '') ?? 'exists')
      : undefined,
  find: (settings) => ({
    method: 'GET',
    path: `${jobPath(settings)}/api/json?tree=${encodeURIComponent(`queueItem[id,${ACTIONS}],builds[number,url,${ACTIONS}]{0,${BUILDS_LOOKED_AT}}`)}`,
  }),
  found: ({ body }, _, run) => {
    const waiting = member(body, 'queueItem')
    if (hasRun(waiting, run.run_id)) return numbered('queue', textAt(waiting, 'id'), '')
    const build = listAt(body, 'builds').find((one) => hasRun(one, run.run_id))
    return numbered('build', textAt(build, 'number'), textAt(build, 'url'))
  },
  status: (settings, job) => ({ method: 'GET', path: `${pathOfJob(settings, job)}/api/json` }),
  statusOf: ({ body }) => {
    const build = numbered(
      'build',
      textAt(body, 'executable', 'number'),
      textAt(body, 'executable', 'url'),
    )
    if (build) return { state: 'running', job: build }
    const isQueued = textAt(body, '_class').includes('Queue')
    if (isQueued) return { state: 'queued', message: textAt(body, 'why') }
    const result = textAt(body, 'result')
    if (result !== '') return { state: ENDS[result] ?? 'failed', message: `the build: ${result}` }
    return textAt(body, 'number') === '' ? undefined : { state: 'running' }
  },
  cancel: (settings, job) =>
    job.id.startsWith('queue/')
      ? { method: 'POST', path: `/queue/cancelItem?id=${encodeURIComponent(job.id.slice(6))}` }
      : { method: 'POST', path: `${pathOfJob(settings, job)}/stop` },
}
