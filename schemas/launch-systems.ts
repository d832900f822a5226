/** How a policy starts a job in a system that runs jobs: what each needs to know. */
import Type, { type Static, type TProperties } from 'typebox'
import { closed, DURATION, requestFields } from './launch-requests.ts'

/** One segment of a path or a name, as the system has it; it is escaped where it is sent. */
const name = (description: string) => Type.String({ minLength: 1, maxLength: 400, description })

/** JSON with `{{run_id}}` and the like in its texts. */
const template = (description: string) =>
  Type.Record(Type.String(), Type.Unknown(), { maxProperties: 200, description })

const url = Type.String({
  pattern: '^https?://',
  maxLength: 2000,
  description: 'The address of the system, without the path of its interface.',
})

const system = <const K extends string, P extends TProperties>(kind: K, properties: P) =>
  Type.Object(
    {
      kind: Type.Literal(kind),
      url,
      ...requestFields,
      poll: Type.Optional(
        Type.String({
          pattern: DURATION,
          description: 'How often the job is asked how it goes, 1s to 1h; 30s unless given.',
        }),
      ),
      ends_within: Type.Optional(
        Type.String({
          pattern: DURATION,
          description:
            'How long the job may take; then it is cancelled and its run fails. 24h unless given.',
        }),
      ),
      ...properties,
    },
    closed,
  )

/** A DAG run of Apache Airflow: version 3 (`/api/v2`), or 2 (`/api/v1`). */
const AirflowLaunch = system('airflow', {
  dag: name('The id of the DAG.'),
  api: Type.Optional(
    Type.Enum(['v2', 'v1'], { description: 'v2 (Airflow 3) unless given; v1 is Airflow 2.' }),
  ),
  conf: Type.Optional(template('The configuration of the DAG run, beside the run’s own values.')),
})

/** A flow run of a Prefect 3 deployment. */
const PrefectLaunch = system('prefect', {
  deployment: name('The id of the deployment, a UUID.'),
  parameters: Type.Optional(template('The parameters of the flow.')),
})

/** A run of a Dagster job. */
const DagsterLaunch = system('dagster', {
  job: name('The name of the job.'),
  location: name('The code location that has it.'),
  repository: Type.Optional(name('The repository; `__repository__` unless given.')),
  run_config: Type.Optional(template('The run configuration.')),
})

/** A Job of Kubernetes, made from its manifest. */
const KubernetesLaunch = system('kubernetes', {
  namespace: name('The namespace that the Job is made in.'),
  spec: template('The `spec` of the Job, as `kubectl explain job.spec` tells it.'),
})

/** A workflow of Argo Workflows, from a template. */
const ArgoLaunch = system('argo', {
  namespace: name('The namespace of the template and the workflow.'),
  template: name('The name of the WorkflowTemplate.'),
  parameters: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      maxProperties: 200,
      description: 'The arguments of the workflow.',
    }),
  ),
})

/** A run of a Kubeflow pipeline (KFP v2). */
const KubeflowLaunch = system('kubeflow', {
  pipeline_id: name('The id of the pipeline.'),
  pipeline_version_id: Type.Optional(name('The id of its version; the newest unless given.')),
  experiment_id: Type.Optional(name('The experiment that takes the run.')),
  parameters: Type.Optional(template('The parameters of the run.')),
})

/** A run of a Databricks job. */
const DatabricksLaunch = system('databricks', {
  job_id: Type.Integer({ minimum: 1, description: 'The number of the job.' }),
  parameters: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      maxProperties: 200,
      description: 'The job’s parameters.',
    }),
  ),
})

/** A pipeline job of Vertex AI. */
const VertexLaunch = system('vertex', {
  project: name('The project.'),
  location: name('The location, such as `europe-west1`.'),
  template_uri: name('Where the compiled pipeline lies.'),
  output: name('The Cloud Storage directory of its artefacts.'),
  parameters: Type.Optional(template('The parameters of the pipeline.')),
})

const secret = (description: string) =>
  Type.String({ pattern: '^secret://env/[A-Za-z_][A-Za-z0-9_]*$', description })

/** An execution of a pipeline of Amazon SageMaker; requests are signed by Signature Version 4. */
const SagemakerLaunch = system('sagemaker', {
  region: Type.String({
    pattern: '^[a-z0-9-]{1,40}$',
    description: 'The region that signs, such as `eu-west-1`.',
  }),
  pipeline: name('The name of the pipeline.'),
  parameters: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      maxProperties: 200,
      description: 'The parameters of the pipeline.',
    }),
  ),
  credentials: Type.Object(
    {
      access_key_id: secret('The key, as `secret://env/NAME`.'),
      secret_access_key: secret('Its secret, as `secret://env/NAME`.'),
      session_token: Type.Optional(secret('The token of credentials that end.')),
    },
    closed,
  ),
})

/** A job of Azure Machine Learning. */
const AzureMlLaunch = system('azure_ml', {
  workspace: name(
    'Its resource path, `/subscriptions/…/providers/Microsoft.MachineLearningServices/workspaces/…`.',
  ),
  properties: template('The job’s `properties`, as the REST interface takes them.'),
})

/** A workflow of GitHub Actions that `workflow_dispatch` starts. */
const GithubLaunch = system('github', {
  repository: Type.String({
    pattern: '^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$',
    description: 'As `owner/name`.',
  }),
  workflow: name('The file of the workflow, or its id.'),
  ref: name('The branch or tag that it runs on.'),
  inputs: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      maxProperties: 24,
      description: 'The inputs of the workflow; it must declare `plumbline_run_id` besides.',
    }),
  ),
})

/** A pipeline of a GitLab project. */
const GitlabLaunch = system('gitlab', {
  project: name('The project: its number, or its path as `group/name`.'),
  ref: name('The branch or tag that it runs on.'),
  variables: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      maxProperties: 200,
      description:
        'The variables of the pipeline; its `workflow: name` must hold `$PLUMBLINE_RUN_ID`, which comes besides.',
    }),
  ),
})

/** A parametrised build of Jenkins. */
const JenkinsLaunch = system('jenkins', {
  job: name('The job; folders are parted by `/`.'),
  parameters: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      maxProperties: 200,
      description: 'The build’s parameters; the job must declare `PLUMBLINE_RUN_ID` besides.',
    }),
  ),
})

/** Every system that runs jobs, by `kind`. */
export const SystemLaunch = [
  AirflowLaunch,
  PrefectLaunch,
  DagsterLaunch,
  KubernetesLaunch,
  ArgoLaunch,
  KubeflowLaunch,
  DatabricksLaunch,
  VertexLaunch,
  SagemakerLaunch,
  AzureMlLaunch,
  GithubLaunch,
  GitlabLaunch,
  JenkinsLaunch,
] as const
/** A job that a system runs, as read and checked. */
export type SystemLaunch = Static<(typeof SystemLaunch)[number]>
/** The launch of one kind of system. */
export type LaunchOf<K extends SystemLaunch['kind']> = Extract<SystemLaunch, { kind: K }>
