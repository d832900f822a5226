/** What a report says, before it is a page. Times are RFC 3339 in UTC. Pure. */
import type { WindowMetric } from '../../../schemas/http/metric-results.ts'
import type { EpisodeAnswer, EpisodeSummary } from '../../../schemas/http/episodes.ts'
import type { Feature } from '../../../schemas/http/console.ts'

/** A window of the model as a whole; counts are of what had come when it was evaluated. */
export interface ReportWindow {
  window_start: string
  window_end: string
  worst: 'alarm' | 'warning' | 'ok' | 'incomplete'
  events: number
  labelled: number
  /** Age of its labels as a share of the label horizon, at most 1. */
  maturity: number
  /** Share of the sent events that came; null where senders do not number them. */
  completeness: number | null
  /** Revision of the model file that it was evaluated by. */
  policy_revision: string
  revision: number
  computed_at: string
}

/** One number of one window, as a report tells it. */
export type ReportValue = Pick<
  WindowMetric,
  | 'window_end'
  | 'metric'
  | 'subject'
  | 'method'
  | 'value'
  | 'ci_low'
  | 'ci_high'
  | 'ci_level'
  | 'baseline_value'
  | 'threshold'
  | 'verdict'
  | 'reason'
  | 'n_current'
  | 'n_labelled'
  | 'label_maturity'
  | 'revision'
  | 'computed_at'
>

/** An alert episode with what people said of it. */
export interface ReportEpisode extends EpisodeSummary {
  feedback: readonly EpisodeAnswer['feedback'][number][]
}

/** A step of a run as the audit log has it. */
export interface ReportStep {
  run_id: string
  policy: string
  reason: string
  sequence: number
  at: string
  actor: string
  action: string
  hash: string
}

/** A list that is cut off, and how many are not in it. */
export interface Capped<T> {
  shown: readonly T[]
  left_out: number
}

/** What the model is, and what its windows are compared with. */
export interface ReportSettings {
  /** Revision of the model file in force when the report was made. */
  revision: string
  /** The settings that decide what is evaluated, by their names in the model file. */
  in_force: Readonly<Record<string, unknown>>
  /** SHA-256 of `in_force` as JSON. */
  sha256: string
  compared_with: string
  set_to: string
}

/** All of a report. */
export interface ReportData {
  model_id: string
  task: string | null
  from: string
  to: string
  /** What was known then; null: all that was known when it was made. */
  as_of: string | null
  made_at: string
  /** Who asked for it; null where nobody known did. */
  made_for: string | null
  /** Address of the model's page. */
  page: string
  /** Ascending by end. */
  windows: Capped<ReportWindow>
  /** Series of performance, the headline first, each ascending by end. */
  performance: readonly (readonly ReportValue[])[]
  /** Newest values that say what performance will be before labels are in. */
  estimates: readonly ReportValue[]
  features: Capped<Feature>
  fairness: Capped<ReportValue>
  episodes: Capped<ReportEpisode>
  runs: Capped<ReportStep>
  settings: ReportSettings
}
