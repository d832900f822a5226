/** What a person can do about a run in its state, each with a reason. */
import { html, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { ReasonForm } from '../parts/reason-form.js'

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
    'roll-back',
    'Roll back',
    ['promoted', 'succeeded'],
    'It is recorded that the new version was taken back; this does not take it back.',
  ],
])

/** @param {{ run: Run, path: string, changed: () => void }} props */
export function Acts({ run, path, changed }) {
  const [act, setAct] = useState('')
  const [note, setNote] = useState('')
  const own = ACTS.filter(([, , states]) =>
    /** @type {readonly string[]} */ (states).includes(run.state),
  )
  const chosen = own.find(([name]) => name === act)
  const send = async (form, who) => {
    await request(`${path}/${act}`, { message: String(form.get('comment')), ...who })
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
        says=${chosen[3]}
        close=${() => setAct('')}
        send=${send}
      />`
    }
  </section>`
}
