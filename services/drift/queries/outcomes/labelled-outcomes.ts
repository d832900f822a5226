/**
 * Joined truth in SQL: outcomes and, for models that say what a missing label means, the
 * predictions without one.
 *
 * `received` (NULL where no label came), `reviewed`, `weight` (how many events it stands for, by the sampling of the stream and the draw for review), `predicted`, `positive`, `p`, `loss`, `square` and `error` are made beside the columns of outcomes.
 */
import type { Params } from '../../../../lib/clickhouse/port.ts'
import { durationMs } from '../../../../lib/runtime/durations.ts'
import type { Model } from '../../../../lib/models/model-files.ts'
import type { Window } from '../../../../lib/models/windows.ts'
import { LABEL_STANDS_FOR, STANDS_FOR } from '../../data/sampling.ts'
import {
  ALL,
  cohortCondition,
  paramsOf,
  sqlTime,
  UNSLICED_KEYS,
  within,
  type Cohort,
} from '../../data/cohort.ts'
import { cohortOfValue, isInSlice, sliceValue, type Slice } from '../../data/slices.ts'

/** Tables with the columns of `predictions` and `outcome_revisions`. */
export interface Tables {
  predictions: string
  outcomes: string
  /**
   * Whether the attributes of outcomes tell the slice that is asked for; otherwise it is told by
   * their predictions, which are joined.
   */
  attributesTell?: boolean
  /** Outcomes are the predictions themselves, as the rows of a table are: each tells its slice. */
  isOneTable?: boolean
  /** Outcomes that tell which predictions have a label; all of them unless given. */
  labelled?: string
}

/** As they came, without attributes that came apart. */
export const AS_STORED: Tables = {
  predictions: 'predictions',
  outcomes: 'outcome_revisions FINAL',
}

/**
 * Tables as they were known at a time, the parameter of `knownBy`: without labels and predictions
 * that came later. A label that was corrected since is left out: what it said before is kept
 * nowhere.
 */
export function knownTables(tables: Tables): Tables {
  const inSpans = `model_id = {model:String} AND ${within('predicted_at')}`
  const by = (column: string) => `${column} <= {as_of:DateTime64(3, 'UTC')}`
  const outcomes = (of: string) =>
    `(SELECT * FROM ${of} WHERE ${inSpans} AND ${by('label_received_at')} AND prediction_id IN (
      SELECT prediction_id FROM predictions WHERE ${inSpans} AND ${by('received_at')}))`
  return {
    ...tables,
    predictions: `(SELECT * FROM ${tables.predictions} WHERE ${inSpans} AND ${by('received_at')})`,
    outcomes: outcomes(tables.outcomes),
    labelled: outcomes(AS_STORED.outcomes),
  }
}

/** Shadows of all versions among them. */
export const EVERYTHING: Cohort = { ...ALL, withShadows: true }

const COLUMNS =
  'model_id, prediction_id, predicted_at, prediction, prediction_number, score, attributes, decision, subject_id, sampling_fraction'

/**
 * The class that was predicted. A score without one is a class by the threshold; below it, whatever
 * the label is called that is not positive.
 */
export const PREDICTED =
  "coalesce(prediction, if(isNull(score), NULL, multiIf(score >= {threshold:Float64}, {positive:String}, label != {positive:String}, label, concat('not ', {positive:String}))))"

/**
 * Whether the favourable class was predicted: by the class, or where there is none by the score and
 * the threshold, as {@link PREDICTED} reads it; NULL where there is neither. A score below the
 * threshold favours whoever wants the class that is not the positive one.
 */
export const SELECTED =
  'multiIf(isNotNull(prediction), prediction = {favorable:String}, isNull(score), NULL, (score >= {threshold:Float64}) = ({favorable:String} = {positive:String}))'

/** Whether a score can be a probability. 32-bit softmax sums reach a little beyond 1. */
export const IS_PROBABILITY = '(score >= -1e-6 AND score <= 1 + 1e-6)'

/** As a column of {@link truthOfEach} and {@link truthOfSlices}: the key or value of the cohort. */
export const OWN_KEY = 'own_key'

/**
 * The truth of every cohort without a slice: what is part of several comes once for each, told
 * apart by {@link OWN_KEY}.
 */
export const truthOfEach = (tables: Tables, model: Model) => {
  const more = `, arrayJoin(${UNSLICED_KEYS}) AS ${OWN_KEY}`
  return sourceOf(tables, model, EVERYTHING, { ofOutcomes: more, ofPredictions: more })
}

/** The truth of cohorts of one slice, told apart by {@link OWN_KEY}, the value of the cohort. */
export const truthOfSlices = (
  tables: Tables,
  model: Model,
  c: Cohort,
  slices: readonly Slice[],
) => {
  const [slice] = slices as [Slice]
  const has = slices.some(({ rest }) => rest)
    ? (value: string) => `${value} != ''`
    : (value: string) => `${value} IN {slice_values:Array(String)}`
  return slicedSource(
    tables,
    model,
    { ...c, slice },
    has,
    (value) => `, ${cohortOfValue(value)} AS ${OWN_KEY}`,
  )
}

