/** Versions of judges in PostgreSQL: their recipe, whether they pause, and whether they are muted. */
import { appendAudit } from '../../../../lib/postgres/audit-log.ts'
import type { Postgres, Sql } from '../../../../lib/postgres/port.ts'
import type { JudgeVersion } from '../../data/judges/question.ts'

/** A version of a judge as it is stored; times are epoch milliseconds. */
export interface VersionState {
  recipe: string
  /** 0 where its endpoint is not left alone. */
  pausedUntil: number
  /** Requests that failed in a row. */
  failures: number
  /** Why the last request failed; '' once one was answered. */
  problem: string
  /** Undefined where it is not muted. */
  mutedAt: number | undefined
  mutedReason: string
  /** Labels since then count for muting. */
  agreementFrom: number
}

/** A row of `judge_versions` as it is read. */
export interface VersionRow {
  recipe_sha256: string
  paused_until: Date | null
  failures: number
  problem: string
  muted_at: Date | null
  muted_reason: string
  agreement_from: Date
}

/** Columns of a {@link VersionRow}. */
export const VERSION_COLUMNS =
  'recipe_sha256, paused_until, failures, problem, muted_at, muted_reason, agreement_from'
const OF = 'model_id = $1 and judge = $2 and version = $3'
const keyOf = ({ modelId, judge, version }: JudgeVersion) => [modelId, judge, version]

/** The state of a version; undefined where it has asked nothing yet. */
export async function versionState(db: Sql, of: JudgeVersion): Promise<VersionState | undefined> {
  const [row] = await db.query<VersionRow>(
    `select ${VERSION_COLUMNS} from judge_versions where ${OF}`,
    keyOf(of),
  )
  return row && stateOf(row)
}

/** The state of a version that has asked nothing yet. */
export const newVersion = (recipe: string, now: number): VersionState => ({
  recipe,
  pausedUntil: 0,
  failures: 0,
  problem: '',
  mutedAt: undefined,
  mutedReason: '',
  agreementFrom: now,
})

/** A row as a state. */
export const stateOf = (row: VersionRow): VersionState => ({
  recipe: row.recipe_sha256,
  pausedUntil: row.paused_until ? new Date(row.paused_until).getTime() : 0,
  failures: row.failures,
  problem: row.problem,
  mutedAt: row.muted_at ? new Date(row.muted_at).getTime() : undefined,
  mutedReason: row.muted_reason,
  agreementFrom: new Date(row.agreement_from).getTime(),
})

/** Adds a version that is new, with what its answers depend on; one that is known stays as it is. */
export async function addVersion(
  db: Sql,
  of: JudgeVersion,
  { recipe, labelName }: { recipe: string; labelName: string },
  now: number,
): Promise<void> {
  await db.query(
    `insert into judge_versions (model_id, judge, version, recipe_sha256, label_name, first_at, agreement_from) values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing`,
    [...keyOf(of), recipe, labelName, new Date(now)],
  )
}

/** Records that an endpoint answered. */
export async function noteAnswered(db: Sql, of: JudgeVersion): Promise<void> {
  await db.query(
    `update judge_versions set paused_until = null, failures = 0, problem = '' where ${OF} and (failures > 0 or problem <> '')`,
    keyOf(of),
  )
}

/** Records that a request failed, and leaves the endpoint alone until then (epoch milliseconds). */
export async function noteFailed(
  db: Sql,
  of: JudgeVersion,
  { until, problem }: { until: number; problem: string },
): Promise<void> {
  await db.query(
    `update judge_versions set paused_until = greatest(paused_until, $4), failures = failures + 1, problem = $5 where ${OF}`,
    [...keyOf(of), new Date(until), problem],
  )
}

/** Who mutes or unmutes a version, why and when (epoch milliseconds). */
export interface MuteAct {
  actor: string
  reason: string
  now: number
}

/**
 * Mutes a version: it is asked nothing more. One that is muted already stays as it is.
 *
 * @returns whether it was not muted before
 */
export const muteVersion = (db: Postgres, of: JudgeVersion, act: MuteAct): Promise<boolean> =>
  db.transaction(async (tx) => {
    const rows = await tx.query(
      `update judge_versions set muted_at = $4, muted_reason = $5 where ${OF} and muted_at is null returning judge`,
      [...keyOf(of), new Date(act.now), act.reason],
    )
    if (rows.length > 0) await record(tx, of, 'judge.muted', act)
    return rows.length > 0
  })

/**
 * Unmutes a version; only what it says from then on counts for muting it again.
 *
 * @returns whether it was muted before
 */
export const unmuteVersion = (db: Postgres, of: JudgeVersion, act: MuteAct): Promise<boolean> =>
  db.transaction(async (tx) => {
    const rows = await tx.query(
      `update judge_versions set muted_at = null, muted_reason = '', agreement_from = $4 where ${OF} and muted_at is not null returning judge`,
      [...keyOf(of), new Date(act.now)],
    )
    if (rows.length > 0) await record(tx, of, 'judge.unmuted', act)
    return rows.length > 0
  })

const record = (tx: Sql, of: JudgeVersion, action: string, { actor, reason, now }: MuteAct) =>
  appendAudit(tx, {
    at: new Date(now),
    actor,
    action,
    subject: of.modelId,
    detail: { model_id: of.modelId, judge: of.judge, version: of.version, reason },
  })
