/** Who approves in whose stead: delegations are made, seen and ended. */
import { html, render, useEffect, useState } from '/console/vendor/preact.js'
import { hasKeys, request, show } from '../parts/page.js'
import { ReasonForm } from '../parts/reason-form.js'
import { actorName } from '../parts/states.js'
import { Ago, Badge, Empty, Failed, Loading, useAddress, useAnswer } from '../parts/ui.js'
import { day } from '../parts/words.js'

/** @typedef {import('../../schemas/http/runs/delegations.ts').DelegationAnswer} Delegation */

/** Delegations that one page asks for. */
const MOST = 1000
const NAME = 'plumbline-name'
const KNOWN = {
  '': 'ends with the key',
  key: 'ends with the key',
  token: 'signs in at the issuer: take it back by hand',
  claimed: 'a claimed name',
}

/** How a delegation stands. @param {Delegation} one @param {string} now @returns {[import('../parts/words.js').Verdict, string]} */
function standingOf({ begins_at: begins, ends_at: ends, revoked_at: revoked }, now) {
  if (revoked !== null) return ['none', 'taken back']
  if (ends <= now) return ['none', 'has ended']
  return begins > now ? ['incomplete', 'to come'] : ['ok', 'in force']
}

const isOpen = ({ ends_at: ends, revoked_at: revoked }, now) => revoked === null && ends > now

/** A time of a form, RFC 3339; undefined where it is empty. @param {FormData} form @param {string} field */
const timeOf = (form, field) => {
  const value = String(form.get(field) ?? '')
  return value === '' ? undefined : `${value}:00.000Z`
}

/** @param {{ made: () => void }} props */
function Make({ made }) {
  const [error, setError] = useState(/** @type {Error | undefined} */ (undefined))
  const [isBusy, setBusy] = useState(false)
  const [needsName, setNeedsName] = useState(false)
  useEffect(() => {
    hasKeys().then((keys) => setNeedsName(!keys), setError)
  }, [])
  const submit = async (event) => {
    event.preventDefault()
    const node = event.target
    const form = new FormData(node)
    const text = (field) => String(form.get(field) ?? '').trim()
    const models = text('models')
      .split('\n')
      .map((one) => one.trim())
      .filter(Boolean)
    const from = timeOf(form, 'from')
    setBusy(true)
    setError(undefined)
    try {
      await request('/v1/delegations', {
        to: text('to'),
        ...(models.length > 0 && { models }),
        ...(from && { from }),
        until: timeOf(form, 'until'),
        reason: text('reason'),
        ...(needsName && { actor: text('actor') }),
      })
      if (needsName) localStorage.setItem(NAME, text('actor'))
      node.reset()
      made()
    } catch (problem) {
      setError(/** @type {Error} */ (problem))
    }
    setBusy(false)
  }
  return html`<form class="make panel" aria-label="Delegate" onSubmit=${submit}>
    <label>Who is to approve<input name="to" required maxlength="180" autocomplete="off" /></label>
    <label>From (UTC), or at once<input name="from" type="datetime-local" /></label>
    <label>Until (UTC)<input name="until" type="datetime-local" required /></label>
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
    <label class="long"
      >Models, one a line; all that you may approve unless given
      <textarea name="models" rows="2" maxlength="20000" spellcheck="false"></textarea>
    </label>
    <label class="long">Reason<input name="reason" required maxlength="2000" /></label>
    <button class="primary" disabled=${isBusy}>Delegate</button>
    ${error && html`<${Failed} error=${error} />`}
  </form>`
}

/** @param {{ one: Delegation, now: string, done: () => void }} props */
function Row({ one, now, done }) {
  const [isEnding, setEnding] = useState(false)
  const [verdict, says] = standingOf(one, now)
  const end = async (form, who) => {
    await request(`/v1/delegations/${encodeURIComponent(one.delegation_id)}/revoke`, {
      message: String(form.get('comment')),
      ...who,
    })
    done()
  }
  return html`<tr>
      <td class="what">
        <b><bdi>${actorName(one.delegate)}</bdi></b
        >${' '}for${' '}<b><bdi>${actorName(one.delegator)}</bdi></b>
        <div class="quiet"><bdi>${one.reason}</bdi></div>
      </td>
      <td data-label="models">
        ${one.models === null ? 'all' : html`<bdi>${one.models.join(', ')}</bdi>`}
      </td>
      <td data-label="from">${day(one.begins_at)}</td>
      <td data-label="until">${day(one.ends_at)}</td>
      <td class="did">
        <${Badge} verdict=${verdict} text=${says} />
        ${
          one.revoked_at === null
            ? isOpen(one, now) && html`<div class="quiet small">${KNOWN[one.known_by]}</div>`
            : html`<div class="quiet small">
                by <bdi>${actorName(one.revoked_by)}</bdi>, <${Ago} time=${one.revoked_at} />:
                ${' '}<bdi>${one.end_reason}</bdi>
              </div>`
        }
      </td>
      <td>
        ${
          isOpen(one, now) &&
          html`<span class="acts"
            ><button
              aria-expanded=${isEnding}
              aria-label=${`End: ${actorName(one.delegate)} for ${actorName(one.delegator)}`}
              onClick=${() => setEnding(!isEnding)}
            >
              End
            </button></span
          >`
        }
      </td>
    </tr>
    ${
      isEnding &&
      html`<tr>
        <td colspan="6" class="what">
          <${ReasonForm}
            text="End it"
            says="Approvals that were given stay."
            close=${() => setEnding(false)}
            send=${end}
          />
        </td>
      </tr>`
    }`
}

function Page() {
  const [address, change] = useAddress()
  const { answer, error, again } = useAnswer(() => request(`/v1/delegations?limit=${MOST}`), [])
  const now = new Date().toISOString()
  /** @type {Delegation[]} */
  const all = answer?.delegations ?? []
  const open = all.filter((one) => isOpen(one, now))
  const shown = address.ended === 'shown' ? all : open
  return html`<p class="quiet small above"><a href="/runs">Runs</a> / delegations</p>
    <h1>Approvals in another’s stead</h1>
    <p class="quiet">
      Who may approve runs lets another person do it, for 90 days at most. Neither may have asked
      for the run, or approve it twice.
    </p>
    <${Make} made=${again} />
    ${error && html`<${Failed} error=${error} retry=${again} />`}
    ${!answer && !error && html`<${Loading} what="delegations" tall />`}
    ${
      answer &&
      html`<div class="bar-row">
        <h2>
          ${open.length === 0 ? 'None is in force or to come' : `${open.length} in force or to come`}
        </h2>
        ${
          all.length > open.length &&
          html`<button
            aria-pressed=${address.ended === 'shown'}
            onClick=${() => change({ ended: address.ended === 'shown' ? undefined : 'shown' }, false)}
          >
            Those that have ended too
          </button>`
        }
      </div>`
    }
    ${answer && all.length === 0 && html`<${Empty}>Nobody has delegated approvals yet.<//>`}
    ${
      shown.length > 0 &&
      html`<div class="scroll" tabindex="0" role="region" aria-label="Delegations">
        <table class="stacked">
          <thead>
            <tr>
              ${['Who', 'Models', 'From', 'Until', 'State', 'Act'].map((text) => html`<th>${text}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${shown.map(
              (one) =>
                html`<${Row} key=${one.delegation_id} one=${one} now=${now} done=${again} />`,
            )}
          </tbody>
        </table>
      </div>`
    }
    ${all.length === MOST && html`<p class="quiet">The newest ${MOST} delegations.</p>`}`
}

await show(async (main) => render(html`<${Page} />`, main))
