import type { DatasetReader } from '../queries/dataset.ts'
import type { LinkKeys } from '../../../lib/http/links/link-keys.ts'
import { LINK_REFUSALS } from '../queries/approvals/links.ts'
import type { Rights } from '../decide/delegators.ts'
import type { PolicyEngine } from '../loop/policies.ts'
import type { RolloutParts } from '../loop/rollouts.ts'

/** Links that answered, those whose answer was refused, and those that were refused themselves. */
export const LINK_OUTCOMES = ['opened', 'answered', 'answer_refused', ...LINK_REFUSALS] as const
/** What came of a link that somebody showed. */
export type LinkOutcome = (typeof LINK_OUTCOMES)[number]

/** What the routes of retrain-trigger need. */
export interface RetrainRoutesOptions {
  engine: PolicyEngine
  /** Reads manifests of data sets again. */
  readDataset: DatasetReader
  /** What looks at rollouts need. */
  rollouts: RolloutParts
  /** Whether whoever delegated approvals may still give them. */
  rights: Rights
  /** Key of the signatures of alerts. */
  secret: string
  /** Links by which approvers answer. */
  links: { keys: LinkKeys; count: (outcome: LinkOutcome) => void }
  /** Something may be due for launch. */
  wake: () => void
}
