/** What to do about an alert episode, and what was done. */
import { html, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { ReasonForm, Until, untilOf } from '../parts/reason-form.js'
import { Ago, Failed, useAnswer } from '../parts/ui.js'
import { day, plural, sentence } from '../parts/words.js'

/** @typedef {import('../../schemas/http/episodes.ts').EpisodeAnswer} Episode */

const ACTS = /** @type {const} */ ([
  ['accept', 'Accept as normal'],
  ['dismiss', 'Dismiss'],
  ['snooze', 'Snooze'],
  ['run', 'Propose a run'],
])

/** What an act does, said before it is done. @param {string} act @param {Episode} episode */
function saysOf(act, { accept }) {
  if (act === 'accept')
    return html`${accept.says}.
    ${accept.from && accept.to ? ` From ${day(accept.from)} to ${day(accept.to)}, UTC.` : ''}`
  if (act === 'dismiss')
    return 'Not a problem: the episode ends and counts as a false alarm; the baseline stays.'
  if (act === 'snooze')
    return 'Not now: no page for anything that alarms here until then. The alarms stay on the page.'
  return 'The policy is asked for a run now; its approval is asked for as ever.'
}

/** @param {{ id: string, policies: { name: string, approval: string }[] }} props */
const Policies = ({ policies }) =>
  html`<label
    >Policy<select name="policy">
      ${policies.map(({ name }) => html`<option value=${name}>${name}</option>`)}
    </select></label
  >`

/** @param {{ id: string, path: string, own: string, episode: Episode, decided: () => void }} props */
export function Acts({ id, path, own, episode, decided }) {
  const [act, setAct] = useState('')
  const [note, setNote] = useState(/** @type {any} */ (''))
  const model = useAnswer(() => request(path), [])
  const policies = model.answer?.retrain ?? []
  const close = () => setAct('')
  const send = async (form, who) => {
    const comment = String(form.get('comment'))
    if (act === 'run') {
      const run = await request('/v1/runs', {
        ...{ model_id: id, policy: String(form.get('policy')), reason: comment },
        ...who,
      })
      setNote(
        html`${`Run of ${run.policy} asked for: ${run.state.replace('_', ' ')}. `}<a
            href="/runs?run=${encodeURIComponent(run.run_id)}"
            >The run</a
          >`,
      )
    } else {
      const until = act === 'snooze' ? { until: untilOf(form) } : {}
      const { verdicts } = await request(`${own}/${act}`, { comment, ...who, ...until })
      setNote(`${sentence(act)}: kept for ${plural(verdicts, 'verdict')}.`)
    }
    close()
    decided()
  }
  const text = ACTS.find(([name]) => name === act)?.[1] ?? ''
  return html`<section class="panel" aria-labelledby="acts">
    <h2 id="acts">What to do</h2>
    <div class="acts">
      ${ACTS.filter(([name]) => name !== 'run' || policies.length > 0).map(
        ([name, label]) =>
          html`<button
            aria-expanded=${act === name}
            onClick=${() => (setNote(''), setAct(act === name ? '' : name))}
          >
            ${label}
          </button>`,
      )}
    </div>
    ${model.error && html`<${Failed} error=${model.error} retry=${model.again} />`}
    <p class="small" role="status">${note}</p>
    ${
      act === '' && note === ''
        ? html`<p class="quiet small preview">If accepted: ${episode.accept.says}.</p>`
        : ''
    }
    ${
      act !== '' &&
      html`<${ReasonForm}
        key=${act}
        text=${text}
        says=${saysOf(act, episode)}
        close=${close}
        send=${send}
      >
        ${act === 'snooze' && html`<${Until} />`}
        ${act === 'run' && html`<${Policies} policies=${policies} />`}
      <//>`
    }
  </section>`
}

const DID = { accept: 'accepted', dismiss: 'dismissed', snooze: 'snoozed' }

/** Answers and runs in one list, the newest first. @param {{ episode: Episode }} props */
export function Done({ episode: { feedback, runs } }) {
  const entries = [
    ...feedback.map((said) => ({
      at: said.decided_at,
      who: said.actor,
      did: `${DID[said.decision]} ${plural(Number(said.verdicts), 'verdict')}${said.until ? ` until ${day(said.until)}` : ''}`,
      why: said.comment,
      href: '',
    })),
    ...runs.map((run) => ({
      at: run.asked_at,
      who: run.actor || 'a policy',
      did: `asked for a run of ${run.policy}: ${run.state.replace('_', ' ')}${run.new_version ? `, version ${run.new_version}` : ''}`,
      why: [run.reason, run.message].filter(Boolean).join('; '),
      href: `/runs?run=${encodeURIComponent(run.run_id)}`,
    })),
  ].toSorted((a, b) => ((a.at ?? '') < (b.at ?? '') ? 1 : -1))
  return html`<section class="panel" aria-labelledby="done">
    <h2 id="done">What was done</h2>
    ${entries.length === 0 && html`<p class="quiet">Nothing yet.</p>`}
    <ul class="plain whole">
      ${entries.map(
        ({ at, who, did, why, href }) =>
          html`<li>
            <b><bdi>${who}</bdi></b
            >${' '}
            ${href ? html`<a href=${href}><bdi>${did}</bdi></a>` : html`<bdi>${did}</bdi>`}${' '}
            <span class="quiet"><${Ago} time=${at} /></span>
            <div class="quiet"><bdi>${why || 'no reason given'}</bdi></div>
          </li>`,
      )}
    </ul>
  </section>`
}
