/** What a model that chooses actions did, and what it earned. Pure. */
import type { Features } from './feature-matrix.ts'

/** One action with its reward. */
export interface LoggedAction {
  action: string
  propensity: number
  /** Whether it is not the action that the model held best. */
  isExploration: boolean
  reward: number
  features: Features
}

/** How many events of a window explored. */
export interface ExplorationCounts {
  events: number
  exploring: number
}
