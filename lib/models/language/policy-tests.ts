/** What a parsed `retrain.when` is made of. */
import type { Logic } from './logic.ts'

/** Which metric results a test is of. */
export interface ResultTest {
  family: string
  metric: string | undefined
  subject: string | undefined
  /** Windows in which the test must be true: of the last `of` that were evaluated. */
  windows: number
  of: number
  slice: { key: string; value: string } | undefined
  /** A version of the model; undefined for the model as a whole. */
  version: string | undefined
}
/** Where a number must lie. */
export interface Comparison {
  sign: '<' | '<=' | '>' | '>='
  limit: number
}
/** A test of verdicts: whether any, or all, of those it names are as severe. */
export interface VerdictTest extends ResultTest {
  kind: 'verdict'
  quantifier: 'any' | 'all'
  level: 'warning' | 'alarm'
}
/** A test of how many verdicts are as severe. */
export interface CountTest extends ResultTest, Comparison {
  kind: 'count'
  level: 'warning' | 'alarm'
}
/** A test of the value of one metric, of any subject where none is named. */
export interface ValueTest extends ResultTest, Comparison {
  kind: 'value'
  metric: string
}
/** A test of metric results of windows. */
export type WindowTest = VerdictTest | CountTest | ValueTest
/** A test of how many labels have come since the last run. */
export interface LabelsTest {
  kind: 'labels'
  above: number
}
/** A test of how many predictions have come since the last run. */
export interface PredictionsTest {
  kind: 'predictions'
  above: number
}
/** A test that no event has come for so long, in milliseconds of wall time. */
export interface SilenceTest {
  kind: 'silence'
  text: string
  forMs: number
}
/** A test that a cron expression makes true. */
export interface ScheduleTest {
  kind: 'schedule'
  cron: string
  timezone: string
}
/** A test that a received alert of this name makes true. */
export interface AlertTest {
  kind: 'alert'
  name: string
}
/** What a canary may be told to be; `invalid`: its traffic was not drawn as it was asked for. */
export const CANARY_DECISIONS = ['better', 'worse', 'undecided', 'invalid'] as const
/** A test of what is known of the newest candidate that gets its traffic step by step. */
export interface CanaryTest {
  kind: 'canary'
  /** One of {@link CANARY_DECISIONS}, where the condition is sound. */
  decision: string
  /** The version that the candidate must be; undefined for whichever. */
  version: string | undefined
}
/** A leaf of a condition. */
export type Test =
  WindowTest | LabelsTest | PredictionsTest | SilenceTest | ScheduleTest | AlertTest | CanaryTest

/** A parsed `retrain.when`. */
export type Condition = Logic<Test>

/** Whether a test is of metric results of windows. */
export const isWindowTest = (test: Test): test is WindowTest =>
  test.kind === 'verdict' || test.kind === 'count' || test.kind === 'value'
