/** The verdicts that an answer to a whole episode is about. */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import { sqlTime } from '../../data/cohort.ts'
import type { EvidenceQuestion } from './read-evidence.ts'

/** Verdicts of one answer, those of the newest windows. */
const MAX_VERDICTS = 10_000

/** A verdict as `verdict_decisions` names it. */
export interface AnsweredVerdict {
  verdict_id: string
  window_start: string
  window_end: string
  family: string
  metric: string
  subject: string
}

/**
 * Every alarm and warning of an episode in its newest revision, the newest window first; of each
 * metric and subject the newest alone where `newest`.
 */
export const answeredVerdicts = (
  db: ClickHouse,
  { modelId, episodeId, from, to }: EvidenceQuestion,
  newest: boolean,
): Promise<AnsweredVerdict[]> =>
  db.query<AnsweredVerdict>(
    `SELECT verdict_id, window_start, window_end, family, metric, subject FROM verdicts_latest
     WHERE model_id = {model:String} AND window_start >= {from:DateTime64(3, 'UTC')} AND window_end <= {to:DateTime64(3, 'UTC')}
       AND episode_id = {episode:String} AND verdict IN ('alarm', 'warning') AND convention = 'plumbline'
     ORDER BY window_end DESC, window_start DESC, verdict_id ${newest ? 'LIMIT 1 BY family, metric, subject' : ''} LIMIT ${MAX_VERDICTS}`,
    { model: modelId, episode: episodeId, from: sqlTime(from), to: sqlTime(to) },
  )
