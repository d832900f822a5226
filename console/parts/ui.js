/** Components that pages share: badges, ages, states, tabs, addresses that hold the state. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '/console/vendor/preact.js'
import { SHAPES } from './shapes.js'
import { ago, day } from './words.js'

/** @typedef {import('./words.js').Verdict} Verdict */

/** The shape and colour of a verdict. @param {{ verdict: Verdict }} props */
export const Mark = ({ verdict }) =>
  html`<svg class="mark ${verdict}" viewBox="0 0 16 16" aria-hidden="true">
    <path d=${SHAPES[verdict]} fill-rule="evenodd" />
  </svg>`

/** A verdict as a shape and a word. @param {{ verdict: Verdict, text?: string }} props */
export const Badge = ({ verdict, text }) =>
  html`<span class="badge ${verdict}"><${Mark} verdict=${verdict} />${text ?? verdict}</span>`

/**
 * How long ago, in words; the exact time on hover. @param {{ time: string | null | undefined, now?:
 * number }} props
 */
export const Ago = ({ time, now = Date.now() }) =>
  time
    ? html`<time datetime=${time} title="${day(time)} UTC">${ago(time, now)}</time>`
    : html`<span class="quiet">–</span>`

/** Seconds after which a wait tells how long it is. */
const LONG_WAIT_S = 2

/**
 * What stands where something is still to come: a blank, and soon the words what is waited for and
 * for how long.
 *
 * @param {{ what: string, tall?: boolean }} props
 */
export function Loading({ what, tall = false }) {
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setSeconds((n) => n + 1), 1000)
    return () => clearInterval(timer)
  }, [])
  return html`<div class="state loading ${tall ? 'tall' : ''}" role="status">
    <span class="shimmer" aria-hidden="true"></span>
    <span class="words"
      >Loading ${what} …<span aria-hidden="true"
        >${seconds >= LONG_WAIT_S ? ` ${seconds} s so far` : ''}</span
      ></span
    >
  </div>`
}

/** What stands where there is nothing. @param {{ children?: any }} props */
export const Empty = ({ children }) => html`<div class="state empty">${children}</div>`

/**
 * What stands where asking failed, with the sentence why. @param {{ error: Error, retry?: () =>
 * void }} props
 */
export const Failed = ({ error, retry }) =>
  html`<div class="state failed" role="alert">
    <${Mark} verdict="alarm" /><span>${error.message}</span>
    ${retry && html`<button onClick=${retry}>Try again</button>`}
  </div>`

/**
 * What an asynchronous question answers, asked anew when a key changes; an answer that was
 * overtaken is dropped.
 *
 * @template T
 * @param {() => Promise<T>} ask
 * @param {readonly unknown[]} keys
 * @returns {{ answer?: T, error?: Error, isStale: boolean, again: () => void }}
 */
export function useAnswer(ask, keys) {
  const [state, setState] = useState(
    /** @type {{ answer?: T, error?: Error, isStale: boolean }} */ ({ isStale: true }),
  )
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    let isCurrent = true
    setState((before) => ({ ...before, isStale: true }))
    ask().then(
      (answer) => isCurrent && setState({ answer, isStale: false }),
      (error) => isCurrent && setState({ error, isStale: false }),
    )
    return () => {
      isCurrent = false
    }
  }, [...keys, turn])
  return { ...state, again: () => setTurn((n) => n + 1) }
}

/** Parameters of the address that hold a page's state. @returns {Record<string, string>} */
const read = () => Object.fromEntries(new URLSearchParams(location.search))

/**
 * The state of the page as its address has it. Setting a parameter to `undefined` or '' takes it
 * away; `push` makes a step that "back" undoes.
 *
 * @returns {[Record<string, string>, (changes: Record<string, string | undefined>, push?: boolean)
 *   => void]}
 */
