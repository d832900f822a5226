/** Services that run jobs, by the shapes that they document. */
import { answer, expected, run } from './expected.ts'

export const SERVICES = [
  expected(
    'kubeflow',
    { pipeline_id: 'p' },
    {
      start: {
        method: 'POST',
        path: '/apis/v2beta1/runs',
        body: {
          display_name: 'plumbline-r-1',
          description: run.reason,
          pipeline_version_reference: { pipeline_id: 'p' },
          runtime_config: { parameters: {} },
        },
      },
      started: [[answer(200, { run_id: 'k1' }), 'k1']],
      find: {
        path: `/apis/v2beta1/runs?page_size=1&filter=${encodeURIComponent('{"predicates":[{"key":"display_name","operation":"EQUALS","string_value":"plumbline-r-1"}]}')}`,
        found: [
          [answer(200, { runs: [{ run_id: 'k1', display_name: 'plumbline-r-1' }] }), 'k1'],
          [answer(200, { runs: [{ run_id: 'k2', display_name: 'another' }] }), undefined],
          [answer(200, {}), undefined],
        ],
      },
      status: {
        path: '/apis/v2beta1/runs/j',
        states: [
          [{ state: 'PENDING' }, 'queued'],
          [{ state: 'SUCCEEDED' }, 'succeeded'],
          [{ state: 'CANCELED' }, 'cancelled'],
        ],
      },
      cancel: { method: 'POST', path: '/apis/v2beta1/runs/j:terminate' },
    },
  ),
  expected(
    'databricks',
    { job_id: 7, parameters: { a: 'b' } },
    {
      start: {
        method: 'POST',
        path: '/api/2.2/jobs/run-now',
        body: { job_id: 7, idempotency_token: 'r-1', job_parameters: { a: 'b' } },
      },
      started: [
        [answer(200, { run_id: 455644833 }), '455644833'],
        [answer(403, { error_code: 'PERMISSION_DENIED' }), undefined],
      ],
      status: {
        path: '/api/2.2/jobs/runs/get?run_id=j',
        states: [
          [{ status: { state: 'QUEUED' } }, 'queued'],
          [{ status: { state: 'RUNNING' } }, 'running'],
          [
            { status: { state: 'TERMINATED', termination_details: { code: 'SUCCESS' } } },
            'succeeded',
          ],
          [
            { status: { state: 'TERMINATED', termination_details: { code: 'USER_CANCELED' } } },
            'cancelled',
          ],
          [{ status: { state: 'TERMINATED', termination_details: { code: 'OTHER' } } }, 'failed'],
        ],
      },
      cancel: { method: 'POST', path: '/api/2.2/jobs/runs/cancel' },
    },
  ),
  expected(
    'vertex',
    { project: 'p', location: 'l', template_uri: 'gs://t', output: 'gs://o' },
    {
      start: {
        method: 'POST',
        path: '/v1/projects/p/locations/l/pipelineJobs?pipelineJobId=plumbline-r-1',
      },
      started: [
        [
          answer(200, { name: 'projects/1/locations/l/pipelineJobs/plumbline-r-1' }),
          'plumbline-r-1',
        ],
        [answer(409, { error: { status: 'ALREADY_EXISTS' } }), 'exists'],
        [answer(409, { error: { status: 'ABORTED' } }), undefined],
      ],
      find: {
        path: '/v1/projects/p/locations/l/pipelineJobs/plumbline-r-1',
        found: [
          [answer(200, { name: 'a/pipelineJobs/plumbline-r-1' }), 'plumbline-r-1'],
          [answer(404, {}), undefined],
        ],
      },
      status: {
        path: '/v1/projects/p/locations/l/pipelineJobs/j',
        states: [
          [{ state: 'PIPELINE_STATE_PENDING' }, 'queued'],
          [{ state: 'PIPELINE_STATE_SUCCEEDED' }, 'succeeded'],
          [{ state: 'PIPELINE_STATE_CANCELLED' }, 'cancelled'],
        ],
      },
      cancel: { method: 'POST', path: '/v1/projects/p/locations/l/pipelineJobs/j:cancel' },
    },
  ),
  expected(
    'sagemaker',
    {
      region: 'eu-west-1',
      pipeline: 'retrain',
      parameters: { Model: 'fraud' },
      credentials: { access_key_id: 'secret://env/ID', secret_access_key: 'secret://env/KEY' },
    },
    {
      start: {
        method: 'POST',
        path: '/',
        body: {
          PipelineName: 'retrain',
          PipelineExecutionDisplayName: 'plumbline-r-1',
          ClientRequestToken: 'r-1',
          PipelineParameters: [{ Name: 'Model', Value: 'fraud' }],
        },
      },
      started: [
        [answer(200, { PipelineExecutionArn: 'arn:aws:sagemaker:e' }), 'arn:aws:sagemaker:e'],
        [answer(400, { __type: 'ResourceNotFound', Message: 'no pipeline' }), undefined],
      ],
      find: {
        path: '/',
        found: [
          [
            answer(200, {
              PipelineExecutionSummaries: [
                { PipelineExecutionArn: 'arn:2', PipelineExecutionDisplayName: 'another' },
                { PipelineExecutionArn: 'arn:1', PipelineExecutionDisplayName: 'plumbline-r-1' },
              ],
            }),
            'arn:1',
          ],
          [answer(200, { PipelineExecutionSummaries: [] }), undefined],
        ],
      },
      status: {
        path: '/',
        states: [
          [{ PipelineExecutionStatus: 'Executing' }, 'running'],
          [{ PipelineExecutionStatus: 'Stopping' }, 'running'],
          [{ PipelineExecutionStatus: 'Stopped' }, 'cancelled'],
          [{ PipelineExecutionStatus: 'Failed', FailureReason: 'quota' }, 'failed'],
          [{ PipelineExecutionStatus: 'Succeeded' }, 'succeeded'],
          [{ PipelineExecutionStatus: 'Other' }, undefined],
        ],
      },
      cancel: { method: 'POST', path: '/' },
    },
  ),
  expected(
    'azure_ml',
    { workspace: '/subscriptions/s/w', properties: { jobType: 'Command' } },
    {
      start: {
        method: 'PUT',
        path: '/subscriptions/s/w/jobs/plumbline-r-1?api-version=2024-10-01',
        body: { properties: { jobType: 'Command' } },
      },
      started: [[answer(201, { name: 'plumbline-r-1' }), 'plumbline-r-1']],
      find: {
        path: '/subscriptions/s/w/jobs/plumbline-r-1?api-version=2024-10-01',
        found: [
          [answer(200, { name: 'plumbline-r-1' }), 'plumbline-r-1'],
          [answer(404, {}), undefined],
        ],
      },
      status: {
        path: '/subscriptions/s/w/jobs/j?api-version=2024-10-01',
        states: [
          [{ properties: { status: 'Queued' } }, 'queued'],
          [{ properties: { status: 'Completed' } }, 'succeeded'],
        ],
      },
      cancel: { method: 'POST', path: '/subscriptions/s/w/jobs/j/cancel?api-version=2024-10-01' },
    },
  ),
  expected(
    'github',
    { repository: 'o/r', workflow: 'train.yml', ref: 'main', inputs: { a: '1' } },
    {
      start: {
        method: 'POST',
        path: '/repos/o/r/actions/workflows/train.yml/dispatches',
        body: {
          ref: 'main',
          inputs: { a: '1', plumbline_run_id: 'r-1' },
          return_run_details: true,
        },
      },
      started: [
        [answer(204, undefined), 'exists'],
        [
          answer(200, { workflow_run_id: 9, html_url: 'https://github.com/o/r/actions/runs/9' }),
          '9',
        ],
        [answer(422, { message: 'Unexpected inputs' }), undefined],
      ],
      find: {
        path: '/repos/o/r/actions/workflows/train.yml/runs?event=workflow_dispatch&per_page=100',
        found: [
          [
            answer(200, {
              workflow_runs: [
                { id: 8, display_title: 'Retraining r-2' },
                { id: 9, display_title: 'Retraining r-1' },
              ],
            }),
            '9',
          ],
          [answer(200, { workflow_runs: [] }), undefined],
        ],
      },
      status: {
        path: '/repos/o/r/actions/runs/j',
        states: [
          [{ status: 'queued', conclusion: null }, 'queued'],
          [{ status: 'in_progress' }, 'running'],
          [{ status: 'completed', conclusion: 'success' }, 'succeeded'],
          [{ status: 'completed', conclusion: 'cancelled' }, 'cancelled'],
          [{ status: 'completed', conclusion: 'timed_out' }, 'failed'],
        ],
      },
      cancel: { method: 'POST', path: '/repos/o/r/actions/runs/j/cancel' },
    },
  ),
  expected(
    'gitlab',
    { project: 'team/models', ref: 'main', variables: { A: '1' } },
    {
      start: {
        method: 'POST',
        path: '/api/v4/projects/team%2Fmodels/pipeline',
        body: {
          ref: 'main',
          variables: [
            { key: 'A', value: '1' },
            { key: 'PLUMBLINE_RUN_ID', value: 'r-1' },
          ],
        },
      },
      started: [
        [answer(201, { id: 61, status: 'created', web_url: 'https://gitlab.example/61' }), '61'],
        [answer(400, { message: { base: ['Reference not found'] } }), undefined],
      ],
      find: {
        path: '/api/v4/projects/team%2Fmodels/pipelines?source=api&per_page=100',
        found: [
          [
            answer(200, [
              { id: 60, name: 'Retraining r-2' },
              { id: 59, name: null },
              { id: 61, name: 'Retraining r-1' },
            ]),
            '61',
          ],
          [answer(200, []), undefined],
        ],
      },
      status: {
        path: '/api/v4/projects/team%2Fmodels/pipelines/j',
        states: [
          [{ status: 'waiting_for_resource' }, 'queued'],
          [{ status: 'running' }, 'running'],
          [{ status: 'canceling' }, 'running'],
          [{ status: 'success' }, 'succeeded'],
          [{ status: 'skipped' }, 'failed'],
          [{ status: 'failed' }, 'failed'],
          [{ status: 'canceled' }, 'cancelled'],
          [{ status: 'unheard of' }, undefined],
        ],
      },
      cancel: { method: 'POST', path: '/api/v4/projects/team%2Fmodels/pipelines/j/cancel' },
    },
  ),
  expected(
    'jenkins',
    { job: 'ml/train', parameters: { MODEL: 'a b' } },
    {
      start: {
        method: 'POST',
        path: '/job/ml/job/train/buildWithParameters?MODEL=a+b&PLUMBLINE_RUN_ID=r-1',
      },
      started: [
        [answer(201, undefined, 'https://ci/queue/item/12/'), 'queue/12'],
        [answer(403, undefined), undefined],
      ],
      find: {
        path: `/job/ml/job/train/api/json?tree=${encodeURIComponent('queueItem[id,actions[parameters[name,value]]],builds[number,url,actions[parameters[name,value]]]{0,50}')}`,
        found: [
          [
            answer(200, {
              queueItem: {
                id: 13,
                actions: [{ parameters: [{ name: 'PLUMBLINE_RUN_ID', value: 'r-1' }] }],
              },
            }),
            'queue/13',
          ],
          [
            answer(200, {
              builds: [
                {
                  number: 4,
                  actions: [{}, { parameters: [{ name: 'PLUMBLINE_RUN_ID', value: 'r-1' }] }],
                },
              ],
            }),
            'build/4',
          ],
          [answer(200, { builds: [{ number: 3, actions: [{}] }] }), undefined],
        ],
      },
      status: {
        path: '/job/ml/job/train//api/json',
        states: [
          [{ _class: 'hudson.model.Queue$WaitingItem', why: 'busy' }, 'queued'],
          [{ _class: 'hudson.model.Queue$LeftItem', executable: { number: 4 } }, 'running'],
          [{ number: 4, result: null }, 'running'],
          [{ number: 4, result: 'SUCCESS' }, 'succeeded'],
          [{ number: 4, result: 'ABORTED' }, 'cancelled'],
          [{ number: 4, result: 'UNSTABLE' }, 'failed'],
        ],
      },
      cancel: { method: 'POST', path: '/job/ml/job/train//stop' },
    },
  ),
]
