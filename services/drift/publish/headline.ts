/**
 * What a person would say of a model in one sentence, from what is active and what its newest
 * window tells. Pure.
 */
import type { Window } from '../../../lib/models/windows.ts'
import type { Cohort } from '../data/cohort.ts'
import { isSkew, type MetricResult } from '../data/metric-results.ts'
import { smallest } from '../../../lib/stats/samples/extremes.ts'
import { clauseOf, rankedAlarms, type SaidAlarm } from '../../../lib/models/alarm-sentences.ts'
import type { Health } from '../../../schemas/http/drift.ts'

/** What is known of a model. */
export interface ModelFacts {
  active: readonly SaidAlarm[]
  /** End of the newest evaluated window, epoch milliseconds; undefined where none was evaluated. */
  lastWindowEnd: number | undefined
  /** Events of that window. */
  events: number
  /** Newest event, epoch milliseconds; undefined where none came. */
  lastEvent: number | undefined
  /** Metrics of that window with a verdict. */
  evaluated: number
  /** Such as `learning, window 3 of 8`, or ''. */
  learning: string
  /** Share of the features with a verdict that drifted; null where none has one. */
  driftShare: number | null
  /** Features with a verdict. */
  features: number
}

/** Alarms that a headline names; more are counted. */
const MAX_NAMED = 3

/**
 * Tells how a model is, and why.
 *
 * @returns `silent` where its newest window holds no event, `degraded` where an alarm is active,
 *   `learning` while nothing but the
 * learning of the baseline speaks, `unknown` where no metric could be evaluated, `healthy`
 * otherwise
 */
export function headlineOf(facts: ModelFacts): { health: Health; headline: string } {
  const { active, lastWindowEnd, events, lastEvent, evaluated, learning } = facts
  const alarms = rankedAlarms(ofWhole(active.filter(({ severity }) => severity === 'alarm')))
  if (lastWindowEnd === undefined)
    return {
      health: 'unknown',
      headline:
        lastEvent === undefined
          ? 'no event has come'
          : `no window is evaluated yet; the newest event is of ${day(lastEvent)}`,
    }
  if (events === 0)
    return {
      health: 'silent',
      headline: `silent since ${instant(lastEvent ?? lastWindowEnd)}${before(facts, alarms)}`,
    }
  if (alarms.length > 0) return { health: 'degraded', headline: sentence(facts, alarms) }
  if (learning !== '' && evaluated === 0)
    return { health: 'learning', headline: `the baseline is ${learning}; nothing is alarmed yet` }
  if (evaluated === 0)
    return {
      health: 'unknown',
      headline: `nothing could be evaluated in the window to ${day(lastWindowEnd)}: too little data, labels or baseline`,
    }
  return { health: 'healthy', headline: calm(facts) }
}

/**
 * What a window alarms of, the gravest first, as a sentence; '' where nothing alarms.
 *
 * @param cohorts of one window
 */
export function windowHeadline(
  cohorts: readonly { cohort: Cohort; window: Window; results: readonly MetricResult[] }[],
): string {
  const alarms = cohorts
    .filter(({ cohort }) => cohort.modelVersion === '' && cohort.variant === '')
    .flatMap(({ cohort: { slice }, window, results }) =>
      results
        .filter(({ verdict, convention }) => verdict === 'alarm' && convention === 'plumbline')
        .map((result): SaidAlarm => ({
          ...result,
          severity: 'alarm',
          since: new Date(window.end).toISOString(),
          slice_key: slice?.key ?? '',
          slice_value: slice?.value ?? '',
        })),
    )
  return rankedAlarms(ofWhole(alarms)).slice(0, MAX_NAMED).map(clauseOf).join('; ')
}

/** Alarms of the model as a whole, with those of its slices that say where they are greatest. */
export function ofWhole<T extends SaidAlarm>(alarms: readonly T[]): T[] {
  const known = new Set(alarms.filter(isWhole).map(keyOf))
  return alarms.filter((alarm) => known.has(keyOf(alarm)))
}
const isWhole = ({ slice_key: key }: SaidAlarm) => key === ''
const keyOf = ({ family, metric, subject }: SaidAlarm) => [family, metric, subject].join('\u0001')

/** What else was wrong when the events ended. */
function before(facts: ModelFacts, alarms: readonly SaidAlarm[]): string {
  const others = alarms.filter(({ metric }) => metric !== 'throughput_per_s')
  return others.length === 0 ? '' : `; before, ${sentence(facts, others)}`
}

function calm({ active, evaluated, learning }: ModelFacts): string {
  const loud = active.filter((alarm) => !isWhole(alarm) && alarm.severity === 'alarm').length
  const quiet = active.filter((alarm) => isWhole(alarm)).length
  const warnings = `${quiet === 0 ? '' : `, ${plural(quiet, 'warning')}`}${loud === 0 ? '' : `; ${plural(loud, 'alarm')} in slices`}`
  const more = learning === '' ? '' : `; the rest of the baseline is ${learning}`
  return `all ${plural(evaluated, 'evaluated metric')} as usual${warnings}${more}`
}

function sentence({ driftShare, features }: ModelFacts, alarms: readonly SaidAlarm[]): string {
  const drifted = alarms.filter(isDrift)
  // Many features that moved are one thing to say.
  const isWide = drifted.length > MAX_NAMED
  const rest = isWide ? alarms.filter((alarm) => !isDrift(alarm)) : alarms
  const named = rest.slice(0, MAX_NAMED).map(clauseOf)
  if (isWide)
    named.push(
      `${drifted.length} of ${Math.max(features, drifted.length)} features have drifted, ${drifted[0]!.subject} the most${driftShare === null ? '' : ` (${percent(driftShare)})`}`,
    )
  const left = rest.length - Math.min(rest.length, MAX_NAMED)
  const since = day(smallest(alarms.map(({ since: begun }) => Date.parse(begun))))
  return `${named.join('; ')}${left > 0 ? `; and ${left} more` : ''}, since ${since}`
}

const isDrift = (alarm: SaidAlarm) => alarm.family === 'drift' && !isSkew(alarm)
const percent = (share: number) => `${Math.round(100 * share)} %`
const plural = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
const instant = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const day = (ms: number) =>
  new Date(ms).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  })
