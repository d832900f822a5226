/** One run over the page: what it rests on, what to do about it, and how it came to where it is. */
import { html, useState } from '/console/vendor/preact.js'
import { Drawer } from '../parts/drawer.js'
import { request } from '../parts/page.js'
import { actorName, inWords, stateVerdict } from '../parts/states.js'
import { Timeline } from '../parts/timeline.js'
import { Ago, Badge, Failed, Loading, useAnswer } from '../parts/ui.js'
import { day, sentence } from '../parts/words.js'
import { Acts } from './acts.js'
import { Rollout } from './rollout.js'
import { Acceptance, Provenance, Repair, Triggers } from './evidence.js'

/** @typedef {import('typebox').Static<typeof import('../../schemas/http/retrain-trigger.ts').OneRunAnswer>} Run */

const DONE = { approve: 'approved', note: 'a note' }

/** @param {string} state such as `launching`, `approve` or `outcome.repaired` */
const stepName = (state) => sentence(DONE[state] ?? inWords(state.replace('.', ': ')))

/** @param {Run} run */
const stepsOf = ({ transitions }) =>
  transitions.toReversed().map(({ state, actor, for: inStead, reason, at }) => ({
    what: stepName(state),
    verdict: state === 'approve' ? /** @type {const} */ ('ok') : stateVerdict(state),
    who: actor,
    inStead,
    why: reason,
    at,
  }))

/** The decision made again from what is stored, once it is asked for. @param {{ path: string }} props */
function Replay({ path }) {
  const [isAsked, setAsked] = useState(false)
  return isAsked
    ? html`<${Replayed} path=${path} />`
    : html`<button onClick=${() => setAsked(true)}>Make the decision again</button>`
}

const OUTCOME = /** @type {const} */ ({
  identical: ['ok', 'The same comes out'],
  different: ['alarm', 'Another decision comes out'],
  not_replayable: ['none', 'It cannot be made again'],
})

function Replayed({ path }) {
  const { answer, error, again } = useAnswer(() => request(`${path}/replay`), [])
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer)
    return html`<p role="status" class="quiet">
      Reading the results that the decision saw, and deciding again …
    </p>`
  const [verdict, text] = OUTCOME[answer.outcome]
  return html`<div role="status">
    <${Badge} verdict=${verdict} text=${text} />
    ${answer.windows > 0 && html`${' '}<span class="quiet">from the results of ${answer.windows} windows of cohorts</span>`}
    <ul class="plain">
      ${answer.differences.map((one) => html`<li><bdi>${sentence(one)}</bdi></li>`)}
    </ul>
  </div>`
}

/** Who has approved, and in whose stead. @param {Run} run */
const approversOf = ({ approvals, delegated }) =>
  approvals
    .map((by) => {
      const other = delegated.find((one) => one.by === by)
      return other ? `${actorName(by)} for ${actorName(other.for)}` : actorName(by)
    })
    .join(', ')

/** What the run rests on, and until when. @param {{ run: Run }} props */
const Facts = ({ run }) =>
  html`<dl class="evidence" aria-label="What it rests on">
    <div>
      <dt>Evidence to</dt>
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

/** @param {{ run: Run, changed: () => void }} props */
function One({ run, changed }) {
  const path = `/v1/runs/${encodeURIComponent(run.run_id)}`
  const model = `/models/${encodeURIComponent(run.model_id)}`
  return html`<p class="standing">
      <${Badge} verdict=${stateVerdict(run.state)} text=${inWords(run.state)} />
      <bdi>${sentence(run.reason)}</bdi>
    </p>
    <p class="quiet facts">
      <span
        >of <a href=${model}><bdi>${run.model_id}</bdi></a></span
      >
      ${run.message && html`<span><bdi>last said: ${run.message}</bdi></span>`}
      ${run.job_url && html`<a href=${run.job_url} rel="noreferrer">its job</a>`}
    </p>
    <section aria-labelledby="evidence">
      <h3 id="evidence">What it rests on</h3>
      <${Facts} run=${run} />
      <${Triggers} run=${run} />
      ${
        run.notes.length > 0 &&
        html`<h3>What came to light since</h3>
          <ul class="plain">
            ${run.notes.map((note) => html`<li><bdi>${sentence(note)}</bdi></li>`)}
          </ul>`
      }
      ${run.acceptance && html`<${Acceptance} acceptance=${run.acceptance} />`}
      ${run.rollout && html`<${Rollout} rollout=${run.rollout} version=${run.new_version} />`}
      ${run.repair && html`<${Repair} repair=${run.repair} />`}
      <div class="row"><${Replay} path=${path} /></div>
    </section>
    <${Acts} run=${run} path=${path} changed=${changed} />
    <section aria-labelledby="history">
      <h3 id="history">How it came to this</h3>
      <${Timeline} steps=${stepsOf(run)} label="States of the run, the newest first" />
    </section>`
}

/** @param {{ id: string, close: () => void, changed: () => void }} props */
export function RunDrawer({ id, close, changed }) {
  const [turn, setTurn] = useState(0)
  const { answer, error, again } = useAnswer(
    () => request(`/v1/runs/${encodeURIComponent(id)}`),
    [turn],
  )
  const acted = () => {
    setTurn((n) => n + 1)
    changed()
  }
  return html`<${Drawer} title=${answer ? `Run of ${answer.policy}` : 'A run'} close=${close}>
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!answer && !error && html`<${Loading} what="the run" tall />`}
    ${answer && html`<${One} run=${answer} changed=${acted} />`}
  <//>`
}
