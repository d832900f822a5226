/** Retraining runs: what waits for a person first, each with its evidence, acts and history. */
import { html, render, useState } from '/console/vendor/preact.js'
import { useLive } from '../parts/live.js'
import { request, show } from '../parts/page.js'
import { inWords, OUTCOMES, stateVerdict } from '../parts/states.js'
import { Ago, Badge, Empty, Failed, Loading, useAddress, useAnswer } from '../parts/ui.js'
import { plural } from '../parts/words.js'
import { RunDrawer } from './run.js'

/** @typedef {import('../../schemas/http/retrain-trigger.ts').RunAnswer} Run */

/** Runs that one page asks for; of more it says so. */
const MOST = 500
const UNDER_WAY = ['queued', 'launching', 'running', 'validating', 'promoting']
const GROUPS = /** @type {const} */ ([
  ['waiting', 'Waiting for approval', ['awaiting_approval']],
  ['under_way', 'Under way', UNDER_WAY],
  ['done', 'Succeeded', ['succeeded', 'promoted']],
  ['failed', 'Failed', ['failed', 'timed_out', 'rolled_back']],
  ['ended', 'Not carried out', ['rejected', 'cancelled', 'proposed']],
])

/** @param {Run} run @param {Record<string, string>} address */
function isChosen(run, { state, search = '', policy }) {
  const group = GROUPS.find(([name]) => name === state)
  const words = `${run.model_id} ${run.policy} ${run.reason} ${run.new_version}`.toLowerCase()
  return (
    (!group || /** @type {readonly string[]} */ (group[2]).includes(run.state)) &&
    (!policy || run.policy === policy) &&
    words.includes(search.toLowerCase())
  )
}

/** What waits for a person stands above what does not. @param {Run[]} runs */
const waitingFirst = (runs) =>
  runs.toSorted(
    (a, b) => Number(b.state === 'awaiting_approval') - Number(a.state === 'awaiting_approval'),
  )

/** @param {{ runs: Run[], address: Record<string, string>, change: any, shown: number }} props */
function Filters({ runs, address, change, shown }) {
  const policies = [...new Set(runs.map((run) => run.policy))].toSorted()
  const count = (states) => runs.filter((run) => states.includes(run.state)).length
  return html`<div class="bar-row">
    <input
      type="search"
      placeholder="Find a run"
      aria-label="Find a run"
      value=${address.search ?? ''}
      onInput=${(event) => change({ search: event.target.value }, false)}
    />
    ${GROUPS.filter(([name, , states]) => count(states) > 0 || address.state === name).map(
      ([name, text, states]) =>
        html`<button
          aria-pressed=${address.state === name}
          onClick=${() => change({ state: address.state === name ? undefined : name })}
        >
          ${text} <span class="count">${count(states)}</span>
        </button>`,
    )}
    ${
      policies.length > 1 &&
      html`<select
        aria-label="Policy"
        onChange=${(event) => change({ policy: event.target.value })}
      >
        <option value="">Every policy</option>
        ${policies.map((name) => html`<option value=${name} selected=${name === address.policy}>${name}</option>`)}
      </select>`
    }
    <span class="quiet" aria-live="polite">${plural(shown, 'run')}</span>
  </div>`
}

/** @param {{ run: Run, open: () => void }} props */
const Row = ({ run, open }) =>
  html`<tr class="opens" onClick=${(event) => event.target.closest('a, button') ?? open()}>
    <td>
      <${Badge} verdict=${stateVerdict(run.state)} text=${inWords(run.state)} />
      ${
        run.approvals_needed > 0 &&
        run.state === 'awaiting_approval' &&
        html`<div class="quiet small">
          ${run.approvals.length} of ${run.approvals_needed} approved
        </div>`
      }
    </td>
    <td class="name">
      <a href="/models/${encodeURIComponent(run.model_id)}" title=${run.model_id}
        ><bdi>${run.model_id}</bdi></a
      >
    </td>
    <td class="name">
      <button class="link" onClick=${open} title=${run.policy}><bdi>${run.policy}</bdi></button>
    </td>
    <td class="what"><bdi>${run.reason}</bdi></td>
    <td data-label="asked for"><${Ago} time=${run.created_at} /></td>
    <td data-label="new version">
      ${run.new_version ? html`<bdi>${run.new_version}</bdi>` : html`<span class="quiet">–</span>`}
    </td>
    <td data-label="helped">
      ${
        run.repair
          ? html`<${Badge}
              verdict=${OUTCOMES[run.repair.outcome]}
              text=${inWords(run.repair.outcome)}
            />`
          : html`<span class="quiet">–</span>`
      }
    </td>
  </tr>`

/** @param {{ runs: Run[], open: (id: string) => void }} props */
const Runs = ({ runs, open }) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Runs">
    <table class="models runs stacked">
      <thead>
        <tr>
          ${['State', 'Model', 'Policy', 'Why', 'Asked for', 'New version', 'Helped'].map((text) => html`<th>${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${runs.map((run) => html`<${Row} key=${run.run_id} run=${run} open=${() => open(run.run_id)} />`)}
      </tbody>
    </table>
  </div>`

function Page() {
  const [address, change] = useAddress()
  const [turn, setTurn] = useState(0)
  const refresh = () => setTurn((n) => n + 1)
  useLive({ refresh, everyMs: 5000 })
  const ofModel = address.model ? `&model_id=${encodeURIComponent(address.model)}` : ''
  const { answer, error, isStale, again } = useAnswer(
    () => request(`/v1/runs?limit=${MOST}${ofModel}`),
    [turn, ofModel],
  )
  /** @type {Run[]} */
  const runs = answer?.runs ?? []
  const chosen = waitingFirst(runs.filter((run) => isChosen(run, address)))
  return html`<h1>Retraining runs</h1>
    <nav class="go" aria-label="More of runs"><a href="/delegations">Delegations</a></nav>
    ${
      address.model &&
      html`<p class="row">
        <span
          >Of
          <a href="/models/${encodeURIComponent(address.model)}"
            ><bdi>${address.model}</bdi></a
          ></span
        >
        <button onClick=${() => change({ model: undefined })}>Of every model</button>
      </p>`
    }
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!answer && !error && html`<${Loading} what="runs" tall />`}
    ${
      answer &&
      runs.length === 0 &&
      html`<${Empty}>
        No retraining has been asked for. A policy of a model file asks by itself
        (<code>retrain</code>), and so does${' '}<code>POST /v1/runs</code>.
      <//>`
    }
    ${
      runs.length > 0 &&
      html`<${Filters} runs=${runs} address=${address} change=${change} shown=${chosen.length} />
        <div class=${isStale ? 'stale' : ''}>
          <${Runs} runs=${chosen} open=${(id) => change({ run: id })} />
        </div>
        ${chosen.length === 0 && html`<${Empty}>No run fits these filters.<//>`}
        ${runs.length === MOST && html`<p class="quiet">The newest ${MOST} runs; choose a model for older ones.</p>`}`
    }
    ${
      address.run &&
      html`<${RunDrawer}
        key=${address.run}
        id=${address.run}
        close=${() => change({ run: undefined })}
        changed=${refresh}
      />`
    }`
}

await show(async (main) => render(html`<${Page} />`, main))
