/** Answers of judges whose label was not sent yet. */
import type { Sql } from '../../../../lib/postgres/port.ts'
import type { JudgeVersion } from '../../data/judges/question.ts'

/** An answer that becomes a label. */
export interface UnsentJudgement extends JudgeVersion {
  questionId: string
  predictionId: string
  labelName: string
  inclusionProbability: number
  label: string | number
  comment: string
  answeredAt: Date
}

interface Row {
  question_id: string
  model_id: string
  judge: string
  version: string
  prediction_id: string
  label_name: string
  inclusion_probability: number
  label: string | number
  comment: string
  ended_at: Date
}

const MAX_JUDGEMENTS = 500

/**
 * Answers whose label is not sent, by question id; 500 at once.
 *
 * @param except ids of questions to leave out
 */
export async function unsentJudgements(
  db: Sql,
  except: readonly string[],
): Promise<UnsentJudgement[]> {
  const rows = await db.query<Row>(
    `select question_id, model_id, judge, version, prediction_id, label_name, inclusion_probability, label, comment, ended_at
     from judge_questions join judge_versions using (model_id, judge, version)
     where state = 'answered' and not label_emitted and question_id <> all($1::text[]) order by question_id limit ${MAX_JUDGEMENTS}`,
    [except],
  )
  return rows.map((row) => ({
    questionId: row.question_id,
    modelId: row.model_id,
    judge: row.judge,
    version: row.version,
    predictionId: row.prediction_id,
    labelName: row.label_name,
    inclusionProbability: row.inclusion_probability,
    label: row.label,
    comment: row.comment,
    answeredAt: new Date(row.ended_at),
  }))
}

/** Records that the label of a question was sent. */
export async function markJudgementSent(
  db: Sql,
  { questionId }: Pick<UnsentJudgement, 'questionId'>,
): Promise<void> {
  await db.query('update judge_questions set label_emitted = true where question_id = $1', [
    questionId,
  ])
}