export function useAddress() {
  const [state, setState] = useState(read)
  useEffect(() => {
    const follow = () => setState(read())
    addEventListener('popstate', follow)
    return () => removeEventListener('popstate', follow)
  }, [])
  const change = (changes, push = true) => {
    const next = new URLSearchParams(location.search)
    for (const [name, value] of Object.entries(changes))
      if (value) next.set(name, value)
      else next.delete(name)
    const query = next.toString()
    const url = query ? `?${query}` : location.pathname
    if (push) history.pushState(null, '', url)
    else history.replaceState(null, '', url)
    setState(read())
  }
  return [state, change]
}

/**
 * Tabs; arrow keys go from one to the next.
 *
 * @param {{ tabs: readonly (readonly [string, string])[], chosen: string, choose: (id: string) =>
 *   void, label: string }} props
 */
export function Tabs({ tabs, chosen, choose, label }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null))
  const step = (event) => {
    /** @type {number | undefined} */
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!by) return
    const at = tabs.findIndex(([id]) => id === chosen)
    const to = (at + by + tabs.length) % tabs.length
    const next = /** @type {HTMLElement} */ (list.current?.children[to])
    choose(tabs[to][0])
    next.focus()
  }
  return html`<div class="tabs" role="tablist" aria-label=${label} ref=${list} onKeyDown=${step}>
    ${tabs.map(
      ([id, text]) =>
        html`<button
          role="tab"
          id="tab-${id}"
          aria-selected=${id === chosen}
          aria-controls="panel"
          tabindex=${id === chosen ? 0 : -1}
          onClick=${() => choose(id)}
        >
          ${text}
        </button>`,
    )}
  </div>`
}

/**
 * A head of a column that sorts by it.
 *
 * @param {{ id: string, text: string, sort: string, choose: (sort: string) => void, isNumber?:
 *   boolean, extra?: string }} props
 */
export function SortHead({ id, text, sort, choose, isNumber = false, extra = '' }) {
  const [by, way] = sort.split(':')
  const isChosen = by === id
  const next = isChosen && way !== 'up' ? `${id}:up` : `${id}:down`
  return html`<th
    class="${isNumber ? 'number' : ''} ${extra}"
    aria-sort=${isChosen ? (way === 'up' ? 'ascending' : 'descending') : undefined}
  >
    <button class="head" onClick=${() => choose(next)}>
      ${text}<span aria-hidden="true">${isChosen ? (way === 'up' ? ' ↑' : ' ↓') : ''}</span>
    </button>
  </th>`
}

/**
 * Renders its content once it comes near what is seen, so that a thousand of them cost what is seen
 * of them.
 *
 * @param {{ children: () => any, height: string }} props `height` names a class for the room that
 *   is kept
 */
export function WhenSeen({ children, height }) {
  const [isSeen, setSeen] = useState(false)
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  useLayoutEffect(() => {
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return
        setSeen(true)
        watch.disconnect()
      },
      { rootMargin: '200px' },
    )
    watch.observe(/** @type {HTMLElement} */ (box.current))
    return () => watch.disconnect()
  }, [])
  return html`<div class=${height} ref=${box}>${isSeen ? children() : ''}</div>`
}

/**
 * A small line without axes, for a row of a table.
 *
 * @param {{ values: readonly (number | null)[], verdict: Verdict, label: string }} props
 */
export function Spark({ values, verdict, label }) {
  const known = values.filter((value) => value !== null)
  if (known.length < 2) return html`<span class="quiet">–</span>`
  const high = Math.max(...known, 0.05)
  const x = (i) => 2 + (96 * i) / Math.max(1, values.length - 1)
  const y = (value) => 22 - (20 * Math.max(0, value)) / high
  const points = values
    .map((value, i) => (value === null ? '' : `${x(i).toFixed(1)},${y(value).toFixed(1)}`))
    .filter(Boolean)
  const last = values.findLastIndex((value) => value !== null)
  return html`<svg class="spark ${verdict}" viewBox="0 0 100 24" role="img" aria-label=${label}>
    <polyline points=${points.join(' ')} />
    <circle cx=${x(last)} cy=${y(values[last])} r="2.4" />
  </svg>`
}
