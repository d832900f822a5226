/** What a run rests on, and how it came to where it is. */
import { html } from '/console/vendor/preact.js'
import { actorName, inWords, stateVerdict } from './states.js'
import { Ago } from './ui.js'
import { day, sentence } from './words.js'
import { Acceptance, Provenance, Triggers } from './run-evidence.js'

/** @typedef {import('typebox').Static<typeof import('../../schemas/http/retrain-trigger.ts').OneRunAnswer>} Run */

const DONE = { approve: 'approved', escalate: 'taken further', note: 'a note' }

/** @param {string} state such as `launching`, `approve` or `outcome.repaired` */
const stepName = (state) => sentence(DONE[state] ?? inWords(state.replace('.', ': ')))

/** The steps of a run's timeline, the newest first. @param {Run} run */
export const stepsOf = ({ transitions }) =>
  transitions.toReversed().map(({ state, actor, for: inStead, reason, at }) => ({
    what: stepName(state),
    verdict: state === 'approve' ? /** @type {const} */ ('ok') : stateVerdict(state),
    who: actor,
    inStead,
    why: reason,
    at,
  }))

/** Who has approved, and in whose stead. @param {Run} run */
const approversOf = ({ approvals, delegated }) =>
  approvals
    .map((by) => {
      const other = delegated.find((one) => one.by === by)
      return other ? `${actorName(by)} for ${actorName(other.for)}` : actorName(by)
    })
    .join(', ')

/** Whether a step was taken. @param {Run} run @param {Pick<Run['escalation'][number], 'due_at' | 'told_at' | 'missing'>} step */
function escalationState(run, { due_at: due, told_at: told, missing }) {
  const gone = missing.length > 0 ? html`; not told: <bdi>${missing.join(', ')}</bdi>` : ''
  if (told) return html`told <${Ago} time=${told} />${gone}`
  return run.state === 'awaiting_approval' ? html`told <${Ago} time=${due} />` : 'not needed'
}

/** What the run rests on, and until when. @param {{ run: Run }} props */
const Facts = ({ run }) =>
  html`<dl class="evidence" aria-label="What it rests on">
    <div>
      <dt>RunEvidence to</dt>
      <dd><b>${run.window_end ? day(run.window_end) : 'no window'}</b></dd>
    </div>
    <div>
      <dt>Labels known then</dt>
      <dd><b>${run.labels_known.toLocaleString('en')}</b></dd>
    </div>
    <div>
      <dt>Asked for by</dt>
      <dd>
        <b><bdi>${actorName(run.requested_by) || 'nobody known'}</bdi></b
        >${' '}<span class="quiet"><${Ago} time=${run.created_at} /></span>
      </dd>
    </div>
    <div>
      <dt>Approvals</dt>
      <dd>
        <b>${run.approvals.length} of ${run.approvals_needed}</b>${' '}
        <span class="quiet"><bdi>${approversOf(run)}</bdi></span>
      </dd>
    </div>
    ${
      run.state === 'awaiting_approval' &&
      run.approval_expires_at &&
      html`<div>
        <dt>Cancelled unless approved</dt>
        <dd>
          <b><${Ago} time=${run.approval_expires_at} /></b>
        </dd>
      </div>`
    }
    ${
      run.new_version &&
      html`<div>
        <dt>New version</dt>
        <dd>
          <b><bdi>${run.new_version}</bdi></b>
        </dd>
      </div>`
    }
    ${run.escalation.map(
      ({ after, to, due_at, told_at, missing }) =>
        html`<div>
          <dt>Without an answer for ${after}</dt>
          <dd>
            <b><bdi>${to.join(', ')}</bdi></b
            >${' '}
            <span class="quiet">${escalationState(run, { due_at, told_at, missing })}</span>
          </dd>
        </div>`,
    )}
    <${Provenance} run=${run} />
    ${
      run.next_attempt_at &&
      html`<div>
        <dt>Tried again</dt>
        <dd>
          <b><${Ago} time=${run.next_attempt_at} /></b>${' '}<span class="quiet"
            >after ${run.attempts}</span
          >
        </dd>
      </div>`
    }
  </dl>`

/** What a run rests on: its facts, the results it is about, what came since, its candidate. @param {{ run: Run }} props */
export const RunEvidence = ({ run }) =>
  html`<${Facts} run=${run} /><${Triggers} run=${run} />${
      run.notes.length > 0 &&
      html`<h3>What came to light since</h3>
        <ul class="plain">
          ${run.notes.map((note) => html`<li><bdi>${sentence(note)}</bdi></li>`)}
        </ul>`
    }${run.acceptance && html`<${Acceptance} acceptance=${run.acceptance} />`}`
