/** One row a cohort that sums up its labelled outcomes, each event once and unweighted. */

/** Sums over labelled outcomes as they came, each event once. */
export interface SummaryRow {
  /** What it is of: a value of a slice, or '' for all. */
  part: string
  labelled: string
  /** Labels that carry an inclusion probability. */
  drawn: string
  weight: number
  squares: number
  delay: number | null
  /** Labelled predictions with a score, and those whose score can be a probability. */
  scores: string
  losses: string
  loss: number | null
  loss_deviation: number | null
  square: number | null
  square_deviation: number | null
  numbers: string
  absolute: number | null
  absolute_deviation: number | null
  squared: number | null
  squared_deviation: number | null
  label_variance: number | null
  bias: number | null
  bias_deviation: number | null
  relative: number | null
  relative_deviation: number | null
  nonzero: string
  label_total: number | null
  label_mean: number | null
  classes: string
}

/**
 * Sums up, apart by an expression. Moments are the stable ones: the plain ones cancel where numbers
 * are large beside their spread.
 */
export const summary = (source: string, part: string) =>
  `SELECT ${part} AS part, count() AS labelled, count(inclusion_probability) AS drawn, sum(weight) AS weight, sum(truth.weight * truth.weight) AS squares,
     quantileExactOrNull(0.5)((toUnixTimestamp64Milli(received) - toUnixTimestamp64Milli(predicted_at)) / 1000) AS delay,
     count(score) AS scores, count(loss) AS losses, avg(loss) AS loss, stddevSampStable(loss) AS loss_deviation, avg(square) AS square, stddevSampStable(square) AS square_deviation,
     count(error) AS numbers, avg(abs(error)) AS absolute, stddevSampStable(abs(error)) AS absolute_deviation,
     avg(error * error) AS squared, stddevSampStable(error * error) AS squared_deviation,
     varPopStableIf(label_number, isNotNull(error)) AS label_variance,
     avg(error) AS bias, stddevSampStable(error) AS bias_deviation,
     avgIf(abs(error / label_number), label_number != 0) AS relative, stddevSampStableIf(abs(error / label_number), label_number != 0) AS relative_deviation,
     countIf(isNotNull(error) AND label_number != 0) AS nonzero, sumIf(abs(label_number), isNotNull(error)) AS label_total,
     avgIf(label_number, isNotNull(error)) AS label_mean,
     uniq(label) AS classes
   FROM ${source} AS truth GROUP BY part`
