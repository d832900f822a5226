/** One run over the page: what it rests on, what to do about it, and how it came to where it is. */
import { html, useState } from '/console/vendor/preact.js'
import { Drawer } from '../parts/drawer.js'
import { request } from '../parts/page.js'
import { inWords, stateVerdict } from '../parts/states.js'
import { Timeline } from '../parts/timeline.js'
import { Badge, Failed, Loading, useAnswer } from '../parts/ui.js'
import { sentence } from '../parts/words.js'
import { Acts } from './acts.js'
import { Rollout } from './rollout.js'
import { Repair } from '../parts/run-evidence.js'
import { RunEvidence, stepsOf } from '../parts/run-facts.js'

/** @typedef {import('typebox').Static<typeof import('../../schemas/http/retrain-trigger.ts').OneRunAnswer>} Run */

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
      <${RunEvidence} run=${run} />
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
