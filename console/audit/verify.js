/** Whether the chain of the audit log holds: what its head says, and a walk over every entry. */
import { html, useEffect, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'
import { Badge, Failed } from '../parts/ui.js'
import { plural } from '../parts/words.js'

/** Entries that one request of the walk reads. */
const STEP = 1000
const GENESIS = '0'.repeat(64)

/**
 * Walks the log from its first entry. The service verifies each part; that one part follows from
 * the one before it is verified here.
 *
 * @param {(done: number, all: number) => void} tell how far it is
 * @param {AbortSignal} signal
 * @returns {Promise<{ entries: number, fault: string }>} `fault` is empty where all follow
 */
async function walk(tell, signal) {
  let [at, hash] = [0, GENESIS]
  for (;;) {
    const { entries, complete, reason, head } = await request(`/v1/audit?after=${at}&limit=${STEP}`)
    signal.throwIfAborted()
    if (!complete) return { entries: at, fault: reason }
    const [first] = entries
    if (!first) return { entries: at, fault: at < head.entries ? `entry ${at + 1} is missing` : '' }
    if (first.sequence !== at + 1) return { entries: at, fault: `entry ${at + 1} is missing` }
    if (first.previous_hash !== hash)
      return {
        entries: at,
        fault: `entry ${first.sequence} does not follow from the one before it`,
      }
    at = entries.at(-1).sequence
    hash = entries.at(-1).hash
    tell(at, head.entries)
  }
}

/** How far the walk is, and what it found. @param {{ end: () => void }} props */
function Walk({ end }) {
  const [far, setFar] = useState({ done: 0, all: 0 })
  const [found, setFound] = useState(/** @type {any} */ (undefined))
  const [error, setError] = useState(/** @type {Error | undefined} */ (undefined))
  useEffect(() => {
    const stop = new AbortController()
    walk((done, all) => setFar({ done, all }), stop.signal).then(setFound, (problem) => {
      if (!stop.signal.aborted) setError(problem)
    })
    return () => stop.abort()
  }, [])
  if (error) return html`<${Failed} error=${error} />`
  if (!found)
    return html`<span class="row" role="status">
      <progress
        max=${Math.max(1, far.all)}
        value=${far.done}
        aria-label="Entries verified"
      ></progress>
      <span
        >${far.done.toLocaleString('en')} of ${far.all === 0 ? '…' : far.all.toLocaleString('en')}
        ${' '}entries verified</span
      >
      <button onClick=${end}>Stop</button>
    </span>`
  return html`<span role="status"
    >${
      found.fault === ''
        ? html`<${Badge}
              verdict="ok"
              text="verified"
            />${` ${plural(found.entries, 'entry', 'entries')}, each follows from the one before it and agrees with its copy.`}`
        : html`<${Badge}
              verdict="alarm"
              text="broken"
            />${` ${found.fault}; ${plural(found.entries, 'entry', 'entries')} before it ${found.entries === 1 ? 'follows' : 'follow'}.`}`
    }</span
  >`
}

/**
 * @param {{ answer: { complete: boolean, reason: string, head: { entries: number, hash: string } },
 *   isVerifying: boolean, begin: () => void, end: () => void }} props
 */
export const Verify = ({ answer: { complete, reason, head }, isVerifying, begin, end }) =>
  html`<div class="standing chain">
    <p>
      <${Badge} verdict=${complete ? 'ok' : 'alarm'} text=${complete ? 'whole' : 'broken'} />${' '}
      ${
        complete
          ? `${plural(head.entries, 'entry', 'entries')}; those shown follow from the ones before them and agree with their copies.`
          : `The log is not whole: ${reason}.`
      }
    </p>
    <p class="quiet small" title=${head.hash}>
      Head <code>${head.hash.slice(0, 16)}…</code> Anchors outside the database are held against it
      by <code>npm run audit -- verify</code>.
    </p>
    ${isVerifying ? html`<${Walk} end=${end} />` : html`<button onClick=${begin}>Verify every entry</button>`}
  </div>`
