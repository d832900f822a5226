/** The one number a model is for, over the range that all charts of the page share. */
import { html } from '/console/vendor/preact.js'
import { request } from './page.js'
import { Chart } from './chart.js'
import { kindOfEstimate, shownRows, withEstimates } from './model-estimates.js'
import { Badge, Empty, Failed, Loading, useAnswer } from './ui.js'
import { day, metricName, number, percent, plural } from './words.js'

/** @typedef {import('../schemas/http/metric-results.ts').WindowMetric} WindowMetric */
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
const PRESETS = /** @type {const} */ ([
  ['30', '30 windows'],
  ['90', '90 windows'],
  ['all', 'All'],
])
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

/** Sets the shared range by a drag. */
export const zoomBy = (change) => (from, to) =>
  change({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), range: undefined })

/** @param {{ range: Range, change: any }} props */
function RangePicker({ range, change }) {
  return html`<div class="ranges" role="group" aria-label="Range of time">
    ${PRESETS.map(
      ([name, text]) =>
        html`<button
          aria-pressed=${range.name === name}
          onClick=${() => change({ range: name === '90' ? undefined : name, from: undefined, to: undefined })}
        >
          ${text}
        </button>`,
    )}
    ${
      range.name === '' &&
      html`<button aria-pressed="true" onClick=${() => change({ from: undefined, to: undefined })}>
        ${day(range.from)} – ${day(range.to)} ✕
      </button>`
    }
  </div>`
}

/** What the newest window will read, where that is told before its labels are in. */
function newestInWords(rows) {
  const newest = rows.at(-1)
  const kind = kindOfEstimate(newest.metric)
  if (kind === '') return ''
  const interval =
    newest.ci_low === null ? '' : ` (${number(newest.ci_low)} to ${number(newest.ci_high)})`
  return `, the newest ${kind} at ${number(newest.value)}${interval}`
}

/**
 * The newest known value in large, with what it rests on. @param {{ rows: WindowMetric[], metric:
 * string }} props
 */
function Figure({ rows, metric }) {
  const last =
    rows.findLast((row) => row.value !== null && row.verdict !== 'incomplete') ??
    rows.findLast((row) => row.value !== null)
  if (!last) return ''
  const pending = rows.filter((row) => row.window_end > last.window_end).length
  const kind = kindOfEstimate(last.metric)
  return html`<div class="figure">
    <span class="value">${number(last.value)}</span>
    <span class="rest">
      ${last.verdict !== 'none' && html`<${Badge} verdict=${last.verdict} text=${kind || last.verdict} /> `}
      ${last.ci_low !== null && html`<span>${number(last.ci_low)} to ${number(last.ci_high)} (95 %)</span> `}
      ${(last.baseline_value ?? null) !== null && html`<span>baseline ${number(last.baseline_value)}</span> `}
      <span class="quiet">
        window to ${day(last.window_end)}, ${plural(Number(last.n_labelled), 'label')} of
        ${' '}${plural(Number(last.n_current), 'prediction')}${
          last.label_maturity !== null && last.label_maturity < 1
            ? `, ${percent(last.label_maturity)} past the label horizon`
            : ''
        }${pending > 0 ? `; ${plural(pending, 'newer window awaits', 'newer windows await')} labels` : ''}${pending > 0 && newestInWords(rows)}
      </span>
    </span>
    <span class="hidden">${metricName(metric)}</span>
  </div>`
}

/**
 * Every window as a row, for those who do not see the chart. @param {{ rows: WindowMetric[] }}
 * props
 */
const AsTable = ({ rows }) =>
  html`<details class="as-table">
    <summary>The same as a table</summary>
    <div class="scroll" tabindex="0" role="region" aria-label="Windows as a table">
      <table>
        <thead>
          <tr>
            <th>Window to</th>
            <th class="number">Value</th>
            <th class="number">Interval</th>
            <th class="number">Baseline</th>
            <th>Verdict</th>
            <th>Why</th>
          </tr>
        </thead>
        <tbody>
          ${rows.toReversed().map(
            (row) =>
              html`<tr>
                <td>${day(row.window_end)}</td>
                <td class="number">${number(row.value)}</td>
                <td class="number">
                  ${row.ci_low === null ? '–' : `${number(row.ci_low)} to ${number(row.ci_high)}`}
                </td>
                <td class="number">${number(row.baseline_value)}</td>
                <td><${Badge} verdict=${row.verdict} /></td>
                <td class="quiet">${row.reason}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`

const Key = () =>
  html`<p class="key">
    <span class="swatch line"></span> value and its interval
    <span class="swatch dash"></span> baseline <span class="swatch hollow"></span> estimated, or not
    enough data <span class="swatch young"></span> labels still to come
    <span class="swatch episode"></span> alert episode
    <span class="quiet">Drag to zoom.</span>
  </p>`

/** @param {{ path: string, model: any, address: any, change: any, range: Range }} props */
export function Headline({ path, model, address, change, range }) {
  const choices = HEADLINES[model.task] ?? ['accuracy', 'mae']
  const metric = address.metric ?? choices[0]
  const { answer, error, isStale, again } = useAnswer(
    () =>
      request(
        `${path}/windows?family=performance&subject=&metric=${encodeURIComponent(withEstimates(metric))}${rangeQuery(range)}`,
      ),
    [metric, rangeKey(range)],
  )
  const rows = answer && shownRows(ownRows(answer.metrics, model), metric)
  return html`<section
    class="panel headline ${isStale && answer ? 'stale' : ''}"
    aria-label="Headline performance"
  >
    <div class="bar-row">
      <label>
        <span class="hidden">Headline metric</span>
        <select
          onChange=${(event) => change({ metric: event.target.value === choices[0] ? undefined : event.target.value })}
        >
          ${[...new Set([...choices, metric])].map(
            (one) =>
              html`<option value=${one} selected=${one === metric}>${metricName(one)}</option>`,
          )}
        </select>
      </label>
      <${RangePicker} range=${range} change=${change} />
    </div>
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!rows && !error && html`<${Loading} what="performance" tall />`}
    ${
      rows?.length === 0 &&
      html`<${Empty}>
        No window of this range has ${metricName(metric).toLowerCase()} yet: it needs labels, sent
        to ${' '}<code>/v1/labels</code>.
      <//>`
    }
    ${
      rows &&
      rows.length > 0 &&
      html`<${Figure} rows=${rows} metric=${metric} />
        <${Chart}
          rows=${rows}
          label=${metricName(metric)}
          height=${290}
          range=${range}
          zoom=${zoomBy(change)}
        />
        <${Key} />
        <${AsTable} rows=${rows} />`
    }
  </section>`
}
