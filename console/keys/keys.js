/** API keys: who has one, what it may do, until when, and when it was used last. */
import { html, render, useEffect, useRef, useState } from '/console/vendor/preact.js'
import { request, show } from '../parts/page.js'
import { Ago, Badge, Empty, Failed, Loading, useAnswer } from '../parts/ui.js'

/** @typedef {{ key: string, id: string, may: string[], created_at: string | null, expires_at: string | null, has_ended: boolean, last_used_at: string | null }} Key */
/** @typedef {{ secret: string, made: Key, replaced: Key | null }} Made */

const ROLES = /** @type {const} */ ([
  ['emitter', 'emitter: send events'],
  ['reviewer', 'reviewer: answer reviews'],
  ['analyst', 'analyst: read results'],
  ['operator', 'operator: read, decide'],
  ['approver', 'approver: read, approve'],
  ['admin', 'admin: everything'],
])
const REACHES = /** @type {const} */ ([
  ['', 'all models'],
  ['model', 'the model'],
  ['team', 'the team'],
  ['environment', 'the environment'],
])
const ENDS = /** @type {const} */ ([
  ['30d', 'in 30 days'],
  ['90d', 'in 90 days'],
  ['365d', 'in a year'],
  ['never', 'never'],
])
const OVERLAPS = /** @type {const} */ ([
  ['0s', 'not at all'],
  ['24h', 'for a day'],
  ['7d', 'for a week'],
])

/**
 * @param {{ name: string, text: string, options: readonly (readonly [string, string])[], chosen:
 *   string, change?: (value: string) => void }} props
 */
const Choice = ({ name, text, options, chosen, change }) =>
  html`<label
    >${text}<select name=${name} onChange=${(event) => change?.(event.target.value)}>
      ${options.map(
        ([value, words]) =>
          html`<option value=${value} selected=${value === chosen}>${words}</option>`,
      )}
    </select></label
  >`

/**
 * A form that does something and says why it could not.
 *
 * @param {{ label: string, text: string, send: (form: FormData) => Promise<void>, close: () =>
 *   void, children?: any }} props
 */
function Act({ label, text, send, close, children }) {
  const [error, setError] = useState(/** @type {Error | undefined} */ (undefined))
  const [isBusy, setBusy] = useState(false)
  const submit = async (event) => {
    event.preventDefault()
    setBusy(true)
    try {
      await send(new FormData(event.target))
    } catch (problem) {
      setError(/** @type {Error} */ (problem))
      setBusy(false)
    }
  }
  return html`<form
    class="decide"
    aria-label=${label}
    onSubmit=${submit}
    onKeyDown=${(event) => event.key === 'Escape' && close()}
  >
    <div class="row">
      ${children}
      <button class="primary" disabled=${isBusy}>${text}</button>
      <button type="button" onClick=${close}>Cancel</button>
    </div>
    ${error && html`<${Failed} error=${error} />`}
  </form>`
}

/** @param {{ made: (made: Made) => void, close: () => void }} props */
function NewKey({ made, close }) {
  const [reach, setReach] = useState('')
  const send = async (form) => {
    const role = String(form.get('role'))
    const grant = reach ? `${role}@${reach}:${String(form.get('name')).trim()}` : role
    const body = { id: String(form.get('id')).trim(), grants: [grant], expires: form.get('ends') }
    made(await request('/v1/keys', body))
  }
  return html`<${Act} label="A new key" text="Make the key" send=${send} close=${close}>
    <label>For whom<input name="id" required maxlength="180" autocomplete="off" /></label>
    <${Choice} name="role" text="Role" options=${ROLES} chosen="analyst" />
    <${Choice} name="reach" text="With" options=${REACHES} chosen="" change=${setReach} />
    ${
      reach &&
      html`<label>Its name<input name="name" required maxlength="200" autocomplete="off" /></label>`
    }
    <${Choice} name="ends" text="Ends" options=${ENDS} chosen="90d" />
  <//>`
}

/** @param {{ of: Key, made: (made: Made) => void, close: () => void }} props */
const Rotate = ({ of, made, close }) =>
  html`<${Act}
    label=${`Rotate ${of.key}`}
    text="Make the next key"
    close=${close}
    send=${async (form) => {
      const body = { overlap: form.get('overlap'), expires: form.get('ends') }
      made(await request(`/v1/keys/${of.key}/rotate`, body))
    }}
  >
    <${Choice} name="overlap" text="This one stays good" options=${OVERLAPS} chosen="24h" />
    <${Choice} name="ends" text="The next one ends" options=${ENDS} chosen="90d" />
  <//>`

/** @param {{ of: Key, done: () => void, close: () => void }} props */
const Revoke = ({ of, done, close }) =>
  html`<${Act}
    label=${`Revoke ${of.key}`}
    text="Revoke it"
    close=${close}
    send=${async () => {
      await request(`/v1/keys/${of.key}`, undefined, 'DELETE')
      done()
    }}
  >
    <p class="quiet">Whoever sends it is refused from now on, and signed out here.</p>
  <//>`

