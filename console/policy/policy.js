/** What a policy would have done on the windows that are stored, beside what was done; its numbers move. */
import { html, render } from '/console/vendor/preact.js'
import { request, show } from '../parts/page.js'
import { rangeOf } from '../parts/range.js'
import { Empty, Failed, Loading, useAddress, useAnswer } from '../parts/ui.js'
import { metricName, number, plural } from '../parts/words.js'
import { Decisions } from './decisions.js'
import { PolicyField } from './field.js'
import { Lanes } from './lanes.js'
import { useTrial } from './trial.js'

/** @typedef {import('../../schemas/http/runs/policy-trials.ts').PoliciesAnswer} Policies */
/** @typedef {import('../../schemas/http/runs/policy-trials.ts').PolicyTrialAnswer} Trial */

const id = decodeURIComponent(location.pathname.split('/').at(-2) ?? '')
document.title = `A policy of ${id} · Plumbline`
const path = `/v1/models/${encodeURIComponent(id)}`

const BEGIN = 'when: any(drift.psi, alarm, for=2)\ncooldown: 7d\nmax_per_month: 4\n'
const DAY_MS = 86_400_000
const RANGES = ['30', '90', '365']

/** The span that the address asks for, RFC 3339. */
function spanOf(address, model) {
  const { from, to } = rangeOf(address, model)
  const end = to ?? model.watermark ?? new Date().toISOString()
  return { from: from ?? new Date(Date.parse(end) - 90 * DAY_MS).toISOString(), to: end }
}

/** A time as an input of the browser has it. @param {string} time */
const inInput = (time) => time.slice(0, 16)

/** @param {{ address: Record<string, string>, change: any, span: { from: string, to: string } }} props */
function Span({ address, change, span }) {
  const isOwn = address.from && address.to
  const set = (side) => (event) => {
    const time = `${event.target.value}:00.000Z`
    if (!Number.isNaN(Date.parse(time))) change({ ...span, [side]: time, range: undefined }, false)
  }
  return html`<div class="bar-row spans">
    <label
      >From (UTC)
      <input type="datetime-local" name="from" value=${inInput(span.from)} onChange=${set('from')}
    /></label>
    <label
      >To (UTC)
      <input type="datetime-local" name="to" value=${inInput(span.to)} onChange=${set('to')}
    /></label>
    <div class="ranges" role="group" aria-label="Range">
      ${RANGES.map(
        (name) =>
          html`<button
            aria-pressed=${!isOwn && (address.range ?? '90') === name}
            onClick=${() => change({ range: name === '90' ? undefined : name, from: undefined, to: undefined }, false)}
          >
            ${name} windows
          </button>`,
      )}
    </div>
  </div>`
}

/** A mean of what is known; undefined where nothing is. @param {readonly { value_after: number | null }[]} all */
function meanAfter(all) {
  const known = all.flatMap(({ value_after: value }) => (value === null ? [] : [value]))
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : undefined
}

/** What came of a trial, in sentences. @param {Trial} trial */
function saidOf({ windows, decisions, runs, metric, untold }) {
  const launches = decisions.filter((one) => one.launches)
  const held = decisions.length - launches.length
  const done = new Set(runs.map((run) => run.window_end))
  const both = launches.filter((one) => done.has(one.window_end ?? '')).length
  const [would, was] = [meanAfter(launches), meanAfter(runs)]
  return [
    `It would have run ${launches.length === 1 ? 'once' : `${launches.length} times`} in ${plural(windows, 'window')}; ${plural(runs.length, 'run')} ${runs.length === 1 ? 'was' : 'were'} decided on them${both > 0 ? `, ${both} on the same windows` : ''}.`,
    held > 0 ? `A guard held it back ${held === 1 ? 'once' : `${held} times`}.` : '',
    metric === null ? 'Nothing stored tells how the model did.' : '',
    would !== undefined
      ? `${metricName(metric ?? '')} read ${number(would)} on average in the four windows after${was === undefined ? '' : `, ${number(was)} after the runs that were made`}.`
      : '',
    ...untold.map(({ test, reason }) => `Not known of ${test}: ${reason}.`),
  ].filter(Boolean)
}

