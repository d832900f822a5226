import type { DatasetReader } from '../queries/dataset.ts'
import type { PolicyEngine } from '../loop/policies.ts'
import type { RolloutParts } from '../loop/rollouts.ts'

/** What the routes of retrain-trigger need. */
export interface RetrainRoutesOptions {
  engine: PolicyEngine
  /** Reads manifests of data sets again. */
  readDataset: DatasetReader
  /** What looks at rollouts need. */
  rollouts: RolloutParts
  /** Key of the signatures of alerts. */
  secret: string
  /** Something may be due for launch. */
  wake: () => void
}
