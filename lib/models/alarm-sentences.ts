/**
 * What a person would say of active alarms: one clause for each, and which feature is behind them.
 * Pure.
 */
import type { ActiveAlarm } from '../../schemas/active-alarms.ts'
import { smallest } from '../stats/samples/extremes.ts'

/** What a sentence needs of an active alarm. */
export type SaidAlarm = Pick<
  ActiveAlarm,
  | 'family'
  | 'metric'
  | 'subject'
  | 'severity'
  | 'value'
  | 'baseline_value'
  | 'since'
  | 'reason'
  | 'slice_key'
  | 'slice_value'
>

/** What a feature does to the score, in units of the score. */
export interface ScoreMove {
  /** What the feature alone would do. */
  alone: number
  /** What the score did. */
  all: number
}

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
  log_loss: 'log loss',
}
/** Families of metrics, the gravest first: what costs most, then what may explain it. */
export const FAMILIES_BY_GRAVITY: readonly string[] = [
  'operations',
  'performance',
  'fairness',
  'drift',
  'quality',
  'feedback',
]

/** The name of a metric as people write it. */
export const metricInWords = (metric: string): string =>
  NAMES[metric] ?? metric.replaceAll('_', ' ')

/** Three significant digits. */
export const short = (x: number): string => String(Number(x.toPrecision(3)))

const signed = (x: number) => `${x > 0 ? '+' : ''}${short(x)}`

/** The movement as the reason of a drifted feature says it; {@link scoreMoveOf} reads it. */
export const scoreMoveText = ({ alone, all }: ScoreMove): string =>
  `alone it moves the score by ${signed(Math.abs(alone) < 1e-3 * Math.abs(all) ? 0 : alone)} of ${signed(Math.abs(all) < 1e-3 * Math.abs(alone) ? 0 : all)}`
const MOVE =
  /alone it moves the score by ([+-]?[\d.]+(?:e[+-]?\d+)?) of ([+-]?[\d.]+(?:e[+-]?\d+)?)/

/** What the reason of a drifted feature says of the score; undefined where it says nothing. */
export function scoreMoveOf(reason: string): ScoreMove | undefined {
  const [, alone, all] = MOVE.exec(reason) ?? []
  return alone === undefined || all === undefined
    ? undefined
    : { alone: Number(alone), all: Number(all) }
}

/** What one alarm says, without its time. */
export function clauseOf(alarm: SaidAlarm): string {
  const { family, metric, subject, value, baseline_value: before, reason } = alarm
  const name = metricInWords(metric)
  const where = alarm.slice_key === '' ? '' : ` in ${alarm.slice_key}=${alarm.slice_value}`
  const first = reason.split('; ')[0]!
  if ((metric === 'throughput_per_s' || metric === 'labels_per_s') && reason !== '')
    return `${first}${where}`
  if (metric === 'skew' || metric === 'missing_skew')
    return `${subject}${where} is unlike what the model was trained on${value === null ? '' : ` (by ${short(value)})`}`
  if (family === 'drift') return driftClause(alarm, name, where)
  const what = `${subject === '' ? name : `${name} of ${subject}`}${where}`
  if (value === null) return `${what} alarms`
  if (before === null || before === value) return `${what} is ${short(value)}`
  return `${what} is ${value < before ? 'down' : 'up'} from ${short(before)} to ${short(value)}`
}

/** How far values moved, as the reason of a feature on the budget says it. */
const MOVED = /^values (lie|spread|lean) [^;]+/

function driftClause({ subject, value, reason }: SaidAlarm, name: string, where: string): string {
  const moved = MOVED.exec(reason)?.[0]
  const move = scoreMoveOf(reason)
  const explains =
    move && move.alone !== 0
      ? `, which alone moves the score by ${signed(move.alone)} of ${signed(move.all)}`
      : ''
  const what = `${subject || 'the joint distribution'} has drifted`
  const how = moved ? `: its ${moved}` : value === null ? '' : ` (${name} ${short(value)})`
  return `${what}${where}${how}${explains}`
}

/**
 * Alarms in the order in which they matter: what went wrong (operations, performance, fairness),
 * then what may explain it, features by how much of the score's movement they explain, then by
 * their distance. A feature that alarms as a whole and in slices is said once, with the slice that
 * moved most.
 */
