/**
 * What a person would say of a model in one sentence, from what is active and what its newest
 * window tells. Pure.
 */
import type { Window } from '../../../lib/models/windows.ts'
import type { Cohort } from '../data/cohort.ts'
import type { MetricResult } from '../data/metric-results.ts'
import {
  alarmsSentence,
  clauseOf,
  day,
  isWhole,
  MAX_NAMED,
  ofWhole,
  rankedAlarms,
  type SaidAlarm,
} from '../../../lib/models/alarm-sentences.ts'
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

const sentence = ({ driftShare, features }: ModelFacts, alarms: readonly SaidAlarm[]): string =>
  alarmsSentence(alarms, { share: driftShare, features })

const plural = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
const instant = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
