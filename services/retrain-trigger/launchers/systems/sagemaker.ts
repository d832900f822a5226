/**
 * Amazon SageMaker: an execution of a pipeline. Its token makes a second start answer the first one's
 * execution; not every endpoint holds it, so an execution is looked up by its name before each start.
 */
import type { LaunchOf } from '../../../../schemas/launch-systems.ts'
import { jobName, jobOf, listAt, stateBy, textAt, type JobSystem } from './system.ts'

const STATES = {
  queued: [],
  running: ['Executing', 'Stopping'],
  succeeded: ['Succeeded'],
  failed: ['Failed'],
  cancelled: ['Stopped'],
}

/** Executions that are looked through, the newest. */
const LOOKED_AT = 100

const PASSING = ['ThrottlingException', 'RequestLimitExceeded', 'ServiceUnavailable']
/** An execution that is not there, or that has ended and cannot be stopped. */
const GONE = ['ResourceNotFound', 'ConflictException']

/** One operation of the service, by its JSON protocol: all are posted to one path. */
const operation = (name: string, body: object) =>
  ({
    method: 'POST',
    path: '/',
    headers: {
      'x-amz-target': `SageMaker.${name}`,
      'content-type': 'application/x-amz-json-1.1',
    },
    body,
  }) as const

/** Executions of a pipeline. */
export const sagemaker: JobSystem<LaunchOf<'sagemaker'>> = {
  looksFirst: true,
  start: ({ pipeline, parameters }, run) =>
    operation('StartPipelineExecution', {
      PipelineName: pipeline,
      PipelineExecutionDisplayName: jobName(run),
      ClientRequestToken: run.run_id,
      ...(parameters && {
        PipelineParameters: Object.entries(parameters).map(([Name, Value]) => ({ Name, Value })),
      }),
    }),
  started: ({ status, body }) =>
    status < 300 ? jobOf(textAt(body, 'PipelineExecutionArn')) : undefined,
  find: ({ pipeline }) =>
    operation('ListPipelineExecutions', {
      PipelineName: pipeline,
      SortBy: 'CreationTime',
      SortOrder: 'Descending',
      MaxResults: LOOKED_AT,
    }),
  found: ({ body }, _, run) => {
    const ours = listAt(body, 'PipelineExecutionSummaries').find(
      (one) => textAt(one, 'PipelineExecutionDisplayName') === jobName(run),
    )
    return jobOf(textAt(ours, 'PipelineExecutionArn'))
  },
  status: (_, job) => operation('DescribePipelineExecution', { PipelineExecutionArn: job.id }),
  statusOf: ({ body }) => {
    const state = stateBy(STATES, textAt(body, 'PipelineExecutionStatus'))
    return state && { state, message: textAt(body, 'FailureReason') }
  },
  cancel: (_, job) =>
    operation('StopPipelineExecution', {
      PipelineExecutionArn: job.id,
      ClientRequestToken: `stop-${job.id}`.slice(-MAX_TOKEN).replaceAll(/[^A-Za-z0-9-]/g, '-'),
    }),
  faultOf: ({ status, body }) => {
    // All refusals are 400: the kind says which of them may pass.
    const kind = textAt(body, '__type').split('#').at(-1) ?? ''
    if (status === 400 && PASSING.includes(kind)) return 'passing'
    return status === 400 && GONE.includes(kind) ? 'gone' : undefined
  },
}

/** A token has 32 to 128 letters. */
const MAX_TOKEN = 100
