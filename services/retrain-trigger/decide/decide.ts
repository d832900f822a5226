/** (policy, evidence, history, now) -> launch, or the reason for not launching. Pure. */
import { holds, type Condition, type VerdictTest } from '../../../lib/models/policy-language.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import { ID_SEPARATOR } from '../../../schemas/fields.ts'
import type { RetrainPolicy } from '../../../schemas/model.ts'

/** One name of a slice: keys and values may hold colons, and neither holds the separator. */
export const sliceName = (key: string, value: string) => `${key}${ID_SEPARATOR}${value}`

/** An evaluated metric of a window, as it stands. */
export interface LatestResult {
  windowEnd: number
  family: string
  metric: string
  subject: string
  verdict: 'ok' | 'warning' | 'alarm' | 'incomplete'
  /** As {@link sliceName} joins it, or '' for the whole window. */
  slice: string
}

/** An earlier run of the same policy, in stream time. */
export interface PastRun {
  decidedAt: number
  windowEnd: number | undefined
  /** Ended with a new version. */
  promoted: boolean
  /** Neither ended nor refused yet. */
  open: boolean
}

/** What a decision is taken on, besides the history of runs. */
export interface Evidence {
  /** Results of the window that is decided about and of those before it, in any order. */
  results: readonly LatestResult[]
  /** End of the window that is decided about; undefined for decisions by labels or the clock alone. */
  windowEnd: number | undefined
  /** Outcomes resolved since the last launch. */
  newLabels: number
  /** The cron expression whose tick this is. */
  tick: string | undefined
}

/** Whether a run is launched, and why or why not. */
export interface Decision {
  action: 'launch' | 'none'
  reason: string
}

const MONTH_MS = 30 * 86_400_000

/**
 * Decides whether a policy launches a run: its condition, then later windows, open runs, cool-down and monthly cap.
 *
 * @param now stream time for verdicts and labels, wall time for schedules; epoch milliseconds
 */
export function decide(
  { policy, condition }: { policy: RetrainPolicy; condition: Condition },
  evidence: Evidence,
  runs: readonly PastRun[],
  now: number,
): Decision {
  const none = (reason: string): Decision => ({ action: 'none', reason })
  const promotedAt = Math.max(
    -Infinity,
    ...runs.filter((run) => run.promoted).map((run) => run.windowEnd ?? run.decidedAt),
  )
  const results = evidence.results.filter((result) => result.windowEnd > promotedAt)
  const why: string[] = []
  const isTrue = holds(condition, (test) => {
    if (test.kind === 'labels')
      return noted(evidence.newLabels > test.above, `${evidence.newLabels} new labels`, why)
    if (test.kind === 'schedule')
      return noted(evidence.tick === test.cron, `schedule ${test.cron}`, why)
    return verdictHolds(test, results, evidence.windowEnd, why)
  })
  if (!isTrue) return none('the condition does not hold')
  const reason = why.join('; ')
  const lastWindow = Math.max(-Infinity, ...runs.map((run) => run.windowEnd ?? -Infinity))
  if (evidence.windowEnd !== undefined && evidence.windowEnd <= lastWindow)
    return none(`a later window has already launched a run (${reason})`)
  const held = heldBack(policy, runs, now)
  return held === undefined ? { action: 'launch', reason } : none(`${held} (${reason})`)
}

/** Why a policy may not launch now, whatever asks for it: a run is open, the cool-down, the monthly cap. */
export function heldBack(
  policy: Pick<RetrainPolicy, 'cooldown' | 'max_per_month'>,
  runs: readonly PastRun[],
  now: number,
): string | undefined {
  if (runs.some((run) => run.open)) return 'a run is under way'
  const last = Math.max(-Infinity, ...runs.map((run) => run.decidedAt))
  if (now < last + durationMs(policy.cooldown)) return `cooling down for ${policy.cooldown}`
  const recent = runs.filter((run) => run.decidedAt > now - MONTH_MS).length
  return recent >= policy.max_per_month
    ? `${recent} runs in 30 days, of ${policy.max_per_month} allowed`
    : undefined
}

function noted(isTrue: boolean, reason: string, why: string[]): boolean {
  if (isTrue) why.push(reason)
  return isTrue
}

/**
 * A result has a streak of N when it stood at the level in N windows in a row that end with this one; windows in which it was
 * incomplete neither count nor break the streak. `any` asks for one such result, `all` for every result of this window.
 */
function verdictHolds(
  test: VerdictTest,
  results: readonly LatestResult[],
  windowEnd: number | undefined,
  why: string[],
): boolean {
  if (windowEnd === undefined) return false
  const slice = test.slice ? sliceName(test.slice.key, test.slice.value) : ''
  const series = Map.groupBy(
    results.filter(
      (result) =>
        result.windowEnd <= windowEnd &&
        result.family === test.family &&
        result.slice === slice &&
        (test.metric === undefined || result.metric === test.metric) &&
        (test.subject === undefined || result.subject === test.subject),
    ),
    (result) => `${result.metric}${result.subject === '' ? '' : ` of ${result.subject}`}`,
  )
  const evaluated = [...series].flatMap(([name, all]) => {
    const here = all
      .filter((result) => result.verdict !== 'incomplete')
      .toSorted((a, b) => b.windowEnd - a.windowEnd)
    if (here[0]?.windowEnd !== windowEnd) return []
    const broken = here.findIndex((result) => !reaches(result.verdict, test.level))
    return [{ name, streak: broken === -1 ? here.length : broken }]
  })
  const enough = evaluated.filter(({ streak }) => streak >= test.windows)
  const isTrue =
    test.quantifier === 'any'
      ? enough.length > 0
      : evaluated.length > 0 && enough.length === evaluated.length
  if (isTrue)
    why.push(
      `${test.level} of ${enough.map(({ name }) => `${test.family}.${name}`).join(', ')}${test.windows > 1 ? ` in ${test.windows} windows` : ''}`,
    )
  return isTrue
}

const reaches = (verdict: LatestResult['verdict'], level: 'warning' | 'alarm') =>
  verdict === 'alarm' || (level === 'warning' && verdict === 'warning')
