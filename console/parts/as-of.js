/** A page that tells what was known at a time: choosing it, and saying so. */
import { html, useState } from '/console/vendor/preact.js'
import { day } from './words.js'

/** The time of the address, where it is one. @param {Record<string, string>} address */
export const asOfOf = ({ as_of: asOf }) =>
  asOf && Number.isFinite(Date.parse(asOf)) ? new Date(asOf).toISOString() : undefined

/** Says that a page tells the past, and leads back. @param {{ asOf: string, back: () => void }} props */
export const PastNote = ({ asOf, back }) =>
  html`<div class="past" role="status">
    <p>
      <strong>As known at ${day(asOf)} UTC.</strong> What was evaluated or said later is left out.
    </p>
    <button onClick=${back}>Back to now</button>
  </div>`

/** Asks of what time the page shall tell. @param {{ asOf: string | undefined, change: any }} props */
export function PastPicker({ asOf, change }) {
  const [isOpen, setOpen] = useState(false)
  const go = (event) => {
    event.preventDefault()
    const time = new FormData(event.target).get('at')
    setOpen(false)
    change({ as_of: new Date(`${time}Z`).toISOString(), feature: undefined })
  }
  return html`<span class="past-picker">
    <button class="link" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      What was known at a time
    </button>
    ${
      isOpen &&
      html`<form class="row" onSubmit=${go}>
        <label
          >Known at, UTC
          <input
            type="datetime-local"
            name="at"
            required
            value=${(asOf ?? new Date().toISOString()).slice(0, 16)}
        /></label>
        <button class="primary">Show</button>
      </form>`
    }
  </span>`
}
