/** What a policy that is tried is asked about besides windows, and what of that cannot be known. */
import type { ClickHouse } from '../../../lib/clickhouse/port.ts'
import type { Sql } from '../../../lib/postgres/port.ts'
import type { PolicyTrialAnswer } from '../../../schemas/http/runs/policy-trials.ts'
import type { ParsedPolicy } from '../decide/policies.ts'
import type { Moment, Standing } from '../decide/tried-policy.ts'
import { readCanaries, readGaps, type Gap, type KnownCanary } from '../queries/trials/moments.ts'
import type { TrialSpan } from '../queries/trials/policy-trials.ts'
import { readReceivedAlerts } from '../queries/trials/received-alerts.ts'
import { ticksOf } from './ticks.ts'

/** Ticks of one schedule, alerts, silences and candidates that a trial takes, the newest of each. */
const MOST = 1000
const DAY_MS = 86_400_000

/** Moments by time, what is so at a time, and what is not known, with the reason. */
export interface Moments {
  moments: Moment[]
  standing: (at: number) => Standing
  untold: PolicyTrialAnswer['untold']
}

interface Parts {
  postgres: Sql
  db: ClickHouse
  /** Epoch milliseconds. */
  now: number
}

/** Reads what a policy asks of a span besides windows. */
export async function momentsOf(
  { postgres, db, now }: Parts,
  parsed: ParsedPolicy,
  span: TrialSpan,
): Promise<Moments> {
  const past = { ...span, to: Math.min(span.to, now) }
  const ticks = tickMoments(parsed, past)
  const alerts = await alertMoments(postgres, parsed, past)
  const silences = await silenceMoments(db, parsed, past)
  const canaries = await canaryMoments(postgres, parsed, past)
  const all = [ticks, alerts, silences, canaries]
  return {
    moments: all.flatMap(({ moments }) => moments).toSorted((a, b) => a.at - b.at),
    untold: all.flatMap(({ untold }) => untold),
    standing: (at) => ({
      silentSince: silentAt(silences.gaps, silences.least, at),
      canary: canaries.known.findLast((one) => one.at <= at),
    }),
  }
}

const iso = (at: number) => new Date(at).toISOString()

type Known = Omit<Moments, 'standing'>

function tickMoments({ schedules }: ParsedPolicy, span: TrialSpan): Known {
  const found: Known = { moments: [], untold: [] }
  for (const schedule of schedules) {
    const { at, from } = ticksOf(schedule, span, MOST)
    for (const tick of at) found.moments.push({ at: tick, occasion: { kind: 'tick', ...schedule } })
    if (from > span.from)
      found.untold.push({
        test: 'schedule',
        reason: `of ${schedule.cron} the ticks from ${iso(from)} on are tried, ${MOST} at most`,
      })
  }
  return found
}

async function alertMoments(
  sql: Sql,
  { alerts: names }: ParsedPolicy,
  span: TrialSpan,
): Promise<Known> {
  if (names.length === 0) return { moments: [], untold: [] }
  const { alerts, since } = await readReceivedAlerts(sql, names, span, MOST)
  const known = Math.max(since ?? Infinity, alerts.length === MOST ? alerts[0]!.at : -Infinity)
  const reason =
    since === undefined
      ? 'no alert that came in has been kept yet'
      : `alerts are known from ${iso(known)} on: those before were not kept`
  return {
    moments: alerts.map(({ name, at }) => ({ at, occasion: { kind: 'alert', name } })),
    untold: known > span.from ? [{ test: 'alert', reason }] : [],
  }
}

async function silenceMoments(
  db: ClickHouse,
  { silences }: ParsedPolicy,
  span: TrialSpan,
): Promise<Known & { gaps: readonly Gap[]; least: number }> {
  const sorted = silences.toSorted((a, b) => a - b)
  const [least, most] = [sorted[0] ?? 0, sorted.at(-1) ?? 0]
  if (silences.length === 0) return { moments: [], untold: [], gaps: [], least }
  // A silence may have begun before the span.
  const from = span.from - most - DAY_MS
  const { gaps, since } = await readGaps(db, { ...span, from }, least, MOST)
  const begins = gaps.flatMap(({ since: at, until }) =>
    silences.flatMap((ms) => (at + ms < until ? [at + ms + 1] : [])),
  )
  const reason =
    since === undefined
      ? 'no event of this range is stored, so when the last one came is not known'
      : `when events came is known from ${iso(since)} on: those before are not stored`
  return {
    gaps,
    least,
    moments: begins
      .filter((at) => at >= span.from)
      .map((at) => ({ at, occasion: { kind: 'news' } })),
    untold: (since ?? Infinity) > span.from ? [{ test: 'silence', reason }] : [],
  }
}

/** When the newest event had come, where that is longer ago than the least silence that is asked for. */
function silentAt(gaps: readonly Gap[], least: number, at: number): number | undefined {
  const gap = gaps.findLast(({ since }) => since <= at)
  return gap && at < gap.until && at - gap.since > least ? gap.since : undefined
}

async function canaryMoments(
  sql: Sql,
  { canaries }: ParsedPolicy,
  span: TrialSpan,
): Promise<Known & { known: readonly KnownCanary[] }> {
  if (canaries.length === 0) return { moments: [], untold: [], known: [] }
  const known = await readCanaries(sql, span, MOST)
  return {
    known,
    moments: known.map(({ at }) => ({ at, occasion: { kind: 'news' } })),
    untold: [
      {
        test: 'canary',
        reason: `of each candidate the newest verdict alone is kept: ${known.length} of this range, each at the time of its last look`,
      },
    ],
  }
}
