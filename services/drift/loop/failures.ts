/** Reports what could not be evaluated: as a row that people see, and as a count. */
import { Counter } from 'prom-client'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { Metrics } from '../../../lib/runtime/metrics.ts'
import type { Window } from '../../../lib/models/windows.ts'
import { sqlTime } from '../data/cohort.ts'

/** What failed: a window of a model, or, without one, the reading of its progress. */
export interface Failed {
  modelId: string
  window?: Window | undefined
  /** How often in a row, from 1. */
  attempts: number
  error: unknown
}

/** Tells a failure, and never rejects: where the row cannot be written, the log says so. */
export type TellFailure = (failed: Failed) => Promise<void>

const MAX_TEXT = 500

/**
 * Reports failures as rows of `evaluation_failures`, in the log and as
 * `plumbline_evaluation_failures_total`.
 */
export function failureTeller(
  db: ClickHouse,
  { registry }: Metrics,
  { log, now }: { log: Logger; now: () => number },
): TellFailure {
  const failures = new Counter({
    name: 'plumbline_evaluation_failures_total',
    help: 'Windows that could not be evaluated and are tried again; evaluation_failures lists them.',
    registers: [registry],
  })
  return async ({ modelId, window, attempts, error }) => {
    failures.inc()
    const text = messageOf(error).slice(0, MAX_TEXT)
    log.error(
      { model_id: modelId, attempts, error: text, ...window },
      'not evaluated, trying again',
    )
    const row = {
      model_id: modelId,
      window_start: sqlTime(window?.start ?? 0),
      window_end: sqlTime(window?.end ?? 0),
      attempts,
      error: text,
      failed_at: sqlTime(now()),
    }
    try {
      await db.insertRows('evaluation_failures', [row])
    } catch (cause) {
      log.error({ model_id: modelId, error: messageOf(cause) }, 'failure not stored')
    }
  }
}
