/**
 * Counts what violates expectations from stored rows, at the time a window is evaluated: each row
 * that is stored counts once, whenever a rule was declared. See decision 32.
 */
import type { ClickHouse } from '../../../../lib/clickhouse/port.ts'
import { namesAsked, type ExpectationRule } from '../../../../lib/models/expectations/rules.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { ALL, paramsOf, within } from '../../data/cohort.ts'
import {
  addedCounts,
  MAX_EXAMPLES,
  NO_COUNTS,
  type RuleCounts,
  type RuleExample,
  type ViolationsOfCohort,
} from '../../data/expectations.ts'
import { STANDS_FOR } from '../../data/sampling.ts'
import { bound, checkSql, monotoneSql, type Bound } from './expectation-sql.ts'

/** Rules of a model, and the window they are asked of. */
export interface ExpectationQuestion {
  modelId: string
  window: Window
  rules: readonly ExpectationRule[]
}

const ROWS = `predictions WHERE model_id = {model:String} AND ${within('predicted_at')}`
/** Most rules of which examples are kept in a window. */
const MAX_RULES_WITH_EXAMPLES = 50
/** Characters of an example's values. */
const MAX_DETAIL = 2000

/** Rules that one statement answers, as a source of rows with an array of what holds of each. */
interface Statement {
  rules: readonly ExpectationRule[]
  from: (columns: string) => string
  to: Bound
}

/** One for all rules about single events, and one for each rule about a series. */
function statementsOf(rules: readonly ExpectationRule[]): Statement[] {
  const single = rules.filter(({ asks }) => asks.kind !== 'monotone')
  const statements: Statement[] = []
  if (single.length > 0) {
    const to = bound()
    const holds = single.map(({ asks }) => `toNullable(${singleSql(asks, to)})`).join(', ')
    statements.push({
      rules: single,
      to,
      from: (columns) => `(SELECT ${columns}, [${holds}] AS holds FROM ${ROWS})`,
    })
  }
  for (const rule of rules) {
    if (rule.asks.kind !== 'monotone') continue
    const to = bound()
    const { value, series, isIn, before, holds } = monotoneSql(rule.asks, to)
    statements.push({
      rules: [rule],
      to,
      from: (columns) =>
        `(SELECT ${columns}, [toNullable(${holds})] AS holds FROM (
           SELECT *, ${before} AS own_before FROM (
             SELECT *, toNullable(${value}) AS own_value, ${series} AS own_series FROM ${ROWS}) WHERE isNotNull(own_value) AND ${isIn.replaceAll(series, 'own_series')}))`,
    })
  }
  return statements
}

function singleSql(asks: ExpectationRule['asks'], to: Bound): string {
  if (asks.kind === 'event') return checkSql(asks.holds, to)
  const withinMs = asks.kind === 'freshness' ? asks.withinMs : 0
  return `toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(predicted_at) <= ${to.put('Float64', withinMs)}`
}

interface CountRow {
  version: string
  variant: string
  shadow: boolean
  asked: number[]
  violated: number[]
  asked_weight: number[]
  violated_weight: number[]
}

/**
 * How many events of a window each rule was asked of, and how many violate it, by version and
 * variant; the counts follow the order of the rules.
 */
export async function countViolations(
  db: ClickHouse,
  { modelId, window, rules }: ExpectationQuestion,
): Promise<ViolationsOfCohort[]> {
  const cohorts = new Map<string, ViolationsOfCohort>()
  for (const { rules: asked, from, to } of statementsOf(rules)) {
    const rows = await db.query<CountRow>(
      `SELECT model_version AS version, variant, shadow,
         sumForEach(arrayMap(ok -> toFloat64(isNotNull(ok)), holds)) AS asked,
         sumForEach(arrayMap(ok -> toFloat64(ifNull(ok = 0, 0)), holds)) AS violated,
         sumForEach(arrayMap(ok -> if(isNotNull(ok), w, 0), holds)) AS asked_weight,
         sumForEach(arrayMap(ok -> if(ifNull(ok = 0, 0), w, 0), holds)) AS violated_weight
       FROM ${from(`model_version, variant, shadow, ${STANDS_FOR} AS w`)} GROUP BY version, variant, shadow ORDER BY version, variant, shadow`,
      { ...paramsOf(modelId, [window], ALL), ...to.params },
    )
    for (const row of rows) addCounts(cohorts, row, asked)
  }
  await addRefusals(db, { modelId, window, rules }, cohorts)
  return [...cohorts.values()]
}

