/** What asking judges is made of. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import type { Logger } from '../../../../lib/runtime/log.ts'
import type { JudgeVersion } from '../../data/judges/question.ts'
import type { StandingParts } from '../../queries/judges/standing.ts'
import type { ItemFailures } from '../item-failures.ts'
import type { AskParts } from './ask-endpoint.ts'

/** What becomes of questions, as it is counted. */
export type Outcome = 'drawn' | 'asked' | 'cached' | 'answered' | 'invalid' | 'failed' | 'unasked'

/** The parts of the process that judges are asked by. */
export interface Judging extends AskParts, StandingParts {
  db: ClickHouse
  failures: ItemFailures
  log: Pick<Logger, 'warn' | 'info'>
  /** Counts questions by what became of them, and why; failed requests are counted besides. */
  count: (of: JudgeVersion, outcome: Outcome, reason?: string, n?: number) => void
  /** Draws from 0 up to 1, for the jitter of back-offs. */
  random: () => number
}
