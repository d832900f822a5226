/** What is kept of judges: how many questions are in each state, what today has cost, and versions. */
import type { Sql } from '../../../../lib/postgres/port.ts'
import type { JudgeVersion } from '../../data/judges/question.ts'
import { stateOf, VERSION_COLUMNS, type VersionRow, type VersionState } from './versions.ts'

/** What is kept of one version of a judge; money in billionths of a US dollar. */
export interface JudgeRecord {
  /** Undefined where it has asked nothing yet. */
  state: VersionState | undefined
  open: number
  answered: number
  invalid: number
  failed: number
  unasked: number
  /** By its day, of all versions. */
  spent: number
  reserved: number
}

/** Records by version; of one that is unknown all counts are 0. */
export interface JudgeRecords {
  of: (version: JudgeVersion) => JudgeRecord
  /** Reasons for which questions have no label, the most frequent first. */
  reasonsOf: (version: JudgeVersion) => { state: string; reason: string; questions: number }[]
}

interface CountRow {
  model_id: string
  judge: string
  version: string
  state: string
  reason: string
  n: number
}
interface DayRow {
  model_id: string
  judge: string
  spent: string | number
  reserved: string | number
}

const NONE = { open: 0, answered: 0, invalid: 0, failed: 0, unasked: 0 }
const keyOf = (...parts: string[]) => JSON.stringify(parts)

/** Which day in UTC (2026-01-31) is told of, and since when questions are counted, besides open ones. */
export interface RecordSpan {
  day: string
  /** Epoch milliseconds. */
  since: number
}

/** Reads what is kept of the judges of some models. */
export async function judgeRecords(
  db: Sql,
  modelIds: readonly string[],
  { day, since }: RecordSpan,
): Promise<JudgeRecords> {
  const counts = await db.query<CountRow>(
    `select model_id, judge, version, state, reason, count(*)::int as n from judge_questions
     where model_id = any($1::text[]) and (state = 'open' or created_at >= $2) group by 1, 2, 3, 4, 5 order by n desc, reason`,
    [modelIds, new Date(since)],
  )
  const days = await db.query<DayRow>(
    'select model_id, judge, spent_nano_usd as spent, reserved_nano_usd as reserved from judge_days where model_id = any($1::text[]) and day = $2::date',
    [modelIds, day],
  )
  const versions = await db.query<
    VersionRow & { model_id: string; judge: string; version: string }
  >(
    `select model_id, judge, version, ${VERSION_COLUMNS} from judge_versions where model_id = any($1::text[])`,
    [modelIds],
  )
  const countsBy = Map.groupBy(counts, (row) => keyOf(row.model_id, row.judge, row.version))
  const dayBy = new Map(days.map((row) => [keyOf(row.model_id, row.judge), row]))
  const stateBy = new Map(
    versions.map((row) => [keyOf(row.model_id, row.judge, row.version), stateOf(row)]),
  )
  const countsOf = ({ modelId, judge, version }: JudgeVersion) =>
    countsBy.get(keyOf(modelId, judge, version)) ?? []
  return {
    of: (of) => {
      const own: Record<keyof typeof NONE, number> = { ...NONE }
      for (const { state, n } of countsOf(of)) own[state as keyof typeof NONE] += n
      const today = dayBy.get(keyOf(of.modelId, of.judge))
      return {
        ...own,
        state: stateBy.get(keyOf(of.modelId, of.judge, of.version)),
        spent: Number(today?.spent ?? 0),
        reserved: Number(today?.reserved ?? 0),
      }
    },
    reasonsOf: (of) =>
      countsOf(of)
        .filter(({ reason }) => reason !== '')
        .map(({ state, reason, n }) => ({ state, reason, questions: n })),
  }
}
