/** Every system that runs jobs, by the `kind` of its launch. */
import type { LaunchOf, SystemLaunch } from '../../../../schemas/launch-systems.ts'
import { airflow } from './airflow.ts'
import { argo } from './argo.ts'
import { azureMl } from './azure-ml.ts'
import { dagster } from './dagster.ts'
import { databricks } from './databricks.ts'
import { github } from './github.ts'
import { gitlab } from './gitlab.ts'
import { jenkins } from './jenkins.ts'
import { kubeflow } from './kubeflow.ts'
import { kubernetes } from './kubernetes.ts'
import { prefect } from './prefect.ts'
import { sagemaker } from './sagemaker.ts'
import type { JobSystem } from './system.ts'
import { vertex } from './vertex.ts'

const SYSTEMS: { [K in SystemLaunch['kind']]: JobSystem<LaunchOf<K>> } = {
  airflow,
  argo,
  azure_ml: azureMl,
  dagster,
  databricks,
  github,
  gitlab,
  jenkins,
  kubeflow,
  kubernetes,
  prefect,
  sagemaker,
  vertex,
}

/** The system of a launch; its settings are of the same kind. */
export const systemOf = ({ kind }: SystemLaunch): JobSystem<SystemLaunch> =>
  SYSTEMS[kind] as JobSystem<never> as JobSystem<SystemLaunch>
