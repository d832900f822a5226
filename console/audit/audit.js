/** The audit log, newest first: who did what to what and why, and whether its chain holds. */
import { html, render, useState } from '/console/vendor/preact.js'
import { request, show } from '../parts/page.js'
import { Empty, Failed, Loading, useAddress, useAnswer } from '../parts/ui.js'
import { plural } from '../parts/words.js'
import { Entries } from './entries.js'
import { Verify } from './verify.js'

const SHOWN = 100
const KINDS = /** @type {const} */ ([
  ['', 'Everything'],
  ['run', 'Retraining runs'],
  ['verdict', 'Answers to alarms'],
  ['reference', 'References'],
  ['model_file', 'Model files'],
  ['source_file', 'Source files'],
  ['key', 'API keys'],
  ['subject', 'Requests of persons'],
  ['retention', 'Retention'],
])
const DAY_MS = 86_400_000

/** The end of a day of the address, which is part of the time that is asked for. @param {string} day */
const dayAfter = (day) => new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString()
const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text ?? '') && Number.isFinite(Date.parse(text))

/** The question that the address asks. @param {Record<string, string>} address */
function questionOf({ kind, actor, model, from, to, before }) {
  const asked = {
    ...(kind && { action: kind }),
    ...(actor && { actor }),
    ...(model && { model_id: model }),
    ...(isDay(from) && { from: `${from}T00:00:00Z` }),
    ...(isDay(to) && { to: dayAfter(to) }),
    ...(/^\d{1,15}$/.test(before ?? '') && Number(before) > 0 && { before }),
  }
  return new URLSearchParams({ order: 'newest', limit: String(SHOWN), ...asked }).toString()
}

/**
 * A text that is asked for once it is entered; what is being typed stays when an answer comes meanwhile.
 *
 * @param {{ label: string, value: string, onChange: (event: any) => void }} props
 */
function Text({ label, value, onChange }) {
  const [typed, setTyped] = useState(/** @type {string | undefined} */ (undefined))
  const enter = (event) => {
    onChange(event)
    setTyped(undefined)
  }
  return html`<label
    >${label}<input
      type="search"
      maxlength="200"
      value=${typed ?? value}
      onInput=${(event) => setTyped(event.target.value)}
      onChange=${enter}
  /></label>`
}

/** @param {{ address: Record<string, string>, change: (to: Record<string, string | undefined>) => void }} props */
function Filters({ address, change }) {
  // Another question begins at its newest entry.
  const narrow = (name) => (event) => change({ [name]: event.target.value, before: undefined })
  return html`<form
    class="choices"
    aria-label="Filters"
    onSubmit=${(event) => event.preventDefault()}
  >
    <label
      >What<select onChange=${narrow('kind')}>
        ${KINDS.map(
          ([value, text]) =>
            html`<option value=${value} selected=${value === (address.kind ?? '')}>
              ${text}
            </option>`,
        )}
      </select></label
    >
    <${Text} label="Model" value=${address.model ?? ''} onChange=${narrow('model')} />
    <${Text} label="Who" value=${address.actor ?? ''} onChange=${narrow('actor')} />
    <label>From<input type="date" value=${address.from ?? ''} onChange=${narrow('from')} /></label>
    <label>To<input type="date" value=${address.to ?? ''} onChange=${narrow('to')} /></label>
  </form>`
}

function Page() {
  const [address, change] = useAddress()
  const question = questionOf(address)
  const { answer, error, isStale, again } = useAnswer(
    () => request(`/v1/audit?${question}`),
    [question],
  )
  const [isVerifying, setVerifying] = useState(false)
  const entries = answer?.entries ?? []
  const isNarrowed = Object.keys(address).some((name) => name !== 'before')
  return html`<h1>Audit log</h1>
    ${
      answer &&
      html`<${Verify}
        answer=${answer}
        isVerifying=${isVerifying}
        begin=${() => setVerifying(true)}
        end=${() => setVerifying(false)}
      />`
    }
    <${Filters} address=${address} change=${change} />
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!answer && !error && html`<${Loading} what="the audit log" tall />`}
    ${
      answer &&
      entries.length === 0 &&
      html`<${Empty}>
        ${isNarrowed ? 'No entry fits these filters.' : 'Nothing has been done yet.'}
      <//>`
    }
    ${
      entries.length > 0 &&
      html`<div class=${isStale ? 'stale' : ''}><${Entries} entries=${entries} /></div>
        <nav class="row" aria-label="Pages of the log">
          ${
            address.before &&
            html`<button onClick=${() => change({ before: undefined })}>Newest</button>`
          }
          <button
            disabled=${entries.length < SHOWN}
            onClick=${() => change({ before: String(entries.at(-1).sequence) })}
          >
            Older
          </button>
          <span class="quiet"
            >${plural(entries.length, 'entry', 'entries')} shown, of
            ${` ${Number(answer.head.entries).toLocaleString('en')}`} in the log</span
          >
        </nav>`
    }`
}

await show(async (main) => render(html`<${Page} />`, main))
