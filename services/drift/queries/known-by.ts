/** What was known at a time: rows that had been evaluated by then, in their newest revision of then. */
import type { Params } from '../../../lib/clickhouse/port.ts'
import { sqlTime } from '../data/cohort.ts'

/** Later than anything that is known, epoch milliseconds. */
export const EVER = Date.UTC(2298, 0, 1)

/** Condition on `computed_at`: what had been evaluated by `as_of`. */
export const KNOWN = `computed_at <= {as_of:DateTime64(3, 'UTC')}`

/** The parameter of {@link KNOWN}. @param asOf epoch milliseconds, later than any for all */
export const knownBy = (asOf: number): Params => ({ as_of: sqlTime(asOf) })

/** What tells one metric result of a model from another; the newest revision of it counts. */
export const ONE_RESULT =
  'model_id, model_version, variant, window_start, window_end, slice_key, slice_value, family, subject, metric, convention, method, reference'
