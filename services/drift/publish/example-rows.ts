/** Turns the events that are kept of a window into rows of `window_examples`. Pure. */
import type { Row } from '../../../lib/clickhouse/port.ts'
import type { RuleExample } from '../data/expectations.ts'
import type { RevisionKey } from './rows.ts'

/** Events that are kept of one window. */
export interface KeptExamples {
  violations: readonly RuleExample[]
  /** The most unusual first. */
  unusual: readonly RuleExample[]
  /** Those whose embeddings are new, the one that stands for most first. */
  novel: readonly RuleExample[]
}

/**
 * Rows of `window_examples`. A revision that keeps nothing says so in a row, where there may be
 * examples of an earlier one.
 */
export function exampleRows({ violations, unusual, novel }: KeptExamples, key: RevisionKey): Row[] {
  const same = {
    model_id: key.modelId,
    window_start: new Date(key.window.start).toISOString(),
    window_end: new Date(key.window.end).toISOString(),
    revision: key.revision,
    computed_at: new Date(key.computedAt).toISOString(),
  }
  const ranks = new Map<string, number>()
  const rowOf = (kind: string) => (example: RuleExample) => {
    const rank = (ranks.get(`${kind} ${example.subject}`) ?? 0) + 1
    ranks.set(`${kind} ${example.subject}`, rank)
    return {
      ...same,
      kind,
      subject: example.subject,
      rank,
      prediction_id: example.predictionId,
      model_version: example.modelVersion,
      predicted_at: example.predictedAt,
      score: example.score,
      detail: example.detail,
    }
  }
  const rows = [
    ...violations.map(rowOf('expectation')),
    ...unusual.map(rowOf('unusual')),
    ...novel.map(rowOf('novel')),
  ]
  if (rows.length > 0 || key.revision === 1) return rows
  const nothing = { kind: '', subject: '', rank: 0, prediction_id: '', model_version: '' }
  return [{ ...same, ...nothing, predicted_at: same.window_start, score: null, detail: '' }]
}
