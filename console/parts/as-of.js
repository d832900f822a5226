/** A page that tells what was known at a time. */
import { html } from '/console/vendor/preact.js'
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
