/** The traffic of a candidate: its steps, where it stands, and what is known of it there. */
import { html } from '/console/vendor/preact.js'
import { inWords } from '../parts/states.js'
import { Ago, Badge } from '../parts/ui.js'
import { number, plural, sentence } from '../parts/words.js'

/** @typedef {import('../../schemas/http/runs/rollout.ts').Rollout} RolloutState */
/** @typedef {import('../parts/words.js').Verdict} Verdict */

/** @type {Record<string, Verdict>} */
const DECISIONS = { better: 'ok', worse: 'alarm', undecided: 'incomplete', invalid: 'warning' }

/** @param {RolloutState} rollout @returns {Verdict} */
function standing({ state, severity }) {
  if (severity) return severity
  if (state === 'done') return 'ok'
  return state === 'back' || state === 'going_back' ? 'warning' : 'incomplete'
}

/** @param {RolloutState} rollout @param {number} place */
function stepVerdict({ place: at, state, severity, served_at: servedAt }, place) {
  if (state === 'back') return 'none'
  if (place === at && severity) return severity
  if (place < at || state === 'done' || (place === at && servedAt)) return 'ok'
  return place === at ? 'incomplete' : 'none'
}

/** @param {{ rollout: RolloutState, version: string }} props */
export const Rollout = ({ rollout, version }) =>
  html`<h3>
      Its traffic${' '}<${Badge} verdict=${standing(rollout)} text=${inWords(rollout.state)} />
    </h3>
    <p class="quiet"><bdi>${sentence(rollout.reason)}</bdi></p>
    <ul class="row plain" aria-label="Steps of the traffic">
      ${rollout.steps.map(
        (share, place) =>
          html`<li><${Badge} verdict=${stepVerdict(rollout, place)} text=${`${share} %`} /></li>`,
      )}
    </ul>
    <p class="quiet facts">
      <span>${number(rollout.share)} % for version <bdi>${version}</bdi></span>
      ${rollout.served_at && html`<span>served <${Ago} time=${rollout.served_at} /></span>`}
      ${rollout.until && html`<span>late <${Ago} time=${rollout.until} /></span>`}
    </p>
    ${rollout.verdict && html`<${Verdicts} verdict=${rollout.verdict} current=${rollout.current_version} />`}`

/** @param {{ verdict: NonNullable<RolloutState['verdict']>, current: string }} props */
const Verdicts = ({ verdict, current }) =>
  html`<p class="quiet">
      <${Badge} verdict=${DECISIONS[verdict.decision]} text=${inWords(verdict.decision)} />
      ${' '}by ${plural(verdict.n_candidate, 'unit')} beside ${number(verdict.n_current)} of
      version${' '}<bdi>${current}</bdi>, looked at <${Ago} time=${verdict.evaluated_at} />
    </p>
    <div
      class="scroll"
      tabindex="0"
      role="group"
      aria-label="Metrics of both versions at this step"
    >
      <table>
        <thead>
          <tr>
            <th>Metric</th>
            <th>Candidate is</th>
            <th class="number">Candidate</th>
            <th class="number">Serving</th>
            <th class="number">Difference</th>
          </tr>
        </thead>
        <tbody>
          ${verdict.metrics.map(
            (one) =>
              html`<tr>
                <td>${inWords(one.metric)}</td>
                <td><${Badge} verdict=${DECISIONS[one.decision]} text=${one.decision} /></td>
                <td class="number">${number(one.candidate)}</td>
                <td class="number">${number(one.current)}</td>
                <td class="number">
                  ${number(one.difference)}
                  ${one.ci_low !== null && one.ci_high !== null && html`<div class="quiet small">${number(one.ci_low)} to ${number(one.ci_high)}</div>`}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
