/** Answers by the prompt they were asked with, and by the language model that gave them. */
import { html } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { asOfQuery, newestRows, ownRows, rangeKey } from '../parts/range.js'
import { Empty, Failed, Loading, useAnswer } from '../parts/ui.js'
import { day, number, plural } from '../parts/words.js'
import { judgementChoices } from './judgements.js'

/** @typedef {import('../../schemas/http/cohorts.ts').CohortsAnswer} CohortsAnswer */
/** @typedef {CohortsAnswer['cohorts'][number]} Cohort */
/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */

/** Metrics beside the judgements, and what their columns are called. */
const METRICS = new Map([
  ['error_ratio', 'Failed'],
  ['latency_p95_ms', 'Latency, p95 (ms)'],
  ['time_to_first_token_p95_ms', 'First token, p95 (ms)'],
  ['output_tokens_per_s', 'Output tokens/s'],
])
/** Rows of each kind, and judgements beside them, at most: each row is a question. */
const MAX_ROWS = 8
const MAX_JUDGEMENTS = 3

/** What kind of cohort one is, in the order of the table; '' of those that it leaves out. @param {Cohort} cohort */
const kindOf = ({ model_version: version, variant, slice_key: key }) =>
  key === 'prompt_version' || key === 'prompt_name&prompt_version'
    ? 'Prompt'
    : key !== ''
      ? ''
      : variant !== ''
        ? 'Variant'
        : version !== ''
          ? 'Model'
          : 'All answers'
const KINDS = /** @type {const} */ (['All answers', 'Prompt', 'Variant', 'Model'])

/** @param {Cohort} cohort */
const cohortName = ({ model_version: version, variant, slice_value: value }) =>
  value.replaceAll('&', ', ') || variant || version

/** The query of a cohort's own results. @param {Cohort} cohort */
function cohortQuery({ model_version: version, variant, slice_key: key, slice_value: value }) {
  const query = new URLSearchParams({ family: 'feedback', newest: 'true' })
  if (key !== '') query.set('slice', `${key}:${value}`)
  if (version !== '') query.set('model_version', version)
  if (variant !== '') query.set('variant', variant)
  return query
}

/** What is shown of a model: cohorts with numbers of operations, each with its judgements. */
async function rowsOf({ path, model, range }, columns) {
  const to = range.to ? `&to=${encodeURIComponent(range.to)}` : ''
  const found = await request(
    `${path}/cohorts?metrics=${[...METRICS.keys()].join(',')}${to}${asOfQuery(range)}`,
  )
  const kinds = Map.groupBy(found.cohorts, kindOf)
  const shown = KINDS.flatMap((kind) => (kinds.get(kind) ?? []).slice(0, MAX_ROWS))
  const span = found.window_end
    ? `&from=${encodeURIComponent(found.window_start)}&to=${encodeURIComponent(found.window_end)}${asOfQuery(range)}`
    : ''
  const judged = await Promise.all(
    shown.map(async (cohort) => {
      if (columns.length === 0) return []
      const { metrics } = await request(`${path}/windows?${cohortQuery(cohort)}${span}`)
      const own = newestRows(ownRows(metrics, model))
      return columns.map((column) =>
        own.find((row) => row.metric === column.metric && row.subject === column.subject),
      )
    }),
  )
  return {
    found,
    rows: shown.map((cohort, i) => ({ cohort, judged: judged[i] })),
    leftOut: KINDS.reduce(
      (n, kind) => n + Math.max(0, (kinds.get(kind)?.length ?? 0) - MAX_ROWS),
      0,
    ),
  }
}

/** A value with its interval and what it rests on. */
function Cell({ value, low, high, n, what }) {
  return html`<td class="number">
    ${number(value)}
    ${low !== null && high !== null && html`<br /><span class="quiet small nowrap">${number(low)} to ${number(high)}</span>`}
    ${n !== null && html`<br /><span class="quiet small nowrap">${plural(n, what)}</span>`}
  </td>`
}

const nothing = html`<td class="number quiet">–</td>`

/** @param {{ judged: WindowMetric[], path: string, model: any, range: any }} props */
export function Prompts({ judged, ...shared }) {
  const columns = judgementChoices(judged)
    .filter(({ family }) => family === 'feedback')
    .slice(0, MAX_JUDGEMENTS)
  const { answer, error, again } = useAnswer(
    () => rowsOf(/** @type {any} */ (shared), columns),
    [rangeKey(shared.range), columns.map(({ key }) => key).join()],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="prompts" />`
  const { found, rows, leftOut } = answer
  if (rows.length === 0) return html`<${Empty}>No window of this range has closed.<//>`
  const hasPrompts = rows.some(({ cohort }) => kindOf(cohort) === 'Prompt')
  return html`<div
      class="scroll"
      tabindex="0"
      role="region"
      aria-label="Answers by prompt and model"
    >
      <table>
        <thead>
          <tr>
            <th>By</th>
            <th>Which</th>
            <th class="number">Answers</th>
            ${columns.map(({ name }) => html`<th class="number"><bdi>${name}</bdi></th>`)}
            ${found.metrics.map((metric) => html`<th class="number">${METRICS.get(metric.metric)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ cohort, judged: own }) =>
              html`<tr key=${JSON.stringify([kindOf(cohort), cohortName(cohort)])}>
                <td class="quiet">${kindOf(cohort)}</td>
                <td class="name"><bdi title=${cohortName(cohort)}>${cohortName(cohort)}</bdi></td>
                <td class="number">${cohort.events.toLocaleString('en')}</td>
                ${columns.map((_, i) => {
                  const row = own[i]
                  return row
                    ? html`<${Cell}
                        value=${row.value}
                        low=${row.ci_low}
                        high=${row.ci_high}
                        n=${Number(row.n_labelled)}
                        what="label"
                      />`
                    : nothing
                })}
                ${cohort.cells.map((cell) =>
                  cell
                    ? html`<${Cell}
                        value=${cell.value}
                        low=${cell.ci_low}
                        high=${cell.ci_high}
                        n=${null}
                        what=""
                      />`
                    : nothing,
                )}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="quiet small">
      Window to ${day(found.window_end)}.
      ${leftOut > 0 ? ` ${plural(leftOut, 'row')} with fewer answers ${leftOut === 1 ? 'is' : 'are'} left out.` : ''}
      ${!hasPrompts && html` Answers are told apart by prompt where <code>slices</code> of the model file name ${' '}<code>prompt_version</code>.`}
    </p>`
}
