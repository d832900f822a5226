/** One trial at a time, of what is written now; the address keeps what was tried. */
import { useEffect, useRef, useState } from '/console/vendor/preact.js'
import { request } from '../parts/page.js'

/** @typedef {import('../../schemas/http/runs/policy-trials.ts').PolicyTrialAnswer} Trial */
/** @typedef {{ text: string, turn?: { knob: number, value: number } }} Wanted */

/** How long a text rests before it is tried. */
const REST_MS = 350
const TURN_MS = 60

/** The text that the address holds; undefined where it holds none. */
function inAddress() {
  try {
    return location.hash.length > 1 ? decodeURIComponent(location.hash.slice(1)) : undefined
  } catch {
    return undefined
  }
}

/** Has the address hold a text, or none. @param {string | undefined} text */
function keep(text) {
  const hash = text === undefined ? '' : `#${encodeURIComponent(text)}`
  history.replaceState(null, '', `${location.pathname}${location.search}${hash}`)
}

/**
 * @param {string} modelId @param {string} inForce the text that the address need not hold
 * @param {{ from: string, to: string }} span
 */
export function useTrial(modelId, inForce, span) {
  const [text, setText] = useState(() => inAddress() ?? inForce)
  const [state, setState] = useState(
    /** @type {{ trial?: Trial | undefined, error?: Error, isStale: boolean }} */ ({
      isStale: true,
    }),
  )
  const now = useRef({
    text,
    span,
    inForce,
    wanted: /** @type {Wanted | undefined} */ (undefined),
    kept: inAddress(),
    isAsking: false,
    timer: 0,
  })
  Object.assign(now.current, { span, inForce })

  const ask = async () => {
    if (now.current.isAsking) return
    now.current.isAsking = true
    for (let wanted = now.current.wanted; wanted; wanted = now.current.wanted) {
      now.current.wanted = undefined
      setState((before) => ({ ...before, isStale: true }))
      const question = { model_id: modelId, policy: wanted.text, ...now.current.span }
      try {
        /** @type {Trial} */
        const trial = await request('/v1/policy-trials', {
          ...question,
          ...(wanted.turn && { turn: wanted.turn }),
        })
        // What was written meanwhile stays.
        if (wanted.turn && now.current.text === wanted.text) put(trial.policy ?? wanted.text)
        const tried = wanted.turn ? (trial.policy ?? '') : wanted.text
        now.current.kept = tried === now.current.inForce ? undefined : (trial.policy ?? undefined)
        keep(now.current.kept)
        setState({ trial, isStale: false })
      } catch (error) {
        setState(({ trial }) => ({ trial, error: /** @type {Error} */ (error), isStale: false }))
      }
    }
    now.current.isAsking = false
  }
  const put = (next) => {
    now.current.text = next
    setText(next)
  }
  const want = (/** @type {Wanted} */ wanted, rest) => {
    now.current.wanted = wanted
    clearTimeout(now.current.timer)
    now.current.timer = Number(setTimeout(ask, rest))
  }
  const write = (next, isAtOnce = false) => {
    put(next)
    want({ text: next }, isAtOnce ? 0 : REST_MS)
  }
  useEffect(() => {
    // Another range is another address.
    keep(now.current.kept)
    want({ text: now.current.text }, 0)
  }, [span.from, span.to])
  useEffect(() => {
    const follow = () => write(inAddress() ?? now.current.inForce, true)
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return {
    ...state,
    text,
    write,
    turn: (knob, value) => want({ text: now.current.text, turn: { knob, value } }, TURN_MS),
    again: () => want({ text: now.current.text }, 0),
  }
}
