/**
 * How often the odd one out and the search for the worst cohorts alarm when nothing has changed,
 * and when one producer or one cohort has.
 */
import { uniforms } from '../../lib/stats/distributions/random.ts'
import { evaluateCohortSearch } from '../../services/drift/evaluate/cohorts/search.ts'
import { evaluateOddOneOut } from '../../services/drift/evaluate/cohorts/odd-one-out.ts'
import { FAMILY_SHARES } from '../../services/drift/evaluate/thresholds.ts'
import type { MetricResult } from '../../services/drift/data/metric-results.ts'
import {
  simulatedLosses,
  simulatedUnits,
  type LossSetting,
  type UnitSetting,
} from '../../test/planted/simulated-cohorts.ts'

const SEED = 20260103
const STREAMS = 1000
const WINDOWS = 8
/** Levels of what the whole search may alarm by chance. */
const LEVELS = [0.006, 0.05] as const

const UNITS: UnitSetting[] = [
  { units: 2, size: 200 },
  { units: 4, size: 200 },
  { units: 20, size: 100 },
  { units: 4, size: 200, between: 0.1 },
  { units: 20, size: 100, between: 0.1 },
]
const LOSSES: LossSetting[] = [
  { names: 1, values: 4, size: 1000 },
  { names: 10, values: 5, size: 1000 },
  { names: 10, values: 5, size: 1000, between: 0.05 },
]

const isAlarm = (results: readonly MetricResult[]) => results[0]?.verdict === 'alarm'
const name = (between = 0) => (between === 0 ? 'sampling alone' : `they differ by ${between}`)

/** @param run whether the stream of a seed alarms at a level */
function rates(run: (seed: number, level: number) => boolean, streams: number): string {
  return LEVELS.map((level) => {
    let alarms = 0
    for (let i = 0; i < streams; i++) alarms += run(SEED + i, level) ? 1 : 0
    return (alarms / streams).toFixed(3)
  }).join(' | ')
}

/** Lines of the table; `scale` multiplies the streams of a cell. */
export function searchTable(scale: number): string[] {
  const streams = Math.max(20, Math.round(scale * STREAMS))
  const odd = (setting: UnitSetting, shift: number) =>
    rates((seed, level) => {
      const uniform = uniforms(seed)
      const reference = simulatedUnits(uniform, setting, WINDOWS)
      return isAlarm(
        evaluateOddOneOut(simulatedUnits(uniform, setting, 1, shift), reference, {
          kind: 'producer',
          kinds: 1,
          reference: 'baseline',
          without: '',
          windowAlpha: level / FAMILY_SHARES.odd_one_out,
        }),
      )
    }, streams)
  const worst = (setting: LossSetting, rise: number) =>
    rates((seed, level) => {
      const uniform = uniforms(seed)
      const reference = simulatedLosses(uniform, setting, WINDOWS)
      const hard = (own: number, value: number) => (own === 0 && value === 0 ? rise : 0)
      return isAlarm(
        evaluateCohortSearch(simulatedLosses(uniform, setting, 1, hard), reference, {
          kind: 'class',
          looks: 1,
          reference: 'baseline',
          without: '',
          windowAlpha: level / FAMILY_SHARES.cohort_search,
        }),
      )
    }, streams)
  const table = [
    '| what is searched | noise | streams | null at 0.006 | null at 0.05 | changed, at 0.006 | changed, at 0.05 |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ]
  const add = (line: string) => {
    table.push(line)
    console.log(line)
  }
  for (const setting of UNITS)
    add(
      `| ${setting.units} producers of ${setting.size} events; one is higher by 0.3 | ${name(setting.between)} | ${streams} | ${odd(setting, 0)} | ${odd(setting, 0.3)} |`,
    )
  for (const setting of LOSSES)
    add(
      `| ${setting.names * setting.values} cohorts of ${setting.size / setting.values} labelled; one errs by 0.25 more | ${name(setting.between)} | ${streams} | ${worst(setting, 0)} | ${worst(setting, 0.25)} |`,
    )
  return table
}