export function rankedAlarms(alarms: readonly SaidAlarm[]): SaidAlarm[] {
  const groups = Map.groupBy(alarms, ({ family, metric, subject }) =>
    [family, metric, subject].join('\u0001'),
  )
  return [...groups.values()].map(saidOnce).toSorted(byWeight)
}

function saidOnce(same: readonly SaidAlarm[]): SaidAlarm {
  const whole = same.find(({ slice_key: key }) => key === '')
  const slices = same
    .filter(({ slice_key: key }) => key !== '')
    .toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0))
  const [most] = slices
  if (!whole) return most!
  // Only a distance says in which slice it is greatest; other numbers are the whole's.
  return most && whole.family === 'drift' && (most.value ?? 0) > (whole.value ?? 0)
    ? { ...whole, slice_key: most.slice_key, slice_value: most.slice_value }
    : whole
}

function byWeight(a: SaidAlarm, b: SaidAlarm): number {
  const rank = ({ family }: SaidAlarm) => FAMILIES_BY_GRAVITY.indexOf(family)
  const move = ({ reason }: SaidAlarm) => Math.abs(scoreMoveOf(reason)?.alone ?? 0)
  return rank(a) - rank(b) || move(b) - move(a) || (b.value ?? 0) - (a.value ?? 0)
}

/** What may explain a fall: drifted features and faults of data, the likeliest first. */
export const causesOf = (alarms: readonly SaidAlarm[], most: number): SaidAlarm[] =>
  rankedAlarms(alarms)
    .filter(({ family, subject }) => (family === 'drift' || family === 'quality') && subject !== '')
    .slice(0, most)

/** Whether an alarm is of the model as a whole, and of no slice. */
export const isWhole = ({ slice_key: key }: SaidAlarm): boolean => key === ''
const keyOf = ({ family, metric, subject }: SaidAlarm) => [family, metric, subject].join('\u0001')

/** Alarms of the model as a whole, with those of its slices that say where they are greatest. */
export function ofWhole<T extends SaidAlarm>(alarms: readonly T[]): T[] {
  const known = new Set(alarms.filter(isWhole).map(keyOf))
  return alarms.filter((alarm) => known.has(keyOf(alarm)))
}

/** Alarms that a sentence names; more are counted. */
export const MAX_NAMED = 3

/** How much of a model has drifted. */
export interface DriftExtent {
  /** Share of the features with a verdict that drifted; null where none has one. */
  share: number | null
  /** Features with a verdict. */
  features: number
}

/**
 * What ranked alarms say together, and since when: the gravest three by name, the others counted.
 *
 * @param alarms at least one
 * @param extent undefined where nobody has counted features
 */
export function alarmsSentence(alarms: readonly SaidAlarm[], extent?: DriftExtent): string {
  const drifted = alarms.filter(isDrift)
  // Many features that moved are one thing to say.
  const isWide = drifted.length > MAX_NAMED
  const rest = isWide ? alarms.filter((alarm) => !isDrift(alarm)) : alarms
  const named = rest.slice(0, MAX_NAMED).map(clauseOf)
  if (isWide) named.push(wideDrift(drifted, extent))
  const left = rest.length - Math.min(rest.length, MAX_NAMED)
  const since = day(smallest(alarms.map(({ since: begun }) => Date.parse(begun))))
  return `${named.join('; ')}${left > 0 ? `; and ${left} more` : ''}, since ${since}`
}

function wideDrift(drifted: readonly SaidAlarm[], extent: DriftExtent | undefined): string {
  const all = extent ? ` of ${Math.max(extent.features, drifted.length)}` : ''
  const share = extent?.share ?? null
  const percent = share === null ? '' : ` (${Math.round(100 * share)} %)`
  return `${drifted.length}${all} features have drifted, ${drifted[0]!.subject} the most${percent}`
}

const isDrift = ({ family, metric }: SaidAlarm) =>
  family === 'drift' && metric !== 'skew' && metric !== 'missing_skew'

/** A day as people write it, such as `7 May 2026`, in UTC; `ms` are epoch milliseconds. */
export const day = (ms: number): string =>
  new Date(ms).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  })
