/** What a person can do about a run in its state, each with a reason. */
import { html, useEffect, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { ReasonForm } from '../parts/reason-form.js'
import { actorName } from '../parts/states.js'

/** @typedef {import('../../schemas/http/retrain-trigger.ts').RunAnswer} Run */

const OPEN = ['awaiting_approval', 'queued', 'launching', 'running', 'validating']
const ACTS = /** @type {const} */ ([
  [
    'approve',
    'Approve',
    ['awaiting_approval'],
    'The job is launched once all approvals are there.',
  ],
  ['reject', 'Reject', ['awaiting_approval'], 'The run ends, and nothing is launched.'],
  ['cancel', 'Cancel', OPEN, 'The run ends; a job that was started is told to stop.'],
  [
    'go-on',
    'Go on',
    ['promoting'],
    'The new version gets the next share of the traffic, or the same again where it was not made.',
  ],
  ['hold', 'Hold', ['promoting'], 'The new version keeps its share until a person decides.'],
  ['roll-back', 'Roll back', ['promoting', 'promoted', 'succeeded'], ''],
])

/** @param {Run} run @param {string} act @param {string} says */
function saysOf({ rollout }, act, says) {
  if (act !== 'roll-back') return says
  return rollout
    ? 'A launch gives all of the traffic back to the version before.'
    : 'It is recorded that the new version was taken back; this does not take it back.'
}

/** Acts that the traffic of a candidate allows. @param {Run} run @param {string} act */
function isAllowed({ rollout }, act) {
  if (!rollout) return true
  const { state } = rollout
  if (act === 'go-on') return ['waiting', 'watching', 'held'].includes(state)
  if (act === 'hold') return ['waiting', 'moving', 'watching'].includes(state)
  return act !== 'roll-back' || state !== 'going_back'
}

/**
 * In whose stead the caller may approve a run of a model, of those who have delegated that; by
 * whomever where no key says who calls.
 *
 * @param {string} model
 * @returns {Promise<string[]>}
 */
async function delegators(model) {
  const [{ delegations }, { caller, key_needed: hasKeys }] = await Promise.all([
    request('/v1/delegations?limit=1000'),
    request('/v1/session'),
  ])
  const now = new Date().toISOString()
  const own = delegations.filter(
    ({ delegate, models, begins_at: begins, ends_at: ends, revoked_at: revoked }) =>
      revoked === null &&
      begins <= now &&
      ends > now &&
      (models === null || models.includes(model)) &&
      (!hasKeys || delegate.toLowerCase() === caller?.id.toLowerCase()),
  )
  return [...new Set(own.map(({ delegator }) => delegator))]
}

/** In whose name an approval is given, where others have delegated theirs. @param {{ model: string }} props */
function InStead({ model }) {
  const [names, setNames] = useState(/** @type {string[]} */ ([]))
  useEffect(() => {
    // Who cannot read them approves in their own name.
    delegators(model).then(setNames, () => setNames([]))
  }, [model])
  if (names.length === 0) return ''
  return html`<label
    >In whose name<select name="for">
      <option value="">My own</option>
      ${names.map((name) => html`<option value=${name.replace(/^claimed:/, '')}>For ${actorName(name)}</option>`)}
    </select></label
  >`
}

/** @param {{ run: Run, path: string, changed: () => void }} props */
export function Acts({ run, path, changed }) {
  const [act, setAct] = useState('')
  const [note, setNote] = useState('')
  const own = ACTS.filter(
    ([name, , states]) =>
      /** @type {readonly string[]} */ (states).includes(run.state) && isAllowed(run, name),
  )
  const chosen = own.find(([name]) => name === act)
  const send = async (form, who) => {
    const inStead = String(form.get('for') ?? '')
    const [way, more] = inStead === '' ? [act, {}] : ['approve-for', { for: inStead }]
    await request(`${path}/${way}`, { message: String(form.get('comment')), ...more, ...who })
    setNote('Kept in the audit log.')
    setAct('')
    changed()
  }
  return html`<section aria-labelledby="acts">
    <h3 id="acts">What to do</h3>
    ${own.length === 0 && html`<p class="quiet">Nothing: the run has ended.</p>`}
    <div class="row">
      ${own.map(
        ([name, text]) =>
          html`<button
            class=${name === 'approve' ? 'primary' : ''}
            aria-expanded=${act === name}
            onClick=${() => (setNote(''), setAct(act === name ? '' : name))}
          >
            ${text}
          </button>`,
      )}
    </div>
    <p class="small" role="status">${note}</p>
    ${
      chosen &&
      html`<${ReasonForm}
        key=${act}
        text=${chosen[1]}
        says=${saysOf(run, chosen[0], chosen[3])}
        close=${() => setAct('')}
        send=${send}
        >${chosen[0] === 'approve' && html`<${InStead} model=${run.model_id} />`}<//
      >`
    }
  </section>`
}