interface RefusalRow {
  version: string
  variant: string
  shadow: boolean
  rule: string
  refused: string
  weight: number
}

/** Adds the events that were refused for a rule: they were asked, and violated it. */
async function addRefusals(
  db: ClickHouse,
  { modelId, window, rules }: ExpectationQuestion,
  cohorts: Map<string, ViolationsOfCohort>,
): Promise<void> {
  const names = rules.filter(({ rejects }) => rejects).map(({ name }) => name)
  if (names.length === 0) return
  const rows = await db.query<RefusalRow>(
    `SELECT model_version AS version, variant, shadow, rule, sum(expectation_refusals.refused) AS refused, sum(expectation_refusals.weight) AS weight
     FROM expectation_refusals WHERE model_id = {model:String} AND ${within('step')} AND rule IN {names:Array(String)}
     GROUP BY version, variant, shadow, rule`,
    { ...paramsOf(modelId, [window], ALL), names },
  )
  for (const { rule, refused, weight, ...of } of rows) {
    const cohort = cohortIn(cohorts, of)
    const own = Number(refused)
    const counts = {
      asked: own,
      violated: own,
      askedWeight: weight,
      violatedWeight: weight,
      refused: own,
    }
    cohort.rules.set(rule, addedCounts(cohort.rules.get(rule) ?? NO_COUNTS, counts))
  }
}

function cohortIn(
  cohorts: Map<string, ViolationsOfCohort>,
  { version, variant, shadow }: Pick<ViolationsOfCohort, 'version' | 'variant' | 'shadow'>,
): ViolationsOfCohort {
  const key = JSON.stringify([version, variant, shadow])
  const cohort = cohorts.get(key) ?? { version, variant, shadow, rules: new Map() }
  cohorts.set(key, cohort)
  return cohort
}

function addCounts(
  cohorts: Map<string, ViolationsOfCohort>,
  row: CountRow,
  rules: readonly ExpectationRule[],
): void {
  const cohort = cohortIn(cohorts, row)
  rules.forEach(({ name }, i) => {
    const counts: RuleCounts = {
      asked: row.asked[i]!,
      violated: row.violated[i]!,
      askedWeight: row.asked_weight[i]!,
      violatedWeight: row.violated_weight[i]!,
      refused: 0,
    }
    cohort.rules.set(name, counts)
  })
}

/**
 * Events of a window that violate rules: of each rule at most {@link MAX_EXAMPLES}, drawn by their
 * ids, so that the same window has the same. Shadows are left out.
 *
 * @param violated names of rules that have violations, the worst first; of the first 50 examples
 *   are read
 */
export async function violationExamples(
  db: ClickHouse,
  { modelId, window, rules }: ExpectationQuestion,
  violated: readonly string[],
): Promise<RuleExample[]> {
  const wanted = new Set(violated.slice(0, MAX_RULES_WITH_EXAMPLES))
  const found: RuleExample[] = []
  for (const { rules: asked, from, to } of statementsOf(
    rules.filter(({ name }) => wanted.has(name)),
  )) {
    const names = asked.map(
      ({ asks }) =>
        `[${namesAsked(asks)
          .map((name) => to.put('String', name))
          .join(', ')}]`,
    )
    const columns = `prediction_id, model_version, predicted_at, shadow, variant,
      [${asked.map((_, i) => `substringUTF8(toJSONString(mapFilter((k, v) -> has(CAST(${names[i]}, 'Array(String)'), k), features)), 1, ${MAX_DETAIL})`).join(', ')}] AS details`
    const tuple = (i: number) =>
      `groupArraySortedIf(${MAX_EXAMPLES})(tuple(sipHash64(prediction_id), prediction_id, toString(model_version), toString(predicted_at), details[${i + 1}]), ifNull(holds[${i + 1}] = 0, 0))`
    const [row] = await db.query<{ found: [string, string, string, string, string][][] }>(
      `SELECT [${asked.map((_, i) => tuple(i)).join(', ')}] AS found FROM ${from(columns)} WHERE NOT shadow`,
      { ...paramsOf(modelId, [window], ALL), ...to.params },
    )
    asked.forEach(({ name }, i) => {
      for (const [, predictionId, modelVersion, predictedAt, detail] of row?.found[i] ?? [])
        found.push({ subject: name, predictionId, modelVersion, predictedAt, score: null, detail })
    })
  }
  return found
}
