/**
 * One run that waits for the holder of a link: its evidence first, then the answer, which is given
 * once.
 */
import { html, render, useEffect, useState } from '/console/vendor/preact.js'
import { request, show } from '../parts/page.js'
import { ReasonForm } from '../parts/reason-form.js'
import { actorName, inWords, stateVerdict } from '../parts/states.js'
import { Timeline } from '../parts/timeline.js'
import { Ago, Badge, Empty, Failed, Loading } from '../parts/ui.js'
import { sentence } from '../parts/words.js'
import { RunEvidence, stepsOf } from '../parts/run-facts.js'

/** @typedef {import('typebox').Static<typeof import('../../schemas/http/runs/approval-links.ts').OpenLinkAnswer>} Opened */

const ACTS = /** @type {const} */ ([
  ['approve', 'Approve', 'The job is launched once all approvals are there.'],
  ['reject', 'Reject', 'The run ends, and nothing is launched.'],
])

/** What the link holds: the token leaves the address at once, and stays in this page alone. */
const shown = {
  run_id: new URLSearchParams(location.search).get('run') ?? '',
  token: location.hash.slice(1),
}
history.replaceState(null, '', `${location.pathname}${location.search}`)

/** @param {{ opened: Opened, done: (says: string) => void }} props */
function Answer({ opened: { person, expires_at }, done }) {
  const [act, setAct] = useState('')
  const chosen = ACTS.find(([name]) => name === act)
  const send = async (form) => {
    const message = String(form.get('comment'))
    const run = await request('/v1/approval-links/use', { ...shown, act, message })
    done(`Your answer is kept in the audit log. The run is now ${inWords(run.state)}.`)
  }
  return html`<section aria-labelledby="acts">
    <h2 id="acts">Your answer</h2>
    <p class="quiet">
      The link is for <b><bdi>${actorName(person)}</bdi></b
      >, for one answer; it ends${' '} <${Ago} time=${expires_at} />.
    </p>
    <div class="row">
      ${ACTS.map(
        ([name, text]) =>
          html`<button
            class=${name === 'approve' ? 'primary' : ''}
            aria-expanded=${act === name}
            onClick=${() => setAct(act === name ? '' : name)}
          >
            ${text}
          </button>`,
      )}
    </div>
    ${
      chosen &&
      html`<${ReasonForm}
        key=${act}
        text=${chosen[1]}
        says=${chosen[2]}
        close=${() => setAct('')}
        send=${send}
        isNamed
      />`
    }
  </section>`
}

/** @param {{ opened: Opened }} props */
function Evidence({ opened: { run } }) {
  return html`<p class="standing">
      <${Badge} verdict=${stateVerdict(run.state)} text=${inWords(run.state)} />
      <bdi>${sentence(run.reason)}</bdi>
    </p>
    <p class="quiet facts">
      <span
        >of <b><bdi>${run.model_id}</bdi></b
        >, policy <bdi>${run.policy}</bdi></span
      >
    </p>
    <section aria-labelledby="evidence">
      <h2 id="evidence">What it rests on</h2>
      <${RunEvidence} run=${run} />
    </section>`
}

function Page() {
  const [opened, setOpened] = useState(/** @type {Opened | undefined} */ (undefined))
  const [error, setError] = useState(/** @type {Error | undefined} */ (undefined))
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (shown.token !== '') request('/v1/approval-links/open', shown).then(setOpened, setError)
  }, [])
  if (shown.token === '')
    return html`<h1>Approval</h1>
      <${Empty}>Open the link in your message again: this page keeps nothing of it.<//>`
  return html`<h1>Approval</h1>
    ${error && html`<${Failed} error=${error} />`}
    ${!opened && !error && html`<${Loading} what="the run" tall />`}
    ${
      opened &&
      html`<${Evidence} opened=${opened} />
        ${said === '' ? html`<${Answer} opened=${opened} done=${setSaid} />` : html`<p role="status"><b>${said}</b></p>`}
        <section aria-labelledby="history">
          <h2 id="history">How it came to this</h2>
          <${Timeline} steps=${stepsOf(opened.run)} label="States of the run, the newest first" />
        </section>`
    }`
}

await show(async (main) => render(html`<${Page} />`, main))
