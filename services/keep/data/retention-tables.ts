/** Which tables hold rows that retention drops, and by which time. */

/** What a retention is set for. */
export const KINDS = ['predictions', 'labels', 'dead_letters', 'attributes'] as const
/** What a retention is set for. */
export type Kind = (typeof KINDS)[number]

/** A table whose rows are dropped. */
export interface RetainedTable {
  table: string
  kind: Kind
  /** The column by which a row is old. */
  time: string
  /** Its partitions are months of that column: they are dropped whole. */
  isByMonth: boolean
  /** Whether its rows are of models. */
  hasModel: boolean
}

const retained = (kind: Kind, table: string, time: string, more: Partial<RetainedTable> = {}) => ({
  table,
  kind,
  time,
  isByMonth: false,
  hasModel: true,
  ...more,
})

/** Every table that retention reaches; counts, metrics, verdicts and the audit log stay. */
export const RETAINED: readonly RetainedTable[] = [
  retained('predictions', 'predictions', 'predicted_at', { isByMonth: true }),
  retained('predictions', 'prediction_times', 'predicted_at'),
  retained('predictions', 'inference_halves', 'received_at'),
  retained('labels', 'outcome_revisions', 'predicted_at', { isByMonth: true }),
  retained('labels', 'labels', 'received_at'),
  retained('dead_letters', 'dead_letters', 'received_at', { isByMonth: true, hasModel: false }),
  retained('attributes', 'attributes', 'observed_at', { hasModel: false }),
]
