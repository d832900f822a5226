/**
 * Questions to judges in PostgreSQL: which are open, who asks them, and how each ended. A question
 * is asked under a claim; the claim of a process that is gone ends by itself, and what was held back
 * for it counts as spent, since nobody knows whether it was.
 */
import { randomUUID } from 'node:crypto'
import type { Postgres, Sql } from '../../../../lib/postgres/port.ts'
import type {
  ClaimedQuestion,
  JudgeVersion,
  NewQuestion,
  QuestionEnd,
} from '../../data/judges/question.ts'
import { spend } from './budget.ts'

/** Questions that are added by one statement. */
const BATCH = 1000
/** Questions are asked within so many milliseconds of their draw, or not at all. */
const ASKED_WITHIN_MS = 24 * 3_600_000
/** Ended questions are kept for so long: answers to the same prompt are taken from them. */
const KEPT_MS = 30 * 24 * 3_600_000

/**
 * Adds questions that are not there yet; a draw again adds none.
 *
 * @returns how many were added
 */
export async function addQuestions(
  db: Postgres,
  { modelId, judge, version }: JudgeVersion,
  questions: readonly NewQuestion[],
  now: number,
): Promise<number> {
  let added = 0
  for (let from = 0; from < questions.length; from += BATCH) {
    const part = questions.slice(from, from + BATCH)
    const rows = await db.query(
      `insert into judge_questions (question_id, model_id, judge, version, prediction_id, inclusion_probability, next_attempt_at, created_at)
       select q.id, $4, $5, $6, q.prediction, q.probability, $7, $7
       from unnest($1::text[], $2::text[], $3::text[]::double precision[]) as q (id, prediction, probability)
       on conflict do nothing returning question_id`,
      [
        part.map(({ questionId }) => questionId),
        part.map(({ predictionId }) => predictionId),
        part.map(({ inclusionProbability }) => String(inclusionProbability)),
        modelId,
        judge,
        version,
        new Date(now),
      ],
    )
    added += rows.length
  }
  return added
}

interface ClaimedRow {
  question_id: string
  prediction_id: string
  attempts: number
  reserved_day: string | null
  reserved_nano_usd: string | number
}

/** How many questions are claimed, at what time, and for how long. */
export interface ClaimOptions {
  limit: number
  now: number
  leaseMs: number
}

/**
 * Claims open questions of a judge that are due, those first that have waited longest.
 *
 * @returns at most `limit`
 */
export function claimQuestions(
  db: Postgres,
  of: JudgeVersion,
  { limit, now, leaseMs }: ClaimOptions,
): Promise<ClaimedQuestion[]> {
  const claim = randomUUID()
  return db.transaction(async (tx) => {
    const rows = await tx.query<ClaimedRow>(
      `select question_id, prediction_id, attempts, reserved_day::text, reserved_nano_usd from judge_questions
       where model_id = $1 and judge = $2 and version = $3 and state = 'open' and next_attempt_at <= $4
         and (claim is null or claimed_until < $4)
       order by next_attempt_at, question_id limit $5 for update skip locked`,
      [of.modelId, of.judge, of.version, new Date(now), limit],
    )
    if (rows.length === 0) return []
    for (const row of rows) {
      const reserved = Number(row.reserved_nano_usd)
      if (row.reserved_day !== null)
        await spend(tx, { ...of, day: row.reserved_day }, { reserved, cost: reserved })
    }
    await tx.query(
      `update judge_questions set claim = $2, claimed_until = $3, reserved_day = null, reserved_nano_usd = 0 where question_id = any($1::text[])`,
      [rows.map((row) => row.question_id), claim, new Date(now + leaseMs)],
    )
    return rows.map((row) => ({
      ...of,
      questionId: row.question_id,
      predictionId: row.prediction_id,
      claim,
      attempts: row.attempts,
    }))
  })
}

/** Ends a question; nothing happens where its claim has passed to another. */
export async function endQuestion(
  tx: Sql,
  { questionId, claim }: ClaimedQuestion,
  end: QuestionEnd,
  now: number,
): Promise<void> {
  const { label, comment, reason } =
    end.state === 'answered' ? { ...end, reason: '' } : { ...end, label: null, comment: '' }
  await tx.query(
    `update judge_questions set state = $3, reason = $4, label = $5::jsonb, comment = $6, ended_at = $7,
       claim = null, claimed_until = null, reserved_day = null, reserved_nano_usd = 0
     where question_id = $1 and claim = $2 and state = 'open'`,
    [
      questionId,
      claim,
      end.state,
      reason,
      label === null ? null : JSON.stringify(label),
      comment,
      new Date(now),
    ],
  )
}

/** Gives a question back, to be asked from `at` on (epoch milliseconds). */
export async function putOffQuestion(
  tx: Sql,
  { questionId, claim }: ClaimedQuestion,
  { at, attempts }: { at: number; attempts: number },
): Promise<void> {
  await tx.query(
    `update judge_questions set next_attempt_at = $3, attempts = $4, claim = null, claimed_until = null, reserved_day = null, reserved_nano_usd = 0
     where question_id = $1 and claim = $2 and state = 'open'`,
    [questionId, claim, new Date(at), attempts],
  )
}

/** The newest answer that this version of the judge has given to the same prompt. */
export async function knownAnswer(
  db: Sql,
  { modelId, judge, version }: JudgeVersion,
  promptSha256: string,
): Promise<{ label: string | number; comment: string } | undefined> {
  const [row] = await db.query<{ label: string | number; comment: string }>(
    `select label, comment from judge_questions
     where model_id = $1 and judge = $2 and version = $3 and prompt_sha256 = $4 and state = 'answered' order by ended_at desc limit 1`,
    [modelId, judge, version, promptSha256],
  )
  return row
}

/** Records which prompt a question became. */
export async function notePrompt(
  db: Sql,
  { questionId, claim }: ClaimedQuestion,
  promptSha256: string,
): Promise<void> {
  await db.query(
    'update judge_questions set prompt_sha256 = $3 where question_id = $1 and claim = $2',
    [questionId, claim, promptSha256],
  )
}

/**
 * Ends questions that were not asked in time, and forgets old ones; what is held back for the first
 * counts as spent.
 *
 * @returns how many ended, by judge
 */
export async function tidyQuestions(
  db: Postgres,
  now: number,
): Promise<{ model_id: string; judge: string; version: string; ended: number }[]> {
  await db.query('delete from judge_questions where created_at < $1', [new Date(now - KEPT_MS)])
  await db.query(`delete from judge_days where day < ($1::timestamptz at time zone 'UTC')::date`, [
    new Date(now - 2 * KEPT_MS),
  ])
  return db.query(
    `with ended as (
       update judge_questions set state = 'unasked', reason = 'expired', ended_at = $1, claim = null, claimed_until = null
       where state = 'open' and created_at < $2 and (claim is null or claimed_until < $1)
       returning model_id, judge, version, reserved_day, reserved_nano_usd
     ), held as (
       select model_id, judge, reserved_day as day, sum(reserved_nano_usd) as nano from ended where reserved_day is not null group by 1, 2, 3
     ), spent as (
       update judge_days d set reserved_nano_usd = d.reserved_nano_usd - h.nano, spent_nano_usd = d.spent_nano_usd + h.nano
       from held h where d.model_id = h.model_id and d.judge = h.judge and d.day = h.day
     )
     select model_id, judge, version, count(*)::int as ended from ended group by 1, 2, 3`,
    [new Date(now), new Date(now - ASKED_WITHIN_MS)],
  )
}
