/** Groups beside the privileged one: differences with intervals against the limits, and whose truth comes late. */
import { html } from '/console/vendor/preact.js'
import { domainOf, IntervalPlot, WithInterval } from '../parts/interval.js'
import { request } from '../parts/page.js'
import { Badge, Empty, Failed, Loading, useAnswer } from '../parts/ui.js'
import { duration, metricName, number, percent, sentence } from '../parts/words.js'

/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */

const COMPARED = [
  'statistical_parity_difference',
  'disparate_impact_ratio',
  'equal_opportunity_difference',
  'false_positive_rate_difference',
  'true_positive_rate_difference',
  'predictive_parity_difference',
]
const RATES = [
  'selection_rate',
  'true_positive_rate',
  'false_positive_rate',
  'false_negative_rate',
  'precision',
]
const TRUTH = ['label_coverage', 'review_exposure', 'label_delay_p50_s']

/** The attribute that a group is of: of `sex=1&race=2` it is `sex and race`. @param {string} subject */
const attributeOf = (subject) =>
  subject
    .split('&')
    .map((part) => part.split('=')[0])
    .join(' and ')

/** Between which limits nothing alarms. @param {WindowMetric} row @returns {[number, number]} */
const limitsOf = ({ metric, threshold }) => {
  const limit = threshold ?? 0.1
  return metric.endsWith('_ratio') ? [limit, 1 / limit] : [-limit, limit]
}