/**
 * Shows a secret until it is closed; nothing keeps it afterwards.
 *
 * @param {{ made: Made, close: () => void }} props
 */
function Secret({ made, close }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null))
  const field = useRef(/** @type {HTMLInputElement | null} */ (null))
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    dialog.current?.showModal()
    field.current?.select()
  }, [])
  const copy = async () => {
    await navigator.clipboard?.writeText(made.secret)
    setCopied(true)
  }
  return html`<dialog class="card" ref=${dialog} onClose=${close} aria-labelledby="secret-of">
    <h2 id="secret-of">The key of ${made.made.id}</h2>
    <p>Copy it now: it is not shown again, and nothing here keeps it.</p>
    <input
      class="secret"
      aria-label="The new key"
      readonly
      value=${made.secret}
      ref=${field}
      autocomplete="off"
    />
    <div class="row">
      ${
        // Browsers give pages the clipboard over TLS and on loopback alone.
        navigator.clipboard &&
        html`<button class="primary" onClick=${copy}>${isCopied ? 'Copied' : 'Copy'}</button>`
      }
      <button onClick=${() => dialog.current?.close()}>Done</button>
    </div>
  </dialog>`
}

/** @param {{ of: Key, act: { kind: string, key: string } | undefined, setAct: Function, made: (made: Made) => void, again: () => void }} props */
function Row({ of, act, setAct, made, again }) {
  const isActing = act?.key === of.key
  const close = () => setAct(undefined)
  return html`<tr>
      <td><bdi>${of.id}</bdi><br /><code class="quiet">${of.key}</code></td>
      <td data-label="may">${of.may.join(', ')}</td>
      <td data-label="made"><${Ago} time=${of.created_at} /></td>
      <td data-label="ends">
        ${
          of.has_ended
            ? html`<${Badge} verdict="none" text="ended" />`
            : of.expires_at
              ? html`<${Ago} time=${of.expires_at} />`
              : 'never'
        }
      </td>
      <td data-label="last used"><${Ago} time=${of.last_used_at} /></td>
      <td>
        <span class="acts">
          ${
            !of.has_ended &&
            html`<button
              aria-label=${`Rotate ${of.key}`}
              onClick=${() => setAct({ kind: 'rotate', key: of.key })}
            >
              Rotate
            </button>`
          }
          <button
            aria-label=${`Revoke ${of.key}`}
            onClick=${() => setAct({ kind: 'revoke', key: of.key })}
          >
            Revoke
          </button></span
        >
      </td>
    </tr>
    ${
      isActing &&
      html`<tr>
        <td colspan="6">
          ${
            act.kind === 'rotate'
              ? html`<${Rotate} of=${of} made=${made} close=${close} />`
              : html`<${Revoke} of=${of} done=${again} close=${close} />`
          }
        </td>
      </tr>`
    }`
}

function Page() {
  const { answer, error, again } = useAnswer(() => request('/v1/keys'), [])
  const [act, setAct] = useState(
    /** @type {{ kind: string, key: string } | undefined} */ (undefined),
  )
  const [secret, setSecret] = useState(/** @type {Made | undefined} */ (undefined))
  const done = () => {
    setAct(undefined)
    again()
  }
  const made = (found) => {
    setSecret(found)
    done()
  }
  /** @type {Key[]} */
  const keys = answer?.keys ?? []
  return html`<h1>API keys</h1>
    <p class="quiet">
      A key is shown once, when it is made. A change holds within a second, and is in the audit log.
    </p>
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!answer && !error && html`<${Loading} what="keys" />`}
    ${
      answer &&
      (act?.kind === 'new'
        ? html`<${NewKey} made=${made} close=${() => setAct(undefined)} />`
        : html`<div class="row">
            <button class="primary" onClick=${() => setAct({ kind: 'new', key: '' })}>
              New key
            </button>
          </div>`)
    }
    ${answer && keys.length === 0 && html`<${Empty}>There are no keys.<//>`}
    ${
      keys.length > 0 &&
      html`<div class="scroll" tabindex="0" role="region" aria-label="Keys">
        <table class="keys">
          <thead>
            <tr>
              ${['Who', 'May', 'Made', 'Ends', 'Last used', 'Acts'].map(
                (text) => html`<th>${text}</th>`,
              )}
            </tr>
          </thead>
          <tbody>
            ${keys.map(
              (key) =>
                html`<${Row}
                  key=${key.key}
                  of=${key}
                  act=${act}
                  setAct=${setAct}
                  made=${made}
                  again=${done}
                />`,
            )}
          </tbody>
        </table>
      </div>`
    }
    ${secret && html`<${Secret} made=${secret} close=${() => setSecret(undefined)} />`}`
}

await show(async (main) => render(html`<${Page} />`, main))
