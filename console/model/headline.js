/** The one number a model is for, over the range that all charts of the page share. */
import { html } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { Chart } from '../parts/chart.js'
import { kindOfEstimate, shownRows, withEstimates } from './estimates.js'
import { choiceOf, judgementChoices, namedBy } from './judgements.js'
import { HEADLINES, newestRows, ownRows, rangeKey, rangeQuery, zoomBy } from '../parts/range.js'
import { Badge, Empty, Failed, Loading, useAnswer } from '../parts/ui.js'
import { day, number, percent, plural, sentence } from '../parts/words.js'

/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */
/** @typedef {import('../parts/range.js').Range} Range */
/** @typedef {import('./judgements.js').Choice} Choice */

const PRESETS = /** @type {const} */ ([
  ['30', '30 windows'],
  ['90', '90 windows'],
  ['all', 'All'],
])
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
 * The newest known value in large, with what it rests on. @param {{ rows: WindowMetric[], choice:
 * Choice }} props
 */
function Figure({ rows, choice }) {
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
        window to ${day(last.window_end)},
        ${' '}${choice.family === 'operations' ? '' : `${plural(Number(last.n_labelled), 'label')} of `}${plural(Number(last.n_current), 'prediction')}${
          last.label_maturity !== null && last.label_maturity < 1
            ? `, ${percent(last.label_maturity)} past the label horizon`
            : ''
        }${pending > 0 ? `; ${plural(pending, 'newer window awaits', 'newer windows await')} labels` : ''}${pending > 0 && newestInWords(rows)}
      </span>
    </span>
    <span class="hidden">${choice.name}</span>
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

/** What a model of a task is headed by; of a language model the newest numbers tell. */
async function choicesOf({ path, model, range }) {
  if (model.task !== 'llm')
    return (HEADLINES[model.task] ?? ['accuracy', 'mae']).map((metric) =>
      choiceOf({ family: 'performance', metric, subject: '' }, ''),
    )
  const newest = (family) =>
    request(`${path}/windows?family=${family}&newest=true${rangeQuery(range)}`)
  const answers = await Promise.all(['feedback', 'performance', 'operations'].map(newest))
  return judgementChoices(newestRows(answers.flatMap(({ metrics }) => ownRows(metrics, model))))
}

/** @param {{ path: string, model: any, address: any, change: any, range: Range }} shared */
export function Headline(shared) {
  const { model, address, range } = shared
  const { answer, error, again } = useAnswer(
    () => choicesOf(shared),
    model.task === 'llm' ? [rangeKey(range)] : [],
  )
  if (!answer)
    return html`<section class="panel headline" aria-label="Headline performance">
      ${error ? html`<${Failed} error=${error} retry=${again} />` : html`<${Loading} what="performance" tall />`}
    </section>`
  const named = address.metric === undefined ? undefined : namedBy(address.metric)
  const asked = named && choiceOf(named, '')
  const choices =
    asked && !answer.some(({ key }) => key === asked.key) ? [...answer, asked] : answer
  const choice = choices.find(({ key }) => key === asked?.key) ?? choices[0]
  return html`<${HeadlineOf} ...${shared} choices=${choices} choice=${choice} />`
}

/** What stands where no window of the range has the number. @param {{ choice: Choice, task: string }} props */
const Nothing = ({ choice, task }) =>
  html`<${Empty}>
    No window of this range has ${choice.name.toLowerCase()}
    yet${
      choice.family === 'operations'
        ? '.'
        : html`: it needs labels, sent to <code>/v1/labels</code>.`
    }
    ${task === 'llm' && choice.why && html` ${sentence(choice.why)}.`}
  <//>`

function HeadlineOf({ path, model, change, range, choices, choice }) {
  const { family, metric, subject } = choice
  const query = new URLSearchParams({
    ...{ family, subject },
    metric: family === 'performance' ? withEstimates(metric) : metric,
  })
  const { answer, error, isStale, again } = useAnswer(
    () => request(`${path}/windows?${query}${rangeQuery(range)}`),
    [choice.key, rangeKey(range)],
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
          onChange=${(event) => change({ metric: event.target.value === choices[0].key ? undefined : event.target.value })}
        >
          ${choices.map(
            ({ key, name }) =>
              html`<option value=${key} selected=${key === choice.key}>${name}</option>`,
          )}
        </select>
      </label>
      <${RangePicker} range=${range} change=${change} />
    </div>
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!rows && !error && html`<${Loading} what="performance" tall />`}
    ${rows?.length === 0 && html`<${Nothing} choice=${choice} task=${model.task} />`}
    ${
      rows &&
      rows.length > 0 &&
      html`<${Figure} rows=${rows} choice=${choice} />
        ${choice.why && html`<p class="quiet small">Shown first: ${choice.why}.</p>`}
        <${Chart}
          rows=${rows}
          label=${choice.name}
          height=${290}
          range=${range}
          zoom=${zoomBy(change)}
        />
        <${Key} />
        <${AsTable} rows=${rows} />`
    }
  </section>`
}
