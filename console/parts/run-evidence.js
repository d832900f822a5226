/** What a run rests on: the metric results it is about, its candidate, and whether it has helped. */
import { html } from '/console/vendor/preact.js'
import { inWords, OUTCOMES } from './states.js'
import { Badge } from './ui.js'
import { day, metricName, number, plural, sentence, subjectName } from './words.js'

/** @typedef {import('../../schemas/http/retrain-trigger.ts').RunAnswer} Run */
/** @typedef {Run['triggers'][number]} Trigger */

/** @param {Trigger} trigger */
const nameOf = ({ metric, subject }) =>
  `${metricName(metric)}${subject ? ` of ${subjectName(subject)}` : ''}`

/** @param {Trigger} trigger */
const whereOf = ({ slice, version }) =>
  [version && `version ${version}`, slice && `${slice.key} = ${slice.value}`]
    .filter(Boolean)
    .join(', ') || 'whole model'

/** @param {Trigger['test']} test */
const testOf = (test) =>
  'level' in test ? html`<${Badge} verdict=${test.level} />` : `${test.sign} ${number(test.limit)}`

/** The model's page, at the windows and the feature that a trigger is about. */
function pathOf(model, { family, subject, slice, version, to }) {
  if (slice || version)
    return `/models/${encodeURIComponent(model)}/slices?to=${encodeURIComponent(to)}`
  const query = new URLSearchParams({ tab: family })
  if (subject && !subject.startsWith('@') && (family === 'drift' || family === 'quality'))
    query.set('feature', subject)
  return `/models/${encodeURIComponent(model)}?${query}`
}

/** The metric results that made the policy ask. @param {{ run: Run }} props */
export function Triggers({ run }) {
  if (run.triggers.length === 0)
    return html`<p class="quiet">
      No metric result asked for it:${' '}
      ${run.cause.startsWith('request:') ? 'a person did' : 'its policy goes by other signs'}.
    </p>`
  return html`<div
    class="scroll"
    tabindex="0"
    role="group"
    aria-label="Metric results that it is about"
  >
    <table>
      <thead>
        <tr>
          <th>Metric</th>
          <th>Where</th>
          <th>Was</th>
          <th>Windows to</th>
        </tr>
      </thead>
      <tbody>
        ${run.triggers.map(
          (trigger) =>
            html`<tr>
              <td>
                <a href=${pathOf(run.model_id, trigger)}><bdi>${nameOf(trigger)}</bdi></a>
              </td>
              <td><bdi>${whereOf(trigger)}</bdi></td>
              <td>${testOf(trigger.test)}</td>
              <td>
                ${trigger.from === trigger.to ? '' : html`${day(trigger.from)} to `}${day(trigger.to)}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

const MET = /** @type {const} */ ({
  true: ['ok', 'met'],
  false: ['alarm', 'not met'],
  null: ['incomplete', 'not known'],
})
const SOURCES = {
  shadow: 'shadow predictions',
  reported: 'reported by the job',
  none: 'nothing yet',
}

/** The candidate beside the version that serves. @param {{ acceptance: NonNullable<Run['acceptance']> }} props */
export const Acceptance = ({ acceptance: { reason, requirements, evaluated_at: at } }) =>
  html`<h3>
      The candidate${' '}<span class="quiet"
        >${reason ? `${reason}, ` : ''}looked at ${day(at)}</span
      >
    </h3>
    <div class="scroll" tabindex="0" role="group" aria-label="Requirements of the candidate">
      <table>
        <thead>
          <tr>
            <th>Requirement</th>
            <th>Met</th>
            <th class="number">Candidate</th>
            <th class="number">Serving</th>
            <th class="number">Line</th>
            <th>Rests on</th>
          </tr>
        </thead>
        <tbody>
          ${requirements.map((one) => {
            const [verdict, text] = MET[String(one.met)]
            return html`<tr title=${one.reason}>
              <td><bdi>${one.requirement}</bdi></td>
              <td><${Badge} verdict=${verdict} text=${text} /></td>
              <td class="number">${number(one.candidate)}</td>
              <td class="number">${number(one.current)}</td>
              <td class="number">${number(one.line)}</td>
              <td class="quiet">
                ${SOURCES[one.source]}${one.n > 0 ? `, ${plural(one.n, 'request')}` : ''}
              </td>
            </tr>`
          })}
        </tbody>
      </table>
    </div>`

/** Whether the promotion has helped. @param {{ repair: NonNullable<Run['repair']> }} props */
export const Repair = ({ repair: { outcome, reason, metrics } }) =>
  html`<h3>
      Whether it helped${' '}<${Badge} verdict=${OUTCOMES[outcome]} text=${inWords(outcome)} />
    </h3>
    <p class="quiet"><bdi>${sentence(reason)}</bdi></p>
    <div class="scroll" tabindex="0" role="group" aria-label="Metrics before and after">
      <table>
        <thead>
          <tr>
            <th>Metric</th>
            <th>Outcome</th>
            <th class="number">Before</th>
            <th class="number">After</th>
            <th class="number">Difference</th>
            <th class="number">Windows</th>
          </tr>
        </thead>
        <tbody>
          ${metrics.map(
            (one) =>
              html`<tr title=${one.reason}>
                <td><bdi>${one.metric}</bdi></td>
                <td><${Badge} verdict=${OUTCOMES[one.outcome]} text=${inWords(one.outcome)} /></td>
                <td class="number">${number(one.before)}</td>
                <td class="number">${number(one.after)}</td>
                <td class="number">
                  ${number(one.difference)}
                  ${one.ci_low !== null && html`<div class="quiet small">${number(one.ci_low)} to ${number(one.ci_high)}</div>`}
                </td>
                <td class="number quiet">${one.n_before} and ${one.n_after}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`

/** A hash by its first characters, whole on hover. @param {{ of: string }} props */
const Hash = ({ of }) => html`<code title=${of}>${of.slice(0, 8) || 'none'}</code>`

/** What its job learns from, and what decided. @param {{ run: Run }} props */
export const Provenance = ({ run: { dataset, configuration } }) =>
  html`${
    dataset &&
    html`<div class="wide">
      <dt>Learns from</dt>
      <dd>
        <b>${dataset.parts.map(({ table, rows }) => `${number(rows)} ${table}`).join(', ')}</b
        >${' '}
        <span class="quiet"
          >${day(dataset.from)} to ${day(dataset.to)}, manifest <${Hash} of=${dataset.sha256}
        /></span>
      </dd>
    </div>`
  }
  ${
    configuration &&
    html`<div class="wide">
      <dt>Decided by</dt>
      <dd>
        <span
          >model file <${Hash} of=${configuration.model_file_sha256} />, code${' '}
          <${Hash} of=${configuration.code_sha256}
        /></span>
      </dd>
    </div>`
  }`
