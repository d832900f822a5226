/**
 * What a person would say of a model in one sentence, from what is active and what its newest
 * window tells. Pure.
 */
import { smallest } from '../../../lib/stats/samples/extremes.ts'
import { FAMILIES_BY_GRAVITY, type ActiveResult } from '../data/active-result.ts'
import type { Health } from '../../../schemas/http/drift.ts'

/** What is known of a model. */
export interface ModelFacts {
  active: readonly ActiveResult[]
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
/** How people write the names of metrics. */
const NAMES: Readonly<Record<string, string>> = {
  roc_auc: 'AUC',
  pr_auc: 'average precision',
  r2: 'R²',
  f1: 'F1',
  rmse: 'RMSE',
  mae: 'MAE',
  mape: 'MAPE',
  wape: 'WAPE',
  psi: 'PSI',
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
  const alarms = active.filter(({ severity }) => severity === 'alarm').toSorted(byWeight)
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

/** What else was wrong when the events ended. */
function before(facts: ModelFacts, alarms: readonly ActiveResult[]): string {
  const others = alarms.filter(({ metric }) => metric !== 'throughput_per_s')
  return others.length === 0 ? '' : `; before, ${sentence(facts, others)}`
}

function calm({ active, evaluated, learning }: ModelFacts): string {
  const warnings = active.length === 0 ? '' : `, ${plural(active.length, 'warning')}`
  const more = learning === '' ? '' : `; the rest of the baseline is ${learning}`
  return `all ${plural(evaluated, 'evaluated metric')} as usual${warnings}${more}`
}

function sentence({ driftShare, features }: ModelFacts, alarms: readonly ActiveResult[]): string {
  const drifted = alarms.filter(isDrift)
  // Many features that moved are one thing to say.
  const isWide = drifted.length > MAX_NAMED
  const rest = isWide ? alarms.filter((alarm) => !isDrift(alarm)) : alarms
  const named = rest.slice(0, MAX_NAMED).map(clause)
  if (isWide)
    named.push(
      `${drifted.length} of ${Math.max(features, drifted.length)} features have drifted, ${drifted[0]!.subject} the most${driftShare === null ? '' : ` (${percent(driftShare)})`}`,
    )
  const left = rest.length - Math.min(rest.length, MAX_NAMED)
  const since = day(smallest(alarms.map((alarm) => alarm.since)))
  return `${named.join('; ')}${left > 0 ? `; and ${left} more` : ''}, since ${since}`
}

const isDrift = ({ family }: ActiveResult) => family === 'drift'

function byWeight(a: ActiveResult, b: ActiveResult): number {
  const rank = ({ family }: ActiveResult) => FAMILIES_BY_GRAVITY.indexOf(family)
  return rank(a) - rank(b) || (b.value ?? 0) - (a.value ?? 0)
}

/** What one alarm says, without its time. */
function clause({ family, metric, subject, value, baselineValue, reason }: ActiveResult): string {
  const name = NAMES[metric] ?? metric.replaceAll('_', ' ')
  if (metric === 'throughput_per_s' && reason !== '') return reason.split(';')[0]!
  if (family === 'drift')
    return `${subject || 'the joint distribution'} has drifted${value === null ? '' : ` (${name} ${short(value)})`}`
  const what = subject === '' ? name : `${name} of ${subject}`
  if (value === null) return `${what} alarms`
  if (baselineValue === null || baselineValue === value) return `${what} is ${short(value)}`
  const way = value < baselineValue ? 'down' : 'up'
  return `${what} is ${way} from ${short(baselineValue)} to ${short(value)}`
}

const short = (x: number) => String(Number(x.toPrecision(3)))
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