/** Groups of one attribute with their intervals. @param {{ name: string, rows: WindowMetric[] }} props */
function Forest({ name, rows }) {
  const isRatio = rows[0].metric.endsWith('_ratio')
  const band = limitsOf(rows[0])
  const domain = domainOf(
    rows.flatMap((row) => [row.ci_low, row.ci_high, row.value]),
    [...band, isRatio ? 1 : 0],
  )
  return html`<h3><bdi>${name}</bdi></h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Groups of ${name}">
      <table class="forest">
        <thead>
          <tr>
            <th>Group</th>
            <th class="number">Value</th>
            <th>Interval, and the limits ${number(band[0])} to ${number(band[1])}</th>
            <th>Verdict</th>
            <th class="number">Cases, of the privileged group</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr key=${row.subject} title=${row.reason}>
                <td class="name"><bdi>${row.subject}</bdi></td>
                <td class="number">
                  <${WithInterval} value=${row.value} low=${row.ci_low} high=${row.ci_high} />
                </td>
                <td class="plot-cell">
                  ${
                    row.value !== null &&
                    html`<${IntervalPlot}
                      value=${row.value}
                      low=${row.ci_low}
                      high=${row.ci_high}
                      domain=${domain}
                      band=${band}
                      line=${isRatio ? 1 : 0}
                      verdict=${row.verdict}
                      label="${metricName(row.metric)} of ${row.subject}"
                    />`
                  }
                </td>
                <td>
                  <${Badge}
                    verdict=${row.verdict}
                    text=${{ none: 'informs', ok: 'within', alarm: 'beyond the limit', incomplete: 'too few' }[row.verdict] ?? row.verdict}
                  />
                  ${row.verdict === 'incomplete' && row.reason && html`<span class="quiet small why">${sentence(row.reason)}.</span>`}
                </td>
                <td class="number quiet">
                  ${`${Number(row.n_current).toLocaleString('en')}, ${Number(row.n_reference).toLocaleString('en')}`}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

/** Differences of one metric, attribute by attribute. @param {{ rows: WindowMetric[], address: any, change: any }} props */
function Comparisons({ rows, address, change }) {
  const known = COMPARED.filter((metric) => rows.some((row) => row.metric === metric))
  const chosen = known.includes(address.fair) ? address.fair : known[0]
  const own = rows.filter((row) => row.metric === chosen)
  return html`<section class="panel" aria-labelledby="groups">
    <div class="bar-row">
      <h2 id="groups" class="grow">Groups beside the privileged one</h2>
      <label>
        <span class="hidden">Fairness metric</span>
        <select onChange=${(event) => change({ fair: event.target.value })}>
          ${known.map((metric) => html`<option value=${metric} selected=${metric === chosen}>${metricName(metric)}</option>`)}
        </select>
      </label>
    </div>
    ${
      own.length === 0
        ? html`<${Empty}>No group is compared in this window.<//>`
        : [...Map.groupBy(own, ({ subject }) => attributeOf(subject))].map(
            ([name, groups]) => html`<${Forest} name=${name} rows=${groups} />`,
          )
    }
    <p class="quiet small">
      Intervals hold for all groups of an attribute together. An alarm needs the whole interval
      beyond a limit; the shaded part lies within the limits. Groups of fewer than 10 are not shown.
    </p>
  </section>`
}

/** A table of groups by some metrics. */
function Groups({ id, title, says, rows, metrics, valueOf }) {
  const known = metrics.filter((metric) => rows.some((row) => row.metric === metric))
  const bySubject = [
    ...Map.groupBy(
      rows.filter(
        (row) =>
          known.includes(row.metric) || known.includes(row.metric.replace(/_difference$/, '')),
      ),
      ({ subject }) => subject,
    ),
  ]
  return html`<section class="panel" aria-labelledby=${id}>
    <h2 id=${id}>${title}</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Table: ${title}">
      <table>
        <thead>
          <tr>
            <th>Group</th>
            ${known.map((metric) => html`<th class="number">${metricName(metric)}</th>`)}
            <th class="number">Cases</th>
          </tr>
        </thead>
        <tbody>
          ${bySubject.map(
            ([subject, own]) =>
              html`<tr key=${subject}>
                <td class="name"><bdi>${subject}</bdi></td>
                ${known.map((metric) => html`<td class="number">${valueOf(own, metric)}</td>`)}
                <td class="number quiet">
                  ${Math.max(...own.map((row) => Number(row.n_current))).toLocaleString('en')}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="quiet small">${says}</p>
  </section>`
}

const shareWith = (row) =>
  row
    ? html`<span class="with-interval">
        <b>${percent(row.value)}</b>
        ${row.ci_low !== null && html`<span class="quiet">${percent(row.ci_low)} to ${percent(row.ci_high)}, n ${Number(row.n_current).toLocaleString('en')}</span>`}
      </span>`
    : html`<span class="quiet">–</span>`

/** A number with its sign. @param {number} value @param {(size: number) => string} say */
const signed = (value, say) => `${value < 0 ? '−' : '+'}${say(Math.abs(value))}`

/** A share or a delay of a group, and how far it is from that of the privileged one. */
function truthOf(own, metric) {
  const row = own.find((one) => one.metric === metric)
  const beside = own.find((one) => one.metric === `${metric}_difference`)
  if (!row) return html`<span class="quiet">not known</span>`
  const isDelay = metric === 'label_delay_p50_s'
  const said = (size) => (isDelay ? duration(1000 * size) : percent(size))
  return html`<span class="with-interval">
    <b>${isDelay ? duration(1000 * row.value) : percent(row.value)}</b>
    <span class="quiet">
      ${beside ? `${signed(beside.value, said)}${beside.ci_low === null ? '' : ` (${signed(beside.ci_low, said)} to ${signed(beside.ci_high, said)})`}` : 'privileged, or alone'}
    </span>
  </span>`
}

/** @param {{ path: string, answer: any, address: any, change: any, past: string }} props */
export function Fairness({ path, answer, address, change, past }) {
  const { window_start: from, window_end: to } = answer
  const query = new URLSearchParams({ family: 'fairness', from: from ?? '', to: to ?? '' })
  const asked = useAnswer(() => request(`${path}/windows?${query}${past}`), [...[from, to, past]])
  if (asked.error) return html`<${Failed} error=${asked.error} retry=${asked.again} />`
  if (!asked.answer) return html`<${Loading} what="fairness" tall />`
  /** @type {WindowMetric[]} */
  const rows = asked.answer.metrics
  if (rows.length === 0)
    return html`<${Empty}>
      No group is evaluated in this window: name attributes under
      ${' '}<code>fairness.attributes</code>${' '}of the model file.
    <//>`
  const hasTruth = rows.some(({ metric }) => TRUTH.includes(metric))
  return html`<div class="stack ${asked.isStale ? 'stale' : ''}">
    <${Comparisons} rows=${rows} address=${address} change=${change} />
    <${Groups}
      id="rates"
      title="Rates of each group"
      says="95 % intervals, each by itself. Rates of errors need labels."
      rows=${rows}
      metrics=${RATES}
      valueOf=${(own, metric) => shareWith(own.find((row) => row.metric === metric))}
    />
    ${
      hasTruth
        ? html`<${Groups}
            id="truth"
            title="Whose truth comes late, seldom, or unlooked at"
            says="Below each number its distance from the privileged group. What is not seen of a group cannot be evaluated of it."
            rows=${rows}
            metrics=${TRUTH}
            valueOf=${truthOf}
          />`
        : html`<section class="panel" aria-labelledby="truth">
            <h2 id="truth">Whose truth comes late, seldom, or unlooked at</h2>
            <p class="quiet">Not known: no label of this window has come.</p>
          </section>`
    }
  </div>`
}
