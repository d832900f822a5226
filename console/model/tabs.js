/**
 * What each tab of a model shows: charts that are asked for when they are seen, features in one
 * table.
 */
import { html } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { Chart } from '../parts/chart.js'
import { newestRows, ownRows, rangeKey, rangeQuery, zoomBy } from '../parts/range.js'
import { Features } from './features.js'
import { Judges } from './judges.js'
import { nameOf } from './judgements.js'
import { Badge, Empty, Failed, Loading, useAnswer, WhenSeen } from '../parts/ui.js'
import { day, metricName, number, percent } from '../parts/words.js'

/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */

const GRAVITY = ['alarm', 'warning', 'incomplete', 'ok', 'none']
const byGravity = (a, b) =>
  GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict) || (a.metric < b.metric ? -1 : 1)
const NOTHING = {
  performance: 'No window of this range has labels. Send them to /v1/labels.',
  drift: 'No window of this range was compared with the baseline.',
  quality: 'No window of this range has closed.',
  fairness: 'No attribute is declared: name them under fairness.attributes of the model file.',
  operations: 'No window of this range has closed.',
  feedback:
    'No window of this range has labels by a name of their own, such as ratings and judgements. Send them to /v1/labels.',
}

/** What a method made of labels; of those that were taken as they came nothing is said. */
const METHODS = {
  weighted: 'weighted labels',
  poststratified: 'labels of each score',
  nowcast: 'some labels still to come',
  cbpe: 'without labels',
  dle: 'without labels',
}

/** One number over the range; it asks for itself when it is seen. */
function MetricChart({ path, model, row, range, change }) {
  const { family, metric, subject } = row
  const query = new URLSearchParams({ family, metric, subject })
  const { answer, error, again } = useAnswer(
    () => request(`${path}/windows?${query}${rangeQuery(range)}`),
    [rangeKey(range)],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what=${nameOf(row)} />`
  const rows = ownRows(answer.metrics, model).filter((one) => one.method === row.method)
  return html`<${Chart}
    rows=${rows}
    label=${nameOf(row)}
    height=${130}
    range=${range}
    zoom=${zoomBy(change)}
  />`
}

/** Charts of one family, at most: labels may have hundreds of names. */
const MAX_CHARTS = 60

/**
 * A chart for each number, what decided first.
 *
 * @param {{ rows: WindowMetric[] } & Record<string, any>} props
 */
export const Charts = ({ rows, ...shared }) =>
  html`${rows.length > MAX_CHARTS && html`<p class="quiet small">${MAX_CHARTS} of ${rows.length} numbers are drawn, the gravest first.</p>`}
    <div class="charts">
      ${rows.slice(0, MAX_CHARTS).map(
        (row) =>
          html`<figure key=${`${row.metric}/${row.method}/${row.subject}`}>
            <figcaption>
              <span
                ><bdi>${nameOf(row)}</bdi
                >${METHODS[row.method] && html` <span class="quiet">${METHODS[row.method]}</span>`}</span
              >
              <span>
                <span class="value">${number(row.value)}</span>
                ${row.verdict !== 'none' && html` <${Badge} verdict=${row.verdict} />`}
              </span>
            </figcaption>
            <${WhenSeen} height="chart-room"
              >${() => html`<${MetricChart} row=${row} ...${shared} />`}<//
            >
          </figure>`,
      )}
    </div>`

/** Groups beside one another, with their intervals. @param {{ rows: WindowMetric[] }} props */
function Groups({ rows }) {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Verdict</th>
          <th>Group</th>
          <th>Metric</th>
          <th class="number">Value</th>
          <th class="number">Interval</th>
          <th class="number">Line</th>
          <th class="number">Events</th>
          <th>Window to</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr key=${`${row.subject}/${row.metric}`}>
              <td>
                <${Badge}
                  verdict=${row.verdict}
                  text=${row.verdict === 'none' ? 'informs' : row.verdict}
                />
              </td>
              <td><bdi>${row.subject}</bdi></td>
              <td>${metricName(row.metric)}</td>
              <td class="number">${number(row.value)}</td>
              <td class="number quiet">
                ${row.ci_low === null ? '–' : `${number(row.ci_low)} to ${number(row.ci_high)}`}
              </td>
              <td class="number quiet">${number(row.threshold)}</td>
              <td class="number quiet">${Number(row.n_current).toLocaleString('en')}</td>
              <td class="quiet">${day(row.window_end)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

/**
 * What lies under a window's numbers: how much came, and how much is labelled. @param {{ rows:
 * WindowMetric[] }} props
 */
export function RestsOn({ rows }) {
  const newest = rows.toSorted((a, b) => (a.window_end < b.window_end ? 1 : -1))[0]
  if (!newest) return ''
  return html`<p class="quiet small">
    Window to ${day(newest.window_end)}: ${Number(newest.n_current).toLocaleString('en')} events
    ${
      newest.completeness === null
        ? '; producers do not number their events, so what was lost is not known'
        : `, ${percent(newest.completeness)} of those emitted`
    }.
  </p>`
}

/**
 * @param {{ family: string, path: string, model: any, address: any, change: any, range: any }}
 * props
 */
export function Panel({ family, ...shared }) {
  const { path, model, range } = shared
  const isWhole = family !== 'fairness' && family !== 'feedback'
  const { answer, error, again } = useAnswer(
    () =>
      request(
        `${path}/windows?family=${family}&newest=true${isWhole ? '&subject=' : ''}${rangeQuery(range)}`,
      ),
    [family, rangeKey(range)],
  )
  const rows = answer && newestRows(ownRows(answer.metrics, model)).toSorted(byGravity)
  const hasFeatures = family === 'drift' || family === 'quality'
  return html`${error && html`<${Failed} error=${error} retry=${again} />`}
  ${hasFeatures && html`<${Features} key=${family} family=${family} ...${shared} />`}
  ${!answer && !error && html`<${Loading} what=${family} tall />`}
  ${rows?.length === 0 && !hasFeatures && html`<${Empty}>${NOTHING[family]}<//>`}
  ${
    rows &&
    rows.length > 0 &&
    html` ${hasFeatures && html`<h2>${family === 'drift' ? 'All features together' : 'All events together'}</h2>`}
      ${family === 'fairness' ? html`<${Groups} rows=${rows} />` : html`<${Charts} rows=${rows} ...${shared} />`}
      <${RestsOn} rows=${rows} />`
  }
  ${family === 'feedback' && html`<${Judges} path=${path} />`}`
}
