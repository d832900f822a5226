/** What a metric is thought to be of windows whose labels are still to come. Pure. */

/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */

const KINDS = /** @type {const} */ ([
  ['nowcast_', 'now-cast'],
  ['estimated_', 'estimated'],
])

/**
 * A metric and what stands for it before its labels are in, as the parameter `metric` takes them.
 * @param {string} metric
 */
export const withEstimates = (metric) =>
  [metric, ...KINDS.map(([prefix]) => `${prefix}${metric}`)].join(',')

/** How a number was come by that stands for another; '' of one that was measured. @param {string} name */
export const kindOfEstimate = (name) => KINDS.find(([prefix]) => name.startsWith(prefix))?.[1] ?? ''

/** Labels are still to come, and nothing was said of those that are in. @param {WindowMetric} row */
const isOpen = ({ label_maturity, verdict }) =>
  label_maturity !== null && label_maturity < 1 && (verdict === 'incomplete' || verdict === 'none')

/**
 * One row a window, in the order of time: the metric itself once its labels are in, or where a look
 * at some of them has a verdict; before that the now-cast, else the estimate from the scores, drawn
 * as what is not sure yet.
 *
 * @param {readonly WindowMetric[]} rows of {@link withEstimates}
 * @param {string} metric
 * @returns {WindowMetric[]}
 */
export function shownRows(rows, metric) {
  const own = new Map(
    rows.filter((row) => row.metric === metric).map((row) => [row.window_end, row]),
  )
  const better = new Map()
  for (const [prefix] of KINDS)
    for (const row of rows) {
      if (row.metric !== prefix + metric || row.value === null || better.has(row.window_end))
        continue
      const measured = own.get(row.window_end)
      if (measured && !isOpen(measured)) continue
      better.set(row.window_end, {
        ...row,
        label_maturity: measured?.label_maturity ?? 0,
        baseline_value: measured?.baseline_value ?? null,
        verdict: row.verdict === 'none' ? 'incomplete' : row.verdict,
      })
    }
  return [...new Map([...own, ...better]).values()].toSorted((a, b) =>
    a.window_end < b.window_end ? -1 : 1,
  )
}
