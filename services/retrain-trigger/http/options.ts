import type { PolicyEngine } from '../loop/policies.ts'

/** What the routes of retrain-trigger need. */
export interface RetrainRoutesOptions {
  engine: PolicyEngine
  /** Key of the signatures of alerts. */
  secret: string
  /** Something may be due for launch. */
  wake: () => void
}
