/** What the evaluation of one cohort of a window is given; read by the loop, evaluated without I/O. */
import type { Window } from '../../../lib/models/windows.ts'
import type { RuleCounts } from './expectations.ts'
import type { EarlyLabels, LevelHistory } from './past-metrics.ts'
import type { PastShift } from './past-shifts.ts'
import type { Drawn, ReferenceData, ScoreCounts, ScoredRow } from './reference.ts'
import type { GroupCounts, OutcomeCounts, WindowCounts } from './window-data.ts'

/** A baseline that is being learned. */
export interface Learning {
  /** Which of its windows this one is, counted from 1. */
  window: number
  /** Windows that the baseline learns from. */
  of: number
  /** How long that takes, a sentence, where it takes long; '' otherwise. */
  hint?: string
  /** Size of the shorter windows that tell the noise meanwhile, where they do. */
  shorter?: string
  /**
   * Windows before a promoted version, which its performance is compared with meanwhile.
   */
  before: ReferenceData | undefined
}

/** Everything that was read of one cohort of a window. */
export interface WindowInput {
  counts: WindowCounts
  outcomes: OutcomeCounts
  scores: ScoreCounts | undefined
  /** Single predictions of a regression whose errors are estimated. */
  scoredRows: readonly ScoredRow[]
  /** Errors of the estimates in earlier windows. */
  pastErrors: readonly number[]
  /**
   * What labels still to come did to earlier windows of the cohort at this age; undefined where the
   * window has all its labels, and of a cohort that was never measured at this age.
   */
  earlyLabels?: EarlyLabels | undefined
  /** Groups per protected attribute. */
  groups: ReadonlyMap<string, readonly GroupCounts[]>
  /** What violates the rules of the model file, by name; undefined where none are counted. */
  violations?: ReadonlyMap<string, RuleCounts> | undefined
  /** Some of its rows, where a classifier is asked. */
  rows: readonly Drawn[]
  references: readonly ReferenceData[]
  /** While the baseline is being learned. */
  learning: Learning | undefined
  /** Why tables of the model file cannot be read, by name of the reference. */
  unread?: ReadonlyMap<string, string>
  window: Window
  /** Windows between the baseline and this one. */
  past: readonly PastShift[]
  /** Performance and operations of the reference's windows, and of those since. */
  levels: LevelHistory
  /** Cohorts of version and variant that are evaluated of this window. */
  cohorts: number
  isSlice: boolean
  /**
   * Events of the windows before, of a live model as a whole: what its throughput is evaluated by.
   */
  usual: readonly number[] | undefined
  /** Share of the emitted events that came; null where producers do not tell. */
  completeness: number | null
  /**
   * The step of label maturity the window has reached; 0: none, 1: every prediction is older than
   * the label horizon.
   */
  maturity: number
}
