/** Systems that orchestrate jobs. The shapes of Airflow 3.3.2 and Prefect 3.9.1 were recorded. */
import { answer, expected, run } from './expected.ts'

export const ORCHESTRATORS = [
  expected(
    'airflow',
    { dag: 'retrain fraud' },
    {
      start: {
        method: 'POST',
        path: '/api/v2/dags/retrain%20fraud/dagRuns',
        body: {
          dag_run_id: 'plumbline-r-1',
          logical_date: null,
          conf: { plumbline: run },
          note: run.reason,
        },
      },
      started: [
        [answer(200, { dag_run_id: 'plumbline-r-1', state: 'queued' }), 'plumbline-r-1'],
        [answer(409, { detail: { reason: 'Unique constraint violation' } }), 'exists'],
        [answer(404, { detail: "Dag with dag_id: 'nope' not found" }), undefined],
      ],
      find: {
        path: '/api/v2/dags/retrain%20fraud/dagRuns/plumbline-r-1',
        found: [
          [answer(200, { dag_run_id: 'plumbline-r-1' }), 'plumbline-r-1'],
          [answer(404, { detail: 'not found' }), undefined],
        ],
      },
      status: {
        path: '/api/v2/dags/retrain%20fraud/dagRuns/j',
        states: [
          [{ state: 'queued' }, 'queued'],
          [{ state: 'running' }, 'running'],
          [{ state: 'success' }, 'succeeded'],
          [{ state: 'failed' }, 'failed'],
          [{ detail: 'x' }, undefined],
        ],
      },
      cancel: { method: 'PATCH', path: '/api/v2/dags/retrain%20fraud/dagRuns/j' },
    },
  ),
  expected(
    'prefect',
    { deployment: 'd', parameters: { a: 1 } },
    {
      start: {
        method: 'POST',
        path: '/api/deployments/d/create_flow_run',
        body: {
          idempotency_key: 'r-1',
          name: 'plumbline-r-1',
          tags: ['plumbline', 'fraud'],
          parameters: { a: 1 },
        },
      },
      started: [
        [answer(201, { id: '22582b39' }), '22582b39'],
        [answer(200, { id: '22582b39' }), '22582b39'],
        [answer(409, { detail: "Validation failed for field 'fail'." }), undefined],
      ],
      status: {
        path: '/api/flow_runs/j',
        states: [
          [{ state_type: 'SCHEDULED' }, 'queued'],
          [{ state_type: 'RUNNING' }, 'running'],
          [{ state_type: 'COMPLETED' }, 'succeeded'],
          [{ state_type: 'CRASHED' }, 'failed'],
          [{ state_type: 'CANCELLED' }, 'cancelled'],
          [{ state_type: 'NEW' }, undefined],
        ],
      },
      cancel: { method: 'POST', path: '/api/flow_runs/j/set_state' },
    },
  ),
  expected(
    'dagster',
    { job: 'train', location: 'loc' },
    {
      start: { method: 'POST', path: '/graphql' },
      started: [
        [
          answer(200, {
            data: { launchRun: { __typename: 'LaunchRunSuccess', run: { runId: 'd1' } } },
          }),
          'd1',
        ],
        [
          answer(200, {
            data: { launchRun: { __typename: 'PipelineNotFoundError', message: 'no' } },
          }),
          undefined,
        ],
      ],
      find: {
        path: '/graphql',
        found: [
          [answer(200, { data: { runsOrError: { results: [{ runId: 'd1' }] } } }), 'd1'],
          [answer(200, { data: { runsOrError: { results: [] } } }), undefined],
        ],
      },
      status: {
        path: '/graphql',
        states: [
          [{ data: { runOrError: { status: 'QUEUED' } } }, 'queued'],
          [{ data: { runOrError: { status: 'STARTED' } } }, 'running'],
          [{ data: { runOrError: { status: 'SUCCESS' } } }, 'succeeded'],
          [{ data: { runOrError: { status: 'FAILURE' } } }, 'failed'],
          [{ data: { runOrError: { __typename: 'RunNotFoundError' } } }, undefined],
        ],
      },
      cancel: { method: 'POST', path: '/graphql' },
    },
  ),
  expected(
    'kubernetes',
    { namespace: 'ml', spec: { template: {} } },
    {
      start: { method: 'POST', path: '/apis/batch/v1/namespaces/ml/jobs' },
      started: [
        [answer(201, { metadata: { name: 'plumbline-r-1' } }), 'plumbline-r-1'],
        [answer(409, { kind: 'Status', reason: 'AlreadyExists' }), 'exists'],
        [answer(409, { kind: 'Status', reason: 'Conflict' }), undefined],
      ],
      find: {
        path: '/apis/batch/v1/namespaces/ml/jobs/plumbline-r-1',
        found: [[answer(200, { metadata: { name: 'plumbline-r-1' } }), 'plumbline-r-1']],
      },
      status: {
        path: '/apis/batch/v1/namespaces/ml/jobs/j',
        states: [
          [{ kind: 'Job', status: {} }, 'queued'],
          [{ kind: 'Job', status: { active: 1 } }, 'running'],
          [
            { kind: 'Job', status: { conditions: [{ type: 'Complete', status: 'True' }] } },
            'succeeded',
          ],
          [{ kind: 'Job', status: { conditions: [{ type: 'Failed', status: 'True' }] } }, 'failed'],
          [
            {
              kind: 'Job',
              status: { active: 1, conditions: [{ type: 'Failed', status: 'False' }] },
            },
            'running',
          ],
          [{ kind: 'Status' }, undefined],
        ],
      },
      cancel: { method: 'DELETE', path: '/apis/batch/v1/namespaces/ml/jobs/j' },
    },
  ),
  expected(
    'argo',
    { namespace: 'ml', template: 'train', parameters: { a: 'b=c' } },
    {
      start: {
        method: 'POST',
        path: '/api/v1/workflows/ml/submit',
        body: {
          resourceKind: 'WorkflowTemplate',
          resourceName: 'train',
          submitOptions: {
            name: 'plumbline-r-1',
            labels: 'plumbline.run=r-1',
            parameters: ['a=b=c'],
          },
        },
      },
      started: [
        [answer(200, { metadata: { name: 'plumbline-r-1' } }), 'plumbline-r-1'],
        [answer(409, { code: 6 }), 'exists'],
      ],
      find: {
        path: '/api/v1/workflows/ml/plumbline-r-1',
        found: [[answer(404, { code: 5 }), undefined]],
      },
      status: {
        path: '/api/v1/workflows/ml/j',
        states: [
          [{ metadata: { name: 'j' } }, 'queued'],
          [{ metadata: { name: 'j' }, status: { phase: 'Running' } }, 'running'],
          [{ metadata: { name: 'j' }, status: { phase: 'Succeeded' } }, 'succeeded'],
          [{ metadata: { name: 'j' }, status: { phase: 'Error' } }, 'failed'],
          [{}, undefined],
        ],
      },
      cancel: { method: 'PUT', path: '/api/v1/workflows/ml/j/terminate' },
    },
  ),
]
