/** A trial over time: would-be runs above, windows by verdict, runs that were made, how the model did. */
import { html, useLayoutEffect, useRef, useState } from '/console/vendor/preact.js'
import { day, metricName, number, plural } from '../parts/words.js'

/** @typedef {import('../../schemas/http/runs/policy-trials.ts').PolicyTrialAnswer} Trial */
/** @typedef {Trial['timeline'][number]} Window */

const HEIGHT = { alarm: 28, warning: 19, ok: 9, incomplete: 9, none: 3 }
const VERDICTS = /** @type {const} */ (['ok', 'warning', 'alarm', 'incomplete', 'none'])
/** Where lanes have their line, from the top. */
const Y = { would: 30, windows: 88, done: 122, metric: 196, axis: 220 }
const METRIC_HEIGHT = 40
const EDGE = 8

/** How wide an element is. @returns {[any, number]} */
function useWidth() {
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const node = /** @type {HTMLElement} */ (box.current)
    const watch = new ResizeObserver(() => setWidth(node.clientWidth))
    setWidth(node.clientWidth)
    watch.observe(node)
    return () => watch.disconnect()
  }, [])
  return [box, width]
}

/** @param {number} x @param {number} y @param {number} r */
const diamond = (x, y, r) => `M${x} ${y - r}l${r} ${r}l${-r} ${r}l${-r} ${-r}Z`
/** @param {number} x @param {number} y @param {number} r */
const square = (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`

/** The windows of one verdict, as bars. */
const bars = (windows, verdict, x, width) =>
  windows
    .filter((one) => one.verdict === verdict)
    .map(
      ({ window_end }) =>
        `M${(x(window_end) - width / 2).toFixed(1)} ${Y.windows}v${-HEIGHT[verdict]}h${width.toFixed(1)}v${HEIGHT[verdict]}Z`,
    )
    .join('')

/** The line of the metric, broken where nothing is known, and its least and greatest value. */
function lineOf(windows, x) {
  const values = windows.flatMap(({ value }) => (value === null ? [] : [value]))
  if (values.length === 0) return undefined
  const [low, high] = values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Infinity, -Infinity],
  )
  const y = (value) =>
    Y.metric - (high === low ? METRIC_HEIGHT / 2 : ((value - low) / (high - low)) * METRIC_HEIGHT)
  let isOpen = false
  const path = windows
    .map(({ window_end, value }) => {
      const begins = isOpen ? 'L' : 'M'
      isOpen = value !== null
      return value === null ? '' : `${begins}${x(window_end).toFixed(1)} ${y(value).toFixed(1)}`
    })
    .join('')
  // A single value is a point: a line of no length with round ends.
  return { path: values.length === 1 ? `${path}h0` : path, low, high }
}

/** @param {{ trial: Trial, width: number }} props */
function Drawing({ trial: { timeline, decisions, runs, metric }, width }) {
  const times = [
    ...[...timeline, ...runs].map((one) => one.window_end),
    ...decisions.map((one) => one.at),
  ].map((time) => Date.parse(time))
  const first = times.reduce((least, time) => Math.min(least, time), Infinity)
  const last = times.reduce((most, time) => Math.max(most, time), -Infinity)
  const room = width - 2 * EDGE
  const x = (time) =>
    first === last
      ? width / 2
      : Math.round((EDGE + (room * (Date.parse(time) - first)) / (last - first)) * 10) / 10
  const bar = Math.max(1, Math.min(14, (0.8 * room) / timeline.length))
  const at = (isLaunch) => decisions.flatMap((one) => (one.launches === isLaunch ? [one.at] : []))
  const [launches, held] = [at(true), at(false)]
  const made = runs.map((one) => one.window_end)
  const line = lineOf(timeline, x)
  const all = (times, shape, y, r) => times.map((time) => shape(x(time), y, r)).join('')
  const height = line ? Y.axis : Y.done + 32
  return html`<svg
    class="lanes"
    width=${width}
    height=${height}
    role="img"
    aria-label="${plural(launches.length, 'would-be run')} and ${plural(held.length, 'decision')} that a guard held back, above ${plural(timeline.length, 'window')} by worst verdict and ${plural(runs.length, 'run')} that ${runs.length === 1 ? 'was' : 'were'} made; the table below has each"
  >
    <path
      class="leads"
      d=${launches.map((time) => `M${x(time)} ${Y.would + 8}V${line ? Y.metric : Y.done}`).join('')}
    />
    <text x="0" y="12">Would have run</text>
    <path class="held" d=${all(held, diamond, Y.would, 4)} />
    <path class="would" d=${all(launches, diamond, Y.would, 7)} />
    <text x="0" y="56">Windows, by worst verdict</text>
    ${VERDICTS.map((verdict) => html`<path class="bar ${verdict}" d=${bars(timeline, verdict, x, bar)} />`)}
    <text x="0" y=${Y.done - 12}>Were made</text>
    <path class="done" d=${all(made, square, Y.done, 5)} />
    ${
      line &&
      html`<text x="0" y=${Y.metric - METRIC_HEIGHT - 9}>
          ${metricName(metric ?? '')}, ${number(line.low)} to ${number(line.high)}
        </text>
        <path class="metric" d=${line.path} />`
    }
    <text x="0" y=${height - 4}>${day(new Date(first).toISOString())}</text>
    ${
      first !== last &&
      html`<text x=${width} y=${height - 4} text-anchor="end">
        ${day(new Date(last).toISOString())}
      </text>`
    }
  </svg>`
}

/** @param {{ trial: Trial }} props */
export function Lanes({ trial }) {
  const [box, width] = useWidth()
  return html`<div class="lanes-room" ref=${box}>
      ${width > 0 && html`<${Drawing} trial=${trial} width=${width} />`}
    </div>
    <p class="quiet small legend">
      <span
        ><svg viewBox="0 0 16 16"><path class="would" d=${diamond(8, 8, 7)} /></svg> would have
        run</span
      >
      <span
        ><svg viewBox="0 0 16 16"><path class="held" d=${diamond(8, 8, 5)} /></svg> a guard held it
        back</span
      >
      <span
        ><svg viewBox="0 0 16 16"><path class="done" d=${square(8, 8, 5)} /></svg> was made</span
      >
      <span>the taller a window, the worse its verdict; hollow: incomplete</span>
    </p>`
}