/** @param {{ trial: Trial, isStale: boolean, isBefore: boolean }} props `isBefore`: what is written now is not tried */
function Found({ trial, isStale, isBefore }) {
  if (trial.windows === 0)
    return html`<${Empty}>No window of this range was evaluated: there is nothing to try it on.<//>`
  return html`<div class="stack ${isStale ? 'stale' : ''}">
    ${isBefore && html`<p class="quiet">What was tried last, before the text as it is now:</p>`}
    <p class="said" role="status">${saidOf(trial).join(' ')}</p>
    <section class="panel" aria-labelledby="lanes">
      <h2 id="lanes">Over time</h2>
      <${Lanes} trial=${trial} />
    </section>
    <section aria-labelledby="each">
      <h2 id="each">Each decision</h2>
      <${Decisions} trial=${trial} />
    </section>
  </div>`
}

/** @param {{ policies: Policies['policies'], model: any, address: Record<string, string>, change: any }} props */
function Try({ policies, model, address, change }) {
  const own = policies.find(({ name }) => name === address.policy) ?? policies[0]
  const inForce = own?.text ?? BEGIN
  const span = spanOf(address, model)
  const { text, trial, error, isStale, write, turn, again } = useTrial(id, inForce, span)
  const choose = (name) => {
    change({ policy: name === policies[0]?.name ? undefined : name }, false)
    write(policies.find((one) => one.name === name)?.text ?? BEGIN, true)
  }
  return html`<${Span} address=${address} change=${change} span=${span} />
    <div class="trial">
      <section class="panel" aria-labelledby="written">
        <h2 id="written">The policy</h2>
        ${
          policies.length === 0 &&
          html`<p class="quiet small">The model file has no policy: begin with this one.</p>`
        }
        ${
          policies.length > 1 &&
          html`<label class="chosen"
            >Begin with
            <select name="policy" onChange=${(event) => choose(event.target.value)}>
              ${policies.map(
                ({ name }) =>
                  html`<option value=${name} selected=${name === own?.name}>${name}</option>`,
              )}
            </select></label
          >`
        }
        <${PolicyField}
          text=${text}
          inForce=${inForce}
          knobs=${trial?.knobs ?? []}
          error=${error}
          write=${write}
          turn=${turn}
          again=${again}
        />
      </section>
      <div>
        ${
          trial
            ? html`<${Found} trial=${trial} isStale=${isStale} isBefore=${error !== undefined} />`
            : !error && html`<${Loading} what="the trial: every window of the range" tall />`
        }
      </div>
    </div>`
}

function Page() {
  const [address, change] = useAddress()
  const model = useAnswer(() => request(path), [])
  const policies = useAnswer(() => request(`${path}/policies`), [])
  const failed = model.error ?? policies.error
  const retry = () => {
    model.again()
    policies.again()
  }
  return html`<p class="quiet small above">
      <a href="/models/${encodeURIComponent(id)}"><bdi>${id}</bdi></a> / policy
    </p>
    <h1>What a policy would have done</h1>
    <p class="quiet">
      Nothing is launched, and nothing is kept: what stays is in the address. A change that is meant
      goes into the model file.
    </p>
    ${failed && html`<${Failed} error=${failed} retry=${retry} />`}
    ${!failed && !(model.answer && policies.answer) && html`<${Loading} what="the model and its policies" tall />`}
    ${
      model.answer &&
      policies.answer &&
      html`<${Try}
        policies=${policies.answer.policies}
        model=${model.answer}
        address=${address}
        change=${change}
      />`
    }`
}

await show(async (main) => render(html`<${Page} />`, main))
