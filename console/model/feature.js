/** One feature: its history, and its values in a window over those of the baseline. */
import { html, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { Chart } from '../parts/chart.js'
import { Drawer } from '../parts/drawer.js'
import { DistributionView, movementOf } from '../parts/distribution.js'
import { Examples, RuleExamples } from '../parts/examples.js'
import { asOfQuery, ownRows, rangeKey, rangeQuery, zoomBy } from '../parts/range.js'
import { Badge, Failed, Loading, useAnswer } from '../parts/ui.js'
import { day, metricName, number, percent, probability, subjectName } from '../parts/words.js'

/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */

const SHOWN = [
  'psi',
  'ks',
  'wasserstein',
  'js_distance',
  'chi_squared',
  'location_shift',
  'scale_shift',
  'skew_shift',
  'domain_auc',
  'novelty',
  'mmd',
  'missing_ratio',
  'new_category_ratio',
  'type_mismatch_ratio',
  'out_of_range_ratio',
  'expectation_violation_ratio',
]
const SHARES = new Set([
  'missing_ratio',
  'new_category_ratio',
  'type_mismatch_ratio',
  'out_of_range_ratio',
  'expectation_violation_ratio',
])
/** The feature of a subject: one whose name begins with @ has one more in front. @param {string} subject */
const featureOf = (subject) => (subject.startsWith('@@') ? subject.slice(1) : subject)
const GRAVITY = ['alarm', 'warning', 'incomplete', 'ok', 'none']

/** All numbers of the window, what decided first. @param {{ rows: WindowMetric[] }} props */
function Numbers({ rows }) {
  const shown = rows
    .filter((row) => SHOWN.includes(row.metric) || row.verdict !== 'none')
    .toSorted(
      (a, b) =>
        GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict) ||
        SHOWN.indexOf(a.metric) - SHOWN.indexOf(b.metric),
    )
  return html`<table class="numbers">
    <thead>
      <tr>
        <th>Number</th>
        <th class="number">Value</th>
        <th class="number">Adjusted p</th>
        <th>Verdict</th>
      </tr>
    </thead>
    <tbody>
      ${shown.map(
        (row) =>
          html`<tr title=${row.reason}>
            <td>${metricName(row.metric)}</td>
            <td class="number">
              ${SHARES.has(row.metric) ? percent(row.value) : number(row.value)}
            </td>
            <td class="number">${probability(row.p_adjusted)}</td>
            <td>
              ${row.verdict === 'none' ? html`<span class="quiet">informs</span>` : html`<${Badge} verdict=${row.verdict} />`}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

/** The values of one window, in words and as bars. */
function Values({ path, subject, window, range }) {
  const query = new URLSearchParams({ subject, from: window.window_start, to: window.window_end })
  const { answer, error, isStale, again } = useAnswer(
    () => request(`${path}/distributions?${query}${asOfQuery(range)}`),
    [window.window_start, window.window_end, range.asOf],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="values" tall />`
  const moved = movementOf(answer)
  return html`<div class=${isStale ? 'stale' : ''}>
    ${moved.map((sentence) => html`<p class="said"><bdi>${sentence}</bdi></p>`)}
    <${DistributionView} distribution=${answer} />
  </div>`
}

/** What the feature's history is, and one window of it. */
function Content({ path, model, subject, range, change }) {
  const [picked, setPicked] = useState('')
  // Embeddings are vectors: they have no distribution to be drawn.
  const isVector = subject === '@embedding'
  const metric = isVector ? 'novelty' : 'psi'
  const { answer, error, again } = useAnswer(
    () =>
      request(
        `${path}/windows?family=drift&metric=${metric}&subject=${encodeURIComponent(subject)}${rangeQuery(range)}`,
      ),
    [subject, rangeKey(range)],
  )
  const history = answer && ownRows(answer.metrics, model)
  const window = history?.find((row) => row.window_end === picked) ?? history?.at(-1)
  const about = useAnswer(async () => {
    if (!window) return undefined
    const { window_start: from, window_end: to } = window
    const query = new URLSearchParams({ subject, from, to })
    return ownRows((await request(`${path}/windows?${query}${asOfQuery(range)}`)).metrics, model)
  }, [subject, window?.window_end, rangeKey(range)])
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!history) return html`<${Loading} what="the feature" tall />`
  if (!window) return html`<${RuleExamples} path=${path} rule=${subject} />`
  const gravest = about.answer?.toSorted(
    (a, b) => GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict),
  )[0]
  return html`${
      gravest &&
      gravest.verdict !== 'none' &&
      html`<p class="standing">
        <${Badge} verdict=${gravest.verdict} />
        ${`${metricName(gravest.metric)} ${number(gravest.value)}`}
        <span class="quiet small"> ${gravest.reason}</span>
      </p>`
    }
    ${
      !isVector &&
      html`<h3>Values, window to ${day(window.window_end)}</h3>
        <${Values} path=${path} subject=${subject} window=${window} range=${range} />`
    }
    <h3>
      ${metricName(metric)}${' '}<span class="quiet"
        >click a window to see its ${isVector ? 'numbers' : 'values'}</span
      >
    </h3>
    <${Chart}
      rows=${history}
      label="${metricName(metric)} of ${subject}"
      height=${150}
      range=${range}
      zoom=${zoomBy(change)}
      pick=${(row) => setPicked(row.window_end)}
    />
    <h3>Numbers of that window</h3>
    ${about.error && html`<${Failed} error=${about.error} retry=${about.again} />`}
    ${about.answer ? html`<${Numbers} rows=${about.answer} />` : !about.error && html`<${Loading} what="numbers" />`}
    <${Examples} path=${path} feature=${featureOf(subject)} window=${window} />`
}

/** A drawer over the page; Escape and its button close it. */
export function FeatureDrawer({ subject, change, ...shared }) {
  const close = () => change({ feature: undefined })
  return html`<${Drawer} title=${subjectName(subject)} close=${close}>
    <${Content} subject=${subject} change=${change} ...${shared} />
  <//>`
}
