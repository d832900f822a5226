/** Predictions and truth per group of a protected attribute. */
import type { ClickHouse, Params } from '../../../../lib/clickhouse/port.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import { kishFactor, STANDS_FOR, type Weights } from '../../data/sampling.ts'
import { cohortCondition, within, type Cohort } from '../../data/cohort.ts'
import { impliesLabels, SELECTED, truthSource, type Tables } from './labelled-outcomes.ts'
import { MISSING_GROUP, type GroupCounts } from '../../data/window-data.ts'

/** Sums of weights: of the predictions of a group, and of those whose truth is known. */
interface GroupRow extends Weights, Record<Truth, number> {
  group: string
  favorable: number
  decided: number
  favorable_labels: number
  favorable_hits: number
  known: number
  known_squares: number
  drawn: number
  labelled: number
  reviewed: number
  delay: number | null
}
type Truth = 'tp' | 'fp' | 'fn' | 'tn'

/** What a group is worth: as many as it has, where nothing was sampled. */
function groupOf({ group, delay, ...sums }: GroupRow, isWeighted: boolean): GroupCounts {
  const factor = kishFactor(sums)
  const ofKnown = kishFactor({ weight: sums.known, squares: sums.known_squares })
  return {
    group,
    predictions: sums.weight * factor,
    favorable: sums.favorable * factor,
    decided: sums.decided * factor,
    favorableLabels: sums.favorable_labels * ofKnown,
    favorableHits: sums.favorable_hits * ofKnown,
    tp: sums.tp * ofKnown,
    fp: sums.fp * ofKnown,
    fn: sums.fn * ofKnown,
    tn: sums.tn * ofKnown,
    ...(isWeighted && sums.drawn > 0 && { drawn: sums.drawn }),
    feedback: {
      // Shares of the predictions.
      labelled: sums.labelled * factor,
      reviewed: sums.reviewed * factor,
      delayP50Seconds: delay,
    },
  }
}

/**
 * Reads the groups of an attribute. Events without it are the group `(missing)`; cells of truth are
 * those of the positive class.
 *
 * @param truth with the parameters of `labelled-outcomes.ts`
 */
export async function readGroups(
  db: ClickHouse,
  model: Model,
  attribute: string,
  c: Cohort,
  truth: { tables: Tables; params: Params },
): Promise<GroupCounts[]> {
  const params = {
    ...truth.params,
    ...Object.fromEntries(attribute.split('&').map((name, i) => [`attribute_${i}`, name])),
    favorable: model.fairness.favorable,
  }
  // An intersection, `sex&race`, has groups such as `1&race=2`: after `sex=` they read as one.
  const names = attribute.split('&')
  const valueOf = (i: number) =>
    `if(attributes[{attribute_${i}:String}] = '', '${MISSING_GROUP}', attributes[{attribute_${i}:String}])`
  const group = `concat(${names.map((_, i) => (i === 0 ? valueOf(0) : `'&', {attribute_${i}:String}, '=', ${valueOf(i)}`)).join(', ')}, '')`
  const { tables } = truth
  const rows = await db.query<GroupRow>(
    `SELECT group, sum(weight) AS weight, sum(squares) AS squares, sum(favorable) AS favorable, sum(decided) AS decided, sum(known) AS known, sum(known_squares) AS known_squares,
       sum(favorable_labels) AS favorable_labels, sum(favorable_hits) AS favorable_hits, sum(tp) AS tp, sum(fp) AS fp, sum(fn) AS fn, sum(tn) AS tn, toFloat64(sum(drawn)) AS drawn, sum(labelled) AS labelled, sum(reviewed) AS reviewed, max(delay) AS delay FROM (
       SELECT ${group} AS group, sum(stands_for) AS weight, sum(stands_for * stands_for) AS squares, sumIf(stands_for, selected) AS favorable, sumIf(stands_for, isNotNull(selected)) AS decided,
         0 AS known, 0 AS known_squares, 0 AS favorable_labels, 0 AS favorable_hits, 0 AS tp, 0 AS fp, 0 AS fn, 0 AS tn, 0 AS drawn, 0 AS labelled, 0 AS reviewed, NULL AS delay
       FROM (SELECT attributes, ${SELECTED} AS selected, ${STANDS_FOR} AS stands_for
         FROM ${tables.predictions} WHERE model_id = {model:String} AND ${within('predicted_at')}${cohortCondition(c)}) GROUP BY group
       UNION ALL
       SELECT ${group} AS group, 0, 0, 0, 0, sum(truth.weight), sum(truth.weight * truth.weight),
         sumIf(truth.weight, label = {favorable:String}), sumIf(truth.weight, selected AND label = {favorable:String}),
         sumIf(truth.weight, is_positive AND positive), sumIf(truth.weight, is_positive AND NOT positive),
         sumIf(truth.weight, NOT is_positive AND positive), sumIf(truth.weight, NOT is_positive AND NOT positive), count(inclusion_probability),
         sumIf(stands_for, isNotNull(received)), sumIf(stands_for, reviewed), quantileExactOrNull(0.5)((toUnixTimestamp64Milli(received) - toUnixTimestamp64Milli(predicted_at)) / 1000)
       FROM (SELECT *, ${SELECTED} AS selected, predicted = {positive:String} AS is_positive, ${STANDS_FOR} AS stands_for FROM ${truthSource(tables, model, c)}) AS truth WHERE isNotNull(selected)
       GROUP BY group
     ) GROUP BY group ORDER BY sum(weight) DESC, group LIMIT 50`,
    params,
  )
  return rows.map((row) => groupOf(row, !impliesLabels(model)))
}
