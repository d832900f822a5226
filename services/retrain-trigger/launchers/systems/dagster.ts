/** Dagster: GraphQL, whose errors come with status 200 as a `__typename`; no idempotency key. */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobOf, listAt, stateBy, textAt, type JobSystem } from './system.ts'

const TAG = 'plumbline/run_id'

const STATES = {
  queued: ['QUEUED', 'NOT_STARTED', 'STARTING', 'MANAGED'],
  running: ['STARTED', 'CANCELING'],
  succeeded: ['SUCCESS'],
  failed: ['FAILURE'],
  cancelled: ['CANCELED'],
}

const START = `mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on PipelineNotFoundError { message } ... on RunConfigValidationInvalid { errors { message } } } }`
const FIND = `query Find($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 1) {
  __typename ... on Runs { results { runId } } } }`
const STATUS = `query Status($id: ID!) { runOrError(runId: $id) { __typename ... on Run { status } } }`
const CANCEL = `mutation Cancel($id: String!) { terminateRun(runId: $id) { __typename } }`

const graphql = (query: string, variables: object) => ({
  method: 'POST' as const,
  path: '/graphql',
  body: { query, variables },
})

/** Runs of a job, found again by a tag. */
export const dagster: JobSystem<LaunchOf<'dagster'>> = {
  looksFirst: true,
  start: ({ job, location, repository = '__repository__', run_config = {} }, run) =>
    graphql(START, {
      params: {
        selector: {
          repositoryLocationName: location,
          repositoryName: repository,
          jobName: job,
        },
        runConfigData: run_config,
        executionMetadata: { tags: [{ key: TAG, value: run.run_id }] },
      },
    }),
  started: ({ body }) => jobOf(textAt(body, 'data', 'launchRun', 'run', 'runId')),
  refusal: ({ body }) =>
    textAt(body, 'data', 'launchRun', 'message') ||
    textAt(body, 'data', 'launchRun', 'errors', 0, 'message') ||
    textAt(body, 'errors', 0, 'message') ||
    textAt(body, 'data', 'launchRun', '__typename'),
  find: (_, run) => graphql(FIND, { filter: { tags: [{ key: TAG, value: run.run_id }] } }),
  found: ({ body }) => jobOf(textAt(listAt(body, 'data', 'runsOrError', 'results')[0], 'runId')),
  status: (_, job) => graphql(STATUS, { id: job.id }),
  statusOf: ({ body }) => {
    const state = stateBy(STATES, textAt(body, 'data', 'runOrError', 'status'))
    return state && { state }
  },
  cancel: (_, job) => graphql(CANCEL, { id: job.id }),
}
