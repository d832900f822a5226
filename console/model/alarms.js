/** What is active of a model, each with the acts that end it. */
import { html, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { ReasonForm, Until, untilOf } from '../parts/reason-form.js'
import { Ago, Failed, Loading, Mark } from '../parts/ui.js'
import {
  alarmSentence,
  cohortOf,
  day,
  duration,
  episodePath,
  metricName,
  number,
  plural,
} from '../parts/words.js'

/** @typedef {import('../../schemas/active-alarms.ts').ActiveAlarm} ActiveAlarm */

const FIRST = 5
/** Alarms that are listed at most; the view `active_alarms` has the rest. */
const MAX = 300
const ACTS = {
  accept: {
    text: 'Accept',
    says: 'This is normal now: the window joins the baseline, and such values alarm no more.',
  },
  dismiss: {
    text: 'Dismiss',
    says: 'Not a problem: the alarm ends and counts as a false alarm; the baseline stays.',
  },
  snooze: {
    text: 'Snooze',
    says: 'Not now: no page for this metric and subject until then. The alarm stays here.',
  },
}

/** Accepts, dismisses or snoozes one verdict. */
function Decide({ alarm, act, close, decided }) {
  const send = async (form, who) => {
    await request(`/v1/verdicts/${encodeURIComponent(alarm.verdict_id)}/${act}`, {
      comment: String(form.get('comment')),
      ...who,
      ...(act === 'snooze' && { until: untilOf(form) }),
    })
    close()
    decided()
  }
  return html`<${ReasonForm}
    text=${ACTS[act].text}
    says=${ACTS[act].says}
    close=${close}
    send=${send}
  >
    ${act === 'snooze' && html`<${Until} />`}
  <//>`
}

/** @param {{ alarm: ActiveAlarm, change: any, decided: () => void }} props */
function Alarm({ alarm, change, decided }) {
  const [act, setAct] = useState('')
  const cohort = cohortOf(alarm)
  const episode = episodePath(alarm.model_id, alarm.episode_id)
  const lasts = duration(Date.parse(alarm.window_end) - Date.parse(alarm.since))
  const opens = (alarm.family === 'drift' || alarm.family === 'quality') && alarm.subject !== ''
  return html`<li class="alarm-row">
    <div class="alarm-text">
      <${Mark} verdict=${alarm.severity} /><span class="hidden">${alarm.severity}</span>
      ${
        opens
          ? html`<button class="link" onClick=${() => change({ feature: alarm.subject })}>
              <bdi>${alarmSentence(alarm)}</bdi>
            </button>`
          : html`<strong><bdi>${alarmSentence(alarm)}</bdi></strong>`
      }
      ${cohort && html`<span class="quiet">in ${cohort}</span>`}
    </div>
    <p class="quiet small" title=${alarm.reason}>
      ${metricName(alarm.metric)}${' '}
      <b>${number(alarm.value)}</b
      >${alarm.threshold === null ? '' : `, line ${number(alarm.threshold)}`}
      ${' · '}${`since ${day(alarm.since)}${lasts === 'less than a minute' ? '' : ` (${lasts} of data)`}`}
      ${' · '}${'evidence '}<${Ago} time=${alarm.window_end} />
      ${episode && html` · <a href=${episode}>episode</a>`}
      ${alarm.is_snoozed && ` · snoozed until ${day(alarm.snoozed_until)}`}
    </p>
    <div class="acts">
      ${Object.entries(ACTS).map(
        ([name, { text }]) =>
          html`<button
            aria-expanded=${act === name}
            onClick=${() => setAct(act === name ? '' : name)}
          >
            ${text}
          </button>`,
      )}
    </div>
    ${act && html`<${Decide} key=${act} alarm=${alarm} act=${act} close=${() => setAct('')} decided=${decided} />`}
  </li>`
}

/** Puts alarms of the model as a whole first. @param {ActiveAlarm[]} alarms */
const wholeFirst = (alarms) =>
  alarms.toSorted((a, b) => Number(cohortOf(a) !== '') - Number(cohortOf(b) !== ''))

/** @param {{ id: string, alarms: ActiveAlarm[], change: any, decided: () => void }} props */
const List = ({ id, alarms, change, decided }) =>
  html`<ul id=${id} class=${alarms.length > FIRST ? 'whole' : ''}>
    ${alarms.map(
      (alarm) =>
        html`<${Alarm}
          key=${alarm.verdict_id}
          alarm=${alarm}
          change=${change}
          decided=${decided}
        />`,
    )}
  </ul>`

/**
 * @param {{ alarms: { answer?: { alarms: ActiveAlarm[] }, error?: Error, again: () => void },
 * decided: () => void, change: any }} props
 */
export function Alarms({ alarms: { answer, error, again }, decided, change }) {
  const [isWhole, setWhole] = useState(false)
  const all = wholeFirst(answer?.alarms ?? [])
  const active = all.filter((alarm) => !alarm.is_snoozed)
  const snoozed = all.filter((alarm) => alarm.is_snoozed)
  const shared = { change, decided }
  return html`<section class="panel alarms" aria-labelledby="alarms">
    <h2 id="alarms">
      Active alarms${active.length > 0 ? html` <span class="count">${active.length}</span>` : ''}
    </h2>
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!answer && !error && html`<${Loading} what="alarms" />`}
    ${answer && active.length === 0 && html`<p class="quiet">Nothing is active.</p>`}
    ${
      active.length > 0 &&
      html`<${List} id="active" alarms=${active.slice(0, isWhole ? MAX : FIRST)} ...${shared} />`
    }
    ${
      active.length > FIRST &&
      html`<button class="link" onClick=${() => setWhole(!isWhole)}>
        ${isWhole ? 'Show fewer' : `Show all ${plural(active.length, 'alarm')}`}
      </button>`
    }
    ${
      snoozed.length > 0 &&
      html`<h3>Snoozed</h3>
        <${List} id="snoozed" alarms=${snoozed.slice(0, MAX)} ...${shared} />`
    }
  </section>`
}
