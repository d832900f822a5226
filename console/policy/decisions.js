/** Each decision of a trial beside what was done on the same window, and how the model did then. */
import { html, useState } from '/console/vendor/preact.js'
import { inWords, stateVerdict } from '../parts/states.js'
import { Badge, Empty } from '../parts/ui.js'
import { day, metricName, number } from '../parts/words.js'

/** @typedef {import('../../schemas/http/runs/policy-trials.ts').PolicyTrialAnswer} Trial */
/** @typedef {Trial['decisions'][number]} Decision */
/** @typedef {Trial['runs'][number]} Run */

const SHOWN = 50
/** What a decision was made on, where that is no window. */
const OCCASIONS = { window: '', news: '', tick: ' (tick)', alert: ' (alert)' }

/** Decisions by their time, and runs by the end of their window, the newest first. @param {Trial} trial */
function rowsOf({ decisions, runs }) {
  /** @type {Map<string, { decision?: Decision, runs: Run[] }>} */
  const rows = new Map(decisions.map((one) => [one.at, { decision: one, runs: [] }]))
  for (const run of runs) {
    const row = rows.get(run.window_end) ?? { runs: [] }
    row.runs.push(run)
    rows.set(run.window_end, row)
  }
  return [...rows].toSorted(([a], [b]) => (a < b ? 1 : -1))
}

/** @param {{ decision: Decision | undefined }} props */
const Would = ({ decision }) =>
  decision
    ? html`<b class=${decision.launches ? '' : 'quiet'}
        >${decision.launches ? 'would have run' : 'held back'}</b
      >`
    : html`<span class="quiet">would not</span>`

/** @param {{ runs: readonly Run[] }} props */
const Was = ({ runs }) =>
  runs.length === 0
    ? html`<span class="quiet">–</span>`
    : runs.map(
        (run) =>
          html`<span class="run">
            <a href="/runs?run=${encodeURIComponent(run.run_id)}"><bdi>${run.policy}</bdi></a>
            ${' '}<${Badge} verdict=${stateVerdict(run.state)} text=${inWords(run.state)} />
          </span>`,
      )

/** @param {{ trial: Trial }} props */
export function Decisions({ trial }) {
  const [isAll, setAll] = useState(false)
  const rows = rowsOf(trial)
  if (rows.length === 0)
    return html`<${Empty}>Its condition held on no window, and no run was decided on one.<//>`
  const name = trial.metric === null ? undefined : metricName(trial.metric)
  const shown = isAll ? rows : rows.slice(0, SHOWN)
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Decisions and runs">
      <table class="stacked tried">
        <thead>
          <tr>
            <th>When</th>
            <th>This policy</th>
            <th>Was done</th>
            <th>Why</th>
            ${name && html`<th class="number">${name}</th>`}
            ${name && html`<th class="number">Four windows after</th>`}
          </tr>
        </thead>
        <tbody>
          ${shown.map(([at, { decision, runs }]) => {
            const { value = null, value_after: after = null } = decision ?? runs[0]
            return html`<tr>
              <td class="when">
                <time datetime=${at}>${day(at)}</time>${OCCASIONS[decision?.occasion ?? 'window']}
              </td>
              <td class="would"><${Would} decision=${decision} /></td>
              <td data-label="done"><${Was} runs=${runs} /></td>
              <td class="what"><bdi>${decision?.reason ?? ''}</bdi></td>
              ${name && html`<td class="number" data-label=${name}>${number(value)}</td>`}
              ${name && html`<td class="number" data-label="four after">${number(after)}</td>`}
            </tr>`
          })}
        </tbody>
      </table>
    </div>
    ${
      rows.length > shown.length &&
      html`<div class="row">
        <button onClick=${() => setAll(true)}>Show all ${rows.length}</button>
      </div>`
    }`
}
