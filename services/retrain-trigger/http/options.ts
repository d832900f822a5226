import type { DatasetReader } from '../queries/dataset.ts'
import type { PolicyEngine } from '../loop/policies.ts'

/** What the routes of retrain-trigger need. */
export interface RetrainRoutesOptions {
  engine: PolicyEngine
  /** Reads manifests of data sets again. */
  readDataset: DatasetReader
  /** Key of the signatures of alerts. */
  secret: string
  /** Something may be due for launch. */
  wake: () => void
}
