/** What the pages read of many features at once. */
import { smallest } from '../../../lib/stats/samples/extremes.ts'
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import { sqlTime } from '../data/cohort.ts'
import { KNOWN, knownBy } from './known-by.ts'
import type { Feature } from '../../../schemas/http/console.ts'

/** Whose features are asked for, and how far back. */
export interface FeaturesQuestion {
  modelId: string
  /** The reference that verdicts come from. */
  baseline: string
  /** Windows of the history. */
  most: number
  /** Windows that end by this time, RFC 3339; '' for the newest. */
  to: string
  /** What was known by this time, epoch milliseconds. */
  asOf: number
}

const WHOLE = `model_id = {model:String} AND model_version = '' AND variant = '' AND slice_key = ''`
/**
 * The baseline that a promotion made: `version 7`, or `before version 7` until its windows are
 * whole.
 */
const IS_RENEWED = `match(reference, '^(before )?version ')`
const RESULTS = `FROM window_metrics WHERE ${WHOLE} AND family IN ('drift', 'quality') AND convention = 'plumbline' AND ${KNOWN}
  AND subject != '' AND (reference IN ('', {baseline:String}) OR ${IS_RENEWED})`
/** The reference of a promotion goes before others: it took the baseline's place. */
const NEWEST = `ORDER BY ${IS_RENEWED} DESC, revision DESC`

interface ResultRow {
  subject: string
  metric: string
  value: number | null
  p_adjusted: number | null
  verdict: Feature['verdict']
  reason: string
}

/**
 * Every feature of the newest window, by severity; `windows` of history come with each as `psi`.
 */
export async function modelFeatures(
  db: ClickHouse,
  { modelId, baseline, most, to, asOf }: FeaturesQuestion,
): Promise<{
  window_start: string | null
  window_end: string | null
  ends: string[]
  features: Feature[]
}> {
  const windows = await db.query<{ start: string; end: string }>(
    `SELECT DISTINCT window_start AS start, window_end AS end FROM window_revisions WHERE ${WHOLE} AND ${KNOWN}
       AND ({to:String} = '' OR window_end <= parseDateTime64BestEffortOrZero({to:String}, 3, 'UTC'))
     ORDER BY end DESC, start DESC LIMIT {most:UInt32}`,
    { model: modelId, most, to, ...knownBy(asOf) },
  )
  const newest = windows[0]
  if (!newest) return { window_start: null, window_end: null, ends: [], features: [] }
  const sql = (time: string) => sqlTime(Date.parse(time))
  const params = { model: modelId, baseline, ...knownBy(asOf) }
  const rows = await db.query<ResultRow>(
    `SELECT subject, metric, value, p_adjusted, verdict, reason ${RESULTS}
       AND window_start = {start:DateTime64(3, 'UTC')} AND window_end = {end:DateTime64(3, 'UTC')}
     ${NEWEST} LIMIT 1 BY family, subject, metric`,
    { ...params, start: sql(newest.start), end: sql(newest.end) },
  )
  const history = await db.query<{ subject: string; at: string; psi: number | null }>(
    `SELECT subject, window_end AS at, value AS psi ${RESULTS} AND metric = 'psi'
       AND window_start IN {starts:Array(DateTime64(3, 'UTC'))}
     ${NEWEST} LIMIT 1 BY subject, window_start, window_end`,
    { ...params, starts: windows.map(({ start }) => sql(start)) },
  )
  const ends = windows.map(({ end }) => end).toReversed()
  const place = new Map(ends.map((end, i) => [end, i]))
  const histories = new Map<string, (number | null)[]>()
  for (const { subject, at, psi } of history) {
    if (!histories.has(subject))
      histories.set(
        subject,
        Array.from(ends, () => null),
      )
    const i = place.get(at)
    if (i !== undefined) histories.get(subject)![i] = psi
  }
  const features = [...Map.groupBy(rows, (row) => row.subject)].map(([subject, own]) =>
    featureOf(subject, own, histories.get(subject) ?? ends.map(() => null)),
  )
  return {
    window_start: newest.start,
    window_end: newest.end,
    ends,
    features: features.toSorted(byGravity),
  }
}

const GRAVITY = ['alarm', 'warning', 'incomplete', 'ok', 'none'] as const
const last = Number.POSITIVE_INFINITY
/** Below it, which p is less says less than which distance is greater. */
const SURE = 1e-6

function byGravity(a: Feature, b: Feature): number {
  return (
    GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict) ||
    compared(Math.max(SURE, a.p_adjusted ?? last), Math.max(SURE, b.p_adjusted ?? last)) ||
    compared(b.psi ?? -1, a.psi ?? -1) ||
    (a.subject < b.subject ? -1 : 1)
  )
}
const compared = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0)

function featureOf(
  subject: string,
  rows: readonly ResultRow[],
  history: (number | null)[],
): Feature {
  const valueOf = (metric: string) => rows.find((row) => row.metric === metric)?.value ?? null
  const tested = rows.filter((row) => row.p_adjusted !== null)
  const gravest = rows.toSorted(
    (a, b) =>
      GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict) ||
      compared(a.p_adjusted ?? last, b.p_adjusted ?? last),
  )[0]!
  return {
    subject,
    verdict: gravest.verdict,
    metric: gravest.verdict === 'none' ? '' : gravest.metric,
    reason: gravest.verdict === 'none' ? '' : gravest.reason,
    psi: valueOf('psi'),
    ks: valueOf('ks'),
    p_adjusted: tested.length === 0 ? null : smallest(tested.map((row) => row.p_adjusted!)),
    missing_ratio: valueOf('missing_ratio'),
    history,
  }
}
