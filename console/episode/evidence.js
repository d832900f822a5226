/** What an alert episode is about: what moved and where, what performance did, what was alike. */
import { html, useState } from '/console/vendor/preact.js'
import { Mark } from '../parts/ui.js'
import {
  alarmSentence,
  cohortOf,
  day,
  duration,
  episodePath,
  metricName,
  number,
  percent,
  plural,
  probability,
  sentence,
} from '../parts/words.js'

/** @typedef {import('../../schemas/http/episodes.ts').EpisodeAnswer} Episode */
/** @typedef {Episode['results'][number]} Result */

const FIRST = 5

/** What a feature alone does to the score. @param {Result} result */
function explains({ score_moved_alone: alone, score_moved: all }) {
  if (alone === null || all === null) return html`<span class="quiet">–</span>`
  const signed = (x) => `${x > 0 ? '+' : ''}${number(x)}`
  const share = all === 0 ? '' : ` (${percent(Math.abs(alone / all))})`
  return html`<span
    title="Alone it moves the score by ${signed(alone)}; the score moved by ${signed(all)}"
    >${signed(alone)} of ${signed(all)}${alone / all > 0 ? share : ''}</span
  >`
}

/** @param {{ id: string, result: Result }} props */
function Row({ id, result }) {
  const cohort = cohortOf(result)
  const opens =
    (result.family === 'drift' || result.family === 'quality') &&
    result.subject !== '' &&
    result.metric !== 'odd_one_out'
  const text = html`<bdi>${alarmSentence(result)}</bdi>`
  const line =
    result.threshold !== null
      ? `line ${number(result.threshold)}`
      : result.p_adjusted !== null
        ? `adjusted p ${probability(result.p_adjusted)}`
        : ''
  return html`<tr title=${result.reason}>
    <td class="what">
      <div class="alarm-text">
        <${Mark} verdict=${result.severity} /><span class="hidden">${result.severity}</span>
        ${
          opens
            ? html`<a
                href="/models/${encodeURIComponent(id)}?tab=${result.family}&feature=${encodeURIComponent(result.subject)}"
                >${text}</a
              >`
            : html`<span>${text}</span>`
        }
        <span class="quiet where"
          ><bdi>${cohort ? `in ${cohort}` : 'whole model'}</bdi
          >${` · ${metricName(result.metric)}`}</span
        >
      </div>
    </td>
    <td class="number">
      <b>${number(result.value)}</b>${
        result.baseline_value === null
          ? ''
          : html` <span class="quiet">was ${number(result.baseline_value)}</span>`
      }
      <div class="quiet">${line}</div>
    </td>
    <td class="number">${explains(result)}</td>
    <td class="number" title="First ${day(result.since)}, last ${day(result.window_end)}">
      ${day(result.since)}
      <div class="quiet">${plural(Number(result.windows), 'window')}</div>
    </td>
  </tr>`
}

/** @param {{ id: string, episode: Episode }} props */
export function Moved({ id, episode: { results } }) {
  const [isWhole, setWhole] = useState(false)
  const cohorts = new Set(results.map(cohortOf).filter(Boolean)).size
  const alarms = results.filter(({ severity }) => severity === 'alarm').length
  const counts = [
    plural(alarms, 'alarm'),
    plural(results.length - alarms, 'warning'),
    ...(cohorts > 0 ? [plural(cohorts, 'cohort')] : []),
  ].join(', ')
  return html`<section class="panel" aria-labelledby="moved">
    <h2 id="moved">What moved${' '}<span class="quiet">${counts}</span></h2>
    ${results.length === 0 && html`<p class="quiet">Later data took back what alarmed.</p>`}
    ${
      results.length > 0 &&
      html`<div class="scroll" tabindex="0" role="group" aria-labelledby="moved">
        <table class="moved">
          <thead>
            <tr>
              <th>What and where</th>
              <th class="number">Now</th>
              <th class="number">Moves the score by</th>
              <th class="number">Since</th>
            </tr>
          </thead>
          <tbody>
            ${results.slice(0, isWhole ? results.length : FIRST).map((result) => html`<${Row} id=${id} result=${result} />`)}
          </tbody>
        </table>
      </div>`
    }
    ${
      results.length > FIRST &&
      html`<button class="link" aria-expanded=${isWhole} onClick=${() => setWhole(!isWhole)}>
        ${isWhole ? 'Show fewer' : `Show all ${results.length}`}
      </button>`
    }
  </section>`
}

/** @param {{ episode: Episode }} props */
export const Performance = ({ episode: { performance } }) =>
  html`<section class="panel" aria-labelledby="performance">
    <h2 id="performance">What performance did</h2>
    ${
      performance.length === 0
        ? html`<p class="quiet">
            Not known yet: no window of the episode has enough labels. Labels are sent
            to${' '}<code>/v1/labels</code>.
          </p>`
        : html`<div class="scroll" tabindex="0" role="group" aria-labelledby="performance">
            <table>
              <thead>
                <tr>
                  <th>Metric</th>
                  <th class="number">Baseline</th>
                  <th class="number">Now</th>
                  <th class="number">Labels</th>
                </tr>
              </thead>
              <tbody>
                ${performance.map(
                  (one) =>
                    html`<tr title="Window to ${day(one.window_end)}">
                      <td>
                        <${Mark} verdict=${one.verdict} /><span class="hidden">${one.verdict}</span
                        >${` ${metricName(one.metric)}`}
                      </td>
                      <td class="number">${number(one.baseline_value)}</td>
                      <td class="number">
                        <b>${number(one.value)}</b>${
                          one.ci_low === null
                            ? ''
                            : html`${' '}<span class="quiet"
                                  >[${number(one.ci_low)}, ${number(one.ci_high)}]</span
                                >`
                        }
                      </td>
                      <td class="number">
                        ${Number(one.n_labelled).toLocaleString('en')}${
                          one.label_maturity === null || one.label_maturity >= 1
                            ? ''
                            : html`${' '}<span class="quiet"
                                  >${percent(one.label_maturity)} mature</span
                                >`
                        }
                      </td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
  </section>`

const ENDED = {
  active: 'still active',
  accepted: 'accepted as normal',
  dismissed: 'dismissed as no problem',
  'by itself': 'ended by itself',
}

/** @param {{ id: string, episode: Episode }} props */
export const Similar = ({ id, episode: { similar, alarms } }) =>
  html`<section class="panel" aria-labelledby="similar">
    <h2 id="similar">Similar episodes before</h2>
    ${similar.length === 0 && html`<p class="quiet">None before shares an alarm with this one.</p>`}
    <ul class="plain">
      ${similar.map(
        (one) =>
          html`<li>
            <a href=${episodePath(id, one.episode_id)}>${day(one.since)}</a
            >${` ${sentence(ENDED[one.ended])}`}${' '}
            <span class="quiet"
              >after ${plural(one.windows, 'window')} ·
              ${` ${one.shared} of ${plural(alarms.length, 'alarm')}`}${one.until === one.since ? '' : ` · ${duration(Date.parse(one.until) - Date.parse(one.since))}`}</span
            >
          </li>`,
      )}
    </ul>
  </section>`
