/** Where decisions, runs and their audit log are kept. */
import type { Postgres } from '../../../lib/postgres/port.ts'

/** The control database, and the clock that stamps what is written there. */
export interface Ledger {
  postgres: Postgres
  /** Epoch milliseconds. */
  now: () => number
}
