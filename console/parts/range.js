/** The range of time that a page shows, and which rows of an answer are the model's own. Pure. */

/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */
/**
 * @typedef {{ from?: string | undefined, to?: string | undefined, name: string, seconds?: [number,
 * number] | undefined, until?: number | undefined, asOf?: string | undefined, turn?: number }} Range
 */

/** Numbers that a model may be headed by, the first one unasked. @type {Record<string, string[]>} */
export const HEADLINES = {
  binary: ['accuracy', 'roc_auc', 'pr_auc', 'f1', 'log_loss', 'calibration_slope'],
  multiclass: ['accuracy', 'macro_f1', 'log_loss'],
  regression: ['mae', 'rmse', 'r2', 'bias'],
  ranking: ['ndcg_at_k', 'mrr', 'hit_rate_at_k'],
  forecast: ['pinball', 'mae', 'interval_coverage'],
}
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/**
 * How long a window is, about; undefined for windows of a number of events. @param {string} size
 */
function windowMs(size) {
  if (size === 'month') return 30.44 * UNIT_MS.d
  if (size === 'week') return UNIT_MS.w
  if (size === 'day') return UNIT_MS.d
  const [, count, unit] = /^(\d+)([mhdw])$/.exec(size) ?? []
  return count && unit ? Number(count) * UNIT_MS[unit] : undefined
}

/** The range of time that the address asks for. @returns {Range} */
export function rangeOf(address, model) {
  const { from, to, range = '90' } = address
  if (from && to)
    return { from, to, name: '', seconds: [Date.parse(from) / 1000, Date.parse(to) / 1000] }
  const size = windowMs(model.windows.size)
  const until = model.watermark ? Date.parse(model.watermark) / 1000 : undefined
  if (range === 'all' || !size || !model.watermark) return { name: range, until }
  return {
    from: new Date(Date.parse(model.watermark) - (Number(range) + 1) * size).toISOString(),
    name: range,
    until,
  }
}

/** The parameter of what was known at a time. @param {{ asOf?: string | undefined }} range */
export const asOfQuery = ({ asOf }) => (asOf ? `&as_of=${encodeURIComponent(asOf)}` : '')

/** The parameters of a range, for a query. @param {Range} range */
export const rangeQuery = (range) =>
  `${range.from ? `&from=${encodeURIComponent(range.from)}` : ''}${range.to ? `&to=${encodeURIComponent(range.to)}` : ''}${asOfQuery(range)}`

/** Changes when what is asked for over a range does, or has. @param {Range} range */
export const rangeKey = (range) => `${rangeQuery(range)} ${range.turn ?? 0}`

/**
 * A promotion made it the baseline; before its own windows are whole, the windows before it are.
 * @param {WindowMetric} row
 */
const isRenewed = ({ reference }) => /^(before )?version /.test(reference)

/**
 * Our own numbers, held against the baseline where they are held against one. @param
 * {WindowMetric[]} metrics @param {any} model
 */
export function ownRows(metrics, model) {
  const baseline = model.references.find((reference) => reference.baseline)?.name
  const renewed = new Set(metrics.filter(isRenewed).map((row) => row.window_end))
  return metrics.filter(
    (row) =>
      row.convention === 'plumbline' &&
      row.method !== 'poststratified' &&
      (row.reference === '' ||
        isRenewed(row) ||
        (row.reference === baseline && !renewed.has(row.window_end))),
  )
}

/**
 * One row a number: that of its newest window. A number has one for each reference that it was ever
 * held against.
 *
 * @param {readonly WindowMetric[]} rows
 */
export const newestRows = (rows) => [
  ...new Map(
    rows
      .toSorted((a, b) => (a.window_end < b.window_end ? -1 : 1))
      .map((row) => [JSON.stringify([row.family, row.metric, row.method, row.subject]), row]),
  ).values(),
]

/** Sets the shared range by a drag. */
export const zoomBy = (change) => (from, to) =>
  change({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), range: undefined })
