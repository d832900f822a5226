/** The form of an act on an alarm: why, who where no key says so, and what the act asks besides. */
import { html, useEffect, useRef, useState } from '/console/vendor/preact.js'
import { hasKeys } from './page.js'
import { Failed } from './ui.js'

const UNTIL = /** @type {const} */ ([
  ['1', '1 day'],
  ['7', '1 week'],
  ['30', '30 days'],
])
const NAME = 'plumbline-name'

/** How long a snooze lasts. */
export const Until = () =>
  html`<label
    >For<select name="days">
      ${UNTIL.map(([days, text]) => html`<option value=${days}>${text}</option>`)}
    </select></label
  >`

/** The time so many days from now, RFC 3339. @param {FormData} form */
export const untilOf = (form) =>
  new Date(Date.now() + Number(form.get('days')) * 86_400_000).toISOString()

/**
 * @param {{ text: string, says: any, close: () => void, children?: any, send: (form: FormData, who:
 *   { actor?: string }) => Promise<void>, isNamed?: boolean }} props
 *   `send` does the act; what it throws is shown. `isNamed`: it is known who acts
 */
export function ReasonForm({ text, says, close, send, children, isNamed = false }) {
  const [error, setError] = useState(/** @type {Error | undefined} */ (undefined))
  const [isBusy, setBusy] = useState(false)
  const [needsName, setNeedsName] = useState(false)
  const first = useRef(/** @type {HTMLTextAreaElement | null} */ (null))
  useEffect(() => {
    first.current?.focus()
    if (!isNamed) hasKeys().then((keys) => setNeedsName(!keys), setError)
  }, [])
  const submit = async (event) => {
    event.preventDefault()
    const form = new FormData(event.target)
    const actor = String(form.get('actor') ?? '').trim()
    setBusy(true)
    try {
      await send(form, needsName ? { actor } : {})
      if (needsName) localStorage.setItem(NAME, actor)
    } catch (problem) {
      setError(/** @type {Error} */ (problem))
      setBusy(false)
    }
  }
  return html`<form
    class="decide"
    onSubmit=${submit}
    onKeyDown=${(event) => event.key === 'Escape' && close()}
  >
    <p class="quiet">${says}</p>
    <label
      >Reason<textarea name="comment" rows="2" maxlength="2000" required ref=${first}></textarea>
    </label>
    <div class="row">
      ${
        needsName &&
        html`<label
          >Your name<input
            name="actor"
            required
            maxlength="180"
            value=${localStorage.getItem(NAME) ?? ''}
        /></label>`
      }
      ${children}
      <button class="primary" disabled=${isBusy}>${text}</button>
      <button type="button" onClick=${close}>Cancel</button>
    </div>
    ${error && html`<${Failed} error=${error} />`}
  </form>`
}
