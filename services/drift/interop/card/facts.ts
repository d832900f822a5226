/** What a model card is made of, as it was read; times are RFC 3339 in UTC. */
import type { ModelCard } from '../../../../schemas/model-card.ts'

/** A metric of a cohort in one window; what cannot be known is null. */
export interface CardMetric {
  metric: string
  /** A group, or '' for the cohort as a whole. */
  subject: string
  /** Names the cohort; '' for the model as a whole. */
  cohort: string
  value: number | null
  ci_low: number | null
  ci_high: number | null
  /** Cases that the value rests on. */
  n: number
  verdict: string
}

/** Events of a version. */
export interface CardVersion {
  model_version: string
  events: number
  first: string
  last: string
}

/** A window of the drift history. */
export interface CardWindow {
  window_end: string
  events: number
  worst: string
  /** Share of features that moved; null where it is not known. */
  drift_share: number | null
}

/** An alert episode. */
export interface CardEpisode {
  episode: string
  until: string
  severity: string
  ended: string
  /** What alarmed, as `family.metric of subject`. */
  alarms: string[]
}

/** An entry of the audit log about the model. */
export interface CardAct {
  sequence: number
  at: string
  actor: string
  action: string
  subject: string
  says: string
}

/** Everything that one card says. */
export interface CardFacts {
  model_id: string
  /** When it was read. */
  made_at: string
  /** Undefined for a model without a file. */
  task: string | undefined
  labels: Readonly<Record<string, string>>
  runbook_url: string | undefined
  card: ModelCard
  /** Hash of the model file; '' where there is none. */
  revision: string
  windows: { size: string; min_count: number }
  features: readonly string[]
  references: readonly { name: string; kind: string; says: string }[]
  topics: readonly { topic: string; newest: string }[]
  privacy: readonly string[]
  retention: { predictions?: string | undefined; labels?: string | undefined }
  policies: readonly { name: string; when: string; approval: string }[]
  expectations: number
  protected_attributes: readonly string[]
  versions: readonly CardVersion[]
  evaluated_windows: number
  last_window_end: string | null
  /** The window that performance and fairness are of; '' where none is evaluated. */
  performance_window: string
  performance: readonly CardMetric[]
  fairness_window: string
  fairness: readonly CardMetric[]
  drift: readonly CardWindow[]
  episodes: readonly CardEpisode[]
  acts: readonly CardAct[]
}
