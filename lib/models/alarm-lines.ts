/**
 * The lines that `alarms.overrides` of a model file draws: `"< 0.75"`, `"> 0.25"`, `"outside
 * 0.8..1.25"`, `"5 % worse"`. A number alone is refused, since it does not say on which side of it
 * things are bad. Pure.
 */
import { didYouMean } from '../runtime/nearest-name.ts'
import { METRICS, worseSide, type WorseSide } from './metric-names.ts'

/** A line on the value of a metric; a value on the line itself has not crossed it. */
export type AlarmLine =
  | { kind: 'below' | 'above'; limit: number }
  | { kind: 'outside'; low: number; high: number }
  /** Against the baseline's value: `share` 0.05 is 5 %, towards `side`. */
  | { kind: 'relative'; share: number; side: 'higher' | 'lower' }

/** The lines of one key of `alarms.overrides`; at least one is there. */
export interface AlarmLines {
  warning: AlarmLine | undefined
  alarm: AlarmLine | undefined
}

const NUMBER = String.raw`([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)`
const ONE_SIDED = new RegExp(`^([<>])\\s*${NUMBER}$`, 'i')
const OUTSIDE = new RegExp(`^outside\\s+${NUMBER}\\s*\\.\\.\\s*${NUMBER}$`, 'i')
const RELATIVE = new RegExp(`^${NUMBER}\\s*%\\s*(worse|higher|lower)$`, 'i')
const HOW = 'write "< 0.75", "> 0.25", "outside 0.8..1.25" or "5 % worse"'

/**
 * Reads one line.
 *
 * @param side which way the metric gets worse: what `worse` means of it
 * @throws {Error} with a sentence that says how a line is written
 */
export function parseAlarmLine(text: unknown, side: WorseSide): AlarmLine {
  if (typeof text === 'number')
    throw new Error(`${text} does not say on which side of it things are bad; ${HOW}`)
  const line = String(text).trim()
  const [, sign, limit] = ONE_SIDED.exec(line) ?? []
  if (sign) return { kind: sign === '<' ? 'below' : 'above', limit: finite(limit!) }
  const [, low, high] = OUTSIDE.exec(line) ?? []
  if (low) {
    const range = { low: finite(low), high: finite(high!) }
    if (range.low >= range.high) throw new Error(`${line} must have the smaller number first`)
    return { kind: 'outside', ...range }
  }
  const [, percent, way] = RELATIVE.exec(line) ?? []
  if (percent) return relativeLine(finite(percent), way!.toLowerCase(), side)
  throw new Error(`${JSON.stringify(line.slice(0, 100))} is no line; ${HOW}`)
}

function relativeLine(percent: number, way: string, side: WorseSide): AlarmLine {
  if (percent <= 0) throw new Error('a relative line must be above 0 %')
  if (way !== 'worse')
    return { kind: 'relative', share: percent / 100, side: way as 'higher' | 'lower' }
  if (side === 'neither')
    throw new Error('neither more nor less of this metric is worse; write "higher" or "lower"')
  return { kind: 'relative', share: percent / 100, side }
}

function finite(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value)) throw new Error(`${text} is not a finite number`)
  return value
}

/**
 * Reads `alarms.overrides`, whose keys are `family/metric` or `family/metric/subject`.
 *
 * @returns the lines by key, and every problem as a sentence that begins with its path
 */
export function parseOverrides(
  overrides: Readonly<Record<string, { warning?: unknown; alarm?: unknown }>>,
): { lines: Record<string, AlarmLines>; problems: string[] } {
  const lines: Record<string, AlarmLines> = {}
  const problems: string[] = []
  for (const [key, given] of Object.entries(overrides)) {
    const path = `alarms.overrides.${key}`
    const side = sideOf(key)
    if (typeof side === 'object') {
      problems.push(`${path} ${side.problem}`)
      continue
    }
    const read = (severity: 'warning' | 'alarm'): AlarmLine | undefined => {
      if (given[severity] === undefined) return undefined
      try {
        return parseAlarmLine(given[severity], side)
      } catch (error) {
        problems.push(`${path}.${severity}: ${(error as Error).message}`)
        return undefined
      }
    }
    if (given.warning === undefined && given.alarm === undefined)
      problems.push(`${path} needs a warning or an alarm`)
    lines[key] = { warning: read('warning'), alarm: read('alarm') }
  }
  return { lines, problems }
}

function sideOf(key: string): WorseSide | { problem: string } {
  const [family = '', metric = ''] = key.split('/')
  const metrics = METRICS[family]
  if (!metrics)
    return {
      problem: `must begin with a family${didYouMean(family, Object.keys(METRICS))}: ${Object.keys(METRICS).join(', ')}`,
    }
  const side = worseSide(family, metric)
  return (
    side ?? {
      problem: `names no metric of ${family}${didYouMean(metric, metrics.keys())}`,
    }
  )
}

/**
 * Whether a value has crossed a line.
 *
 * @param baseline the baseline's value of the metric; null where it has none
 * @returns undefined where that cannot be known: the line is relative, and the baseline has no
 *   value
 */
export function crosses(
  line: AlarmLine,
  value: number,
  baseline: number | null,
): boolean | undefined {
  switch (line.kind) {
    case 'below':
      return value < line.limit
    case 'above':
      return value > line.limit
    case 'outside':
      return value < line.low || value > line.high
    case 'relative': {
      const limit = limitOf(line, value, baseline)
      if (limit === null) return undefined
      return line.side === 'higher' ? value > limit : value < limit
    }
  }
}

/**
 * Says where a line runs, in the units of the metric.
 *
 * @returns of a range the end that is nearer to the value; null where the baseline's value is
 *   needed and unknown
 */
export function limitOf(line: AlarmLine, value: number, baseline: number | null): number | null {
  if (line.kind === 'outside')
    return Math.abs(value - line.low) < Math.abs(value - line.high) ? line.low : line.high
  if (line.kind !== 'relative') return line.limit
  if (baseline === null) return null
  const change = Math.abs(baseline) * line.share
  return line.side === 'higher' ? baseline + change : baseline - change
}

/** Writes a line as the model file does. */
export function lineText(line: AlarmLine): string {
  switch (line.kind) {
    case 'below':
      return `< ${line.limit}`
    case 'above':
      return `> ${line.limit}`
    case 'outside':
      return `outside ${line.low}..${line.high}`
    case 'relative':
      return `${Number((100 * line.share).toPrecision(6))} % ${line.side} than the baseline`
  }
}