/**
 * @returns a subselect; {@link truthParams} are its parameters. `models` may name several of which
 *   a missing label means nothing, and no slice is asked for
 */
export const truthSource = (tables: Tables, model: Model, c: Cohort) => {
  const { slice } = c
  return slice
    ? slicedSource(
        tables,
        model,
        { ...c, slice },
        (value) => isInSlice(slice, value),
        () => '',
      )
    : sourceOf(tables, model, c, { ofOutcomes: '', ofPredictions: '' })
}

/** @param has whether a value is asked for, in SQL; @param more columns made of the value, in SQL */
function slicedSource(
  tables: Tables,
  model: Model,
  c: Cohort & { slice: Slice },
  has: (value: string) => string,
  more: (value: string) => string,
) {
  const ofPrediction = sliceValue(c.slice)
  const ofOutcome = outcomeValue(tables, c.slice)
  const outcomes = outcomesWithValue(tables, c.slice)
  return sourceOf(
    { ...tables, outcomes },
    model,
    c,
    { ofOutcomes: more(ofOutcome), ofPredictions: more(ofPrediction) },
    { ofOutcomes: ` AND ${has(ofOutcome)}`, ofPredictions: ` AND ${has(ofPrediction)}` },
  )
}

/** SQL of the value of an outcome of {@link outcomesWithValue} in a slice. */
export const outcomeValue = ({ attributesTell, isOneTable }: Tables, slice: Slice) =>
  isOneTable ? sliceValue(slice) : attributesTell ? sliceValue(slice, 'outcomes') : 'cohort_value'

/** Outcomes with what {@link outcomeValue} reads: those of the spans, where predictions are joined. */
export function outcomesWithValue(tables: Tables, slice: Slice) {
  const { predictions, outcomes } = tables
  if (tables.attributesTell || tables.isOneTable) return outcomes
  const inSpans = `WHERE model_id = {model:String} AND ${within('predicted_at')}`
  return `(SELECT own.*, told.cohort_value AS cohort_value FROM (SELECT * FROM ${outcomes} ${inSpans}) AS own
    INNER JOIN (SELECT prediction_id, ifNull(${sliceValue(slice)}, '') AS cohort_value FROM ${predictions} ${inSpans} AND cohort_value != '') AS told USING (prediction_id))`
}

/** SQL that differs between outcomes and predictions. */
interface ByTable {
  ofOutcomes: string
  ofPredictions: string
}

function sourceOf(
  { predictions, outcomes, labelled = AS_STORED.outcomes }: Tables,
  model: Model,
  c: Cohort,
  more: ByTable,
  scope: ByTable = { ofOutcomes: '', ofPredictions: '' },
) {
  const where = `model_id IN {models:Array(String)} AND ${within('predicted_at')}${cohortCondition(c)}`
  const told = `SELECT ${COLUMNS}, label, label_number, CAST(label_received_at, 'Nullable(DateTime64(3))') AS received, source = 'human_review' AS reviewed, inclusion_probability${more.ofOutcomes}
    FROM ${outcomes} WHERE ${where}${scope.ofOutcomes} AND name = 'label' AND isNotNull(label)`
  const implied = `SELECT ${COLUMNS}, CAST({absent:String}, 'Nullable(String)'), toFloat64OrNull({absent:String}), NULL, false, NULL${more.ofPredictions}
    FROM ${predictions} WHERE ${where}${scope.ofPredictions} AND predicted_at < {implied_until:DateTime64(3, 'UTC')} AND prediction_id NOT IN (
      SELECT prediction_id FROM ${labelled} WHERE model_id = {model:String} AND ${within('predicted_at')} AND name = 'label' AND isNotNull(label))`
  return `(SELECT *,
      ${PREDICTED} AS predicted,
      label = {positive:String} AS positive,
      if(positive, score, 1 - score) AS p,
      if(${IS_PROBABILITY}, -log(least(greatest(p, 1e-15), 1 - 1e-15)), NULL) AS loss,
      if(${IS_PROBABILITY}, pow(1 - p, 2), NULL) AS square,
      prediction_number - label_number AS error,
      ${impliesLabels(model) ? STANDS_FOR : LABEL_STANDS_FOR} AS weight
    FROM (${impliesLabels(model) ? `${told} UNION ALL ${implied}` : told})
    SETTINGS do_not_merge_across_partitions_select_final = 1)`
}

/**
 * Whether a missing label means something once the label horizon has passed. Every prediction then
 * has a truth, so that a label drawn for review stands for no other.
 */
export const impliesLabels = (model: Model) => model.labels.absent_means !== 'unknown'

/**
 * @param completeUntil up to here all events are thought to have come: what is older than the
 * horizon has all its labels
 */
export function truthParams(
  model: Model,
  spans: readonly Window[],
  c: Cohort,
  completeUntil: number,
): Params {
  return {
    ...paramsOf(model.modelId, spans, c),
    models: [model.modelId],
    positive: model.positiveClass,
    threshold: model.threshold,
    absent: model.labels.absent_means,
    implied_until: sqlTime(Math.max(0, completeUntil - durationMs(model.labels.horizon))),
  }
}
