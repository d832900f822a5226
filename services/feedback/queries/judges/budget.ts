/**
 * What judges may spend: a day's budget in PostgreSQL, of which the most that a request can cost is
 * held back before it is sent. However many processes ask at once, no more is held and spent than
 * the budget.
 */
import type { Postgres, Sql } from '../../../../lib/postgres/port.ts'
import type { ClaimedQuestion } from '../../data/judges/question.ts'

/** A day of a judge: all its versions share it. */
export interface JudgeDay {
  modelId: string
  judge: string
  /** In UTC, as 2026-01-31. */
  day: string
}

/** Billionths of a US dollar. */
export interface Reservation {
  most: number
  budget: number
}

/** The day in UTC at a time (epoch milliseconds). */
export const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10)

/**
 * Holds back the most that one request can cost, and counts the attempt.
 *
 * @returns false where the budget does not suffice, or the claim has passed to another
 */
export function reserve(
  db: Postgres,
  question: ClaimedQuestion,
  day: string,
  { most, budget }: Reservation,
): Promise<boolean> {
  const of = [question.modelId, question.judge, day]
  return db.transaction(async (tx) => {
    // Whoever changes both locks the question first.
    const own = await tx.query(
      `select question_id from judge_questions where question_id = $1 and claim = $2 and state = 'open' for update`,
      [question.questionId, question.claim],
    )
    if (own.length === 0) return false
    await tx.query(
      'insert into judge_days (model_id, judge, day) values ($1, $2, $3::date) on conflict do nothing',
      of,
    )
    const held = await tx.query(
      `update judge_days set reserved_nano_usd = reserved_nano_usd + $4::bigint
       where model_id = $1 and judge = $2 and day = $3::date and spent_nano_usd + reserved_nano_usd + $4::bigint <= $5::bigint returning day`,
      [...of, most, budget],
    )
    if (held.length === 0) return false
    await tx.query(
      'update judge_questions set reserved_day = $2::date, reserved_nano_usd = $3, attempts = attempts + 1 where question_id = $1',
      [question.questionId, day, most],
    )
    return true
  })
}

/** Takes what was held back off, and adds what was spent. */
export async function spend(
  tx: Sql,
  { modelId, judge, day }: JudgeDay,
  { reserved, cost }: { reserved: number; cost: number },
): Promise<void> {
  await tx.query(
    `update judge_days set reserved_nano_usd = reserved_nano_usd - $4, spent_nano_usd = spent_nano_usd + $5
     where model_id = $1 and judge = $2 and day = $3::date`,
    [modelId, judge, day, reserved, cost],
  )
}

/**
 * Settles a question that was asked, within the caller's transaction: what it cost takes the place
 * of what was held back.
 *
 * @returns false where the claim has passed to another, who has counted what was held back as spent
 */
export async function settle(tx: Sql, question: ClaimedQuestion, cost: number): Promise<boolean> {
  const [row] = await tx.query<{ day: string; reserved: string | number }>(
    `select reserved_day::text as day, reserved_nano_usd as reserved from judge_questions
     where question_id = $1 and claim = $2 and state = 'open' and reserved_day is not null for update`,
    [question.questionId, question.claim],
  )
  if (!row) return false
  await spend(tx, { ...question, day: row.day }, { reserved: Number(row.reserved), cost })
  return true
}
