/**
 * A number over time by uPlot: interval, baseline, line, verdicts as shapes, young labels shaded,
 * episodes as marks.
 */
import { html, useEffect, useRef } from '/console/vendor/preact.js'
import { day, number, percent, plural, shortNumber } from './words.js'

/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */

/** The package is a classic script, which leaves this name. */
const uPlot = /** @type {typeof import('uplot')} */ (/** @type {any} */ (globalThis).uPlot)
const SYNC = 'windows'
const seconds = (time) => Date.parse(time) / 1000

/** Colours as the tokens have them now. */
function colours() {
  const style = getComputedStyle(document.documentElement)
  return (name) => style.getPropertyValue(`--${name}`).trim()
}

/** Columns as uPlot takes them. @param {readonly WindowMetric[]} rows */
const columns = (rows) =>
  /** @type {any} */ ([
    rows.map((row) => seconds(row.window_end)),
    rows.map((row) => row.value),
    rows.map((row) => row.ci_low),
    rows.map((row) => row.ci_high),
    rows.map((row) => row.baseline_value ?? null),
    rows.map((row) => row.threshold),
  ])

/**
 * Spans of rows that follow one another and share a name. @param {readonly WindowMetric[]} rows
 * @param {(row: WindowMetric) => string} name
 */
function runs(rows, name) {
  /** @type {{ id: string, from: number, to: number }[]} */
  const found = []
  for (const row of rows) {
    const id = name(row)
    const last = found.at(-1)
    if (id === '') continue
    if (last?.id === id && last.to >= seconds(row.window_start) - 1)
      last.to = seconds(row.window_end)
    else found.push({ id, from: seconds(row.window_start), to: seconds(row.window_end) })
  }
  return found
}

/** Draws one shape: what a verdict looks like everywhere. */
function shape(/** @type {CanvasRenderingContext2D} */ ctx, verdict, x, y, size, colour, paper) {
  ctx.beginPath()
  if (verdict === 'alarm') {
    ctx.moveTo(x, y - size)
    ctx.lineTo(x + size, y)
    ctx.lineTo(x, y + size)
    ctx.lineTo(x - size, y)
    ctx.closePath()
  } else if (verdict === 'warning') {
    ctx.moveTo(x, y - size)
    ctx.lineTo(x + size, y + size * 0.8)
    ctx.lineTo(x - size, y + size * 0.8)
    ctx.closePath()
  } else ctx.arc(x, y, size * (verdict === 'incomplete' ? 0.75 : 0.6), 0, 2 * Math.PI)
  ctx.fillStyle = verdict === 'incomplete' ? paper : colour
  ctx.fill()
  ctx.strokeStyle = verdict === 'incomplete' ? colour : paper
  ctx.stroke()
}

/**
 * Behind the lines: young labels shaded, episodes as a strip at the top, marked spans with their
 * names.
 */
function drawBehind(u, rows, until, colour, marks) {
  const { ctx, bbox } = u
  const at = (time) =>
    Math.min(bbox.left + bbox.width, Math.max(bbox.left, u.valToPos(time, 'x', true)))
  const ratio = devicePixelRatio
  ctx.save()
  const young = runs(rows, (row) => ((row.label_maturity ?? 1) < 1 ? 'young' : ''))
  const last = rows.at(-1)
  if (last?.label_maturity !== null && last && until > seconds(last.window_end))
    young.push({ id: '', from: seconds(last.window_end), to: until })
  for (const { from, to } of young) {
    ctx.fillStyle = colour('immature')
    ctx.fillRect(at(from), bbox.top, at(to) - at(from), bbox.height)
  }
  for (const { from, to } of runs(rows, (row) => row.episode_id)) {
    ctx.fillStyle = colour('alarm-wash')
    ctx.fillRect(at(from), bbox.top, Math.max(2, at(to) - at(from)), bbox.height)
    ctx.fillStyle = colour('alarm')
    ctx.fillRect(at(from), bbox.top, Math.max(2, at(to) - at(from)), 3 * ratio)
  }
  ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`
  ctx.textBaseline = 'bottom'
  for (const { from, to, name, tone } of marks) {
    const [left, right] = [at(seconds(from)), Math.max(at(seconds(from)) + 2, at(seconds(to)))]
    ctx.fillStyle = colour(`${tone}-wash`)
    ctx.fillRect(left, bbox.top, right - left, bbox.height)
    ctx.fillStyle = colour(tone)
    ctx.fillRect(left, bbox.top + bbox.height - 3 * ratio, right - left, 3 * ratio)
    ctx.fillText(name, left + 3 * ratio, bbox.top + bbox.height - 5 * ratio)
  }
  ctx.restore()
}

/** Draws each window in the shape of its verdict, in front of the lines. */
function drawPoints(u, rows, colour) {
  const { ctx } = u
  const ratio = devicePixelRatio
  const isDense = rows.length > u.width / 6
  ctx.save()
  ctx.lineWidth = 1.5 * ratio
  // The line before may have been dashed.
  ctx.setLineDash([])
  for (const row of rows) {
    if (row.value === null) continue
    const x = seconds(row.window_end)
    if (x < u.scales.x.min || x > u.scales.x.max) continue
    const { verdict } = row
    if (isDense && (verdict === 'ok' || verdict === 'none')) continue
    const isLoud = verdict === 'alarm' || verdict === 'warning'
    const name = isLoud || verdict === 'incomplete' ? verdict : 'series'
    const [left, top] = [u.valToPos(x, 'x', true), u.valToPos(row.value, 'y', true)]
    shape(ctx, verdict, left, top, (isLoud ? 6 : 5) * ratio, colour(name), colour('paper'))
  }
  ctx.restore()
}

/** What the hovered window says, as lines of text. @param {WindowMetric} row */
export function wordsOf(row) {
  const interval =
    row.ci_low !== null && row.ci_high !== null
      ? ` (${number(row.ci_low)} to ${number(row.ci_high)})`
      : ''
  return [
    `${day(row.window_start)} to ${day(row.window_end)}`,
    `${number(row.value)}${interval}${row.verdict === 'none' ? '' : `, ${row.verdict}`}`,
    (row.baseline_value ?? null) === null ? '' : `baseline ${number(row.baseline_value)}`,
    row.threshold === null ? '' : `line ${number(row.threshold)}`,
    `${plural(Number(row.n_current), 'event')}${
      row.label_maturity !== null ? `, ${percent(row.label_maturity)} past the label horizon` : ''
    }${row.completeness !== null ? `, ${percent(row.completeness)} of emitted events` : ''}`,
    row.revision > 1 ? `evaluated ${row.revision} times` : '',
    row.reason,
  ].filter(Boolean)
}

function fillTip(tip, row) {
  const [when, value, ...rest] = wordsOf(row)
  const lines = [['strong', value], ['span', when], ...rest.map((text) => ['span', text])]
  tip.replaceChildren(
    ...lines.map(([name, text]) => {
      const line = document.createElement(name)
      line.textContent = text
      return line
    }),
  )
}

/** Shows what the cursor is at, on the side that has room. */
function showTip(u, tip, rows) {
  const { idx, left } = u.cursor
  const row = idx === null || idx === undefined ? undefined : rows[idx]
  tip.hidden = !row || left < 0
  if (!row || tip.hidden) return
  fillTip(tip, row)
  const width = tip.offsetWidth
  const isRight = left + width + 24 < u.over.clientWidth
  tip.style.left = `${u.over.offsetLeft + (isRight ? left + 14 : Math.max(0, left - width - 14))}px`
}

/** All values of what is drawn, with some room; interval and lines included. */
function extent(data, range) {
  const [from, to] = range ?? [-Infinity, Infinity]
  let [low, high] = [Infinity, -Infinity]
  for (const values of data.slice(1))
    for (const [i, value] of values.entries()) {
      if (value === null || data[0][i] < from || data[0][i] > to) continue
      if (value < low) low = value
      if (value > high) high = value
    }
  if (!(low <= high)) return [0, 1]
  const room = (high - low || Math.abs(high) || 1) * 0.12
  const floor = low >= 0 ? Math.max(0, low - room) : low - room
  return [floor, low >= 0 && high <= 1 ? Math.min(1.02, high + room) : high + room]
}

const DAY_S = 86_400
const MONTH = new Intl.DateTimeFormat('en', { month: 'short', timeZone: 'UTC' })
/** Ticks of the time axis: the day, the hour where ticks are closer, the year where it begins. */
function tickOf(seconds, apart) {
  const date = new Date(seconds * 1000)
  if (apart < DAY_S && seconds % DAY_S !== 0) return date.toISOString().slice(11, 16)
  const isYear = date.getUTCMonth() === 0 && (date.getUTCDate() === 1 || apart >= 28 * DAY_S)
  if (isYear) return String(date.getUTCFullYear())
  return apart >= 28 * DAY_S ? MONTH.format(date) : `${date.getUTCDate()} ${MONTH.format(date)}`
}

function optionsOf({ width, height, rows, tip, range, until, zoom, pick, marks }) {
  const colour = colours()
  const axis = {
    stroke: colour('quiet'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  }
  const dashed = (name, dash) => ({
    stroke: colour(name),
    width: 1.5,
    dash,
    points: { show: false },
  })
  let isPressed = false
  return {
    width,
    height,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), 'UTC'),
    cursor: {
      sync: { key: SYNC, setSeries: false },
      drag: { x: true, y: false, setScale: false },
      points: { size: 9, fill: colour('series'), stroke: colour('paper') },
    },
    scales: {
      x: {
        time: true,
        range: (_, low, high) => range ?? [low - 1, Math.max(high, until ?? high) + 1],
      },
      y: { range: (u) => extent(u.data, range) },
    },
    axes: [
      {
        ...axis,
        space: 70,
        size: 26,
        values: (_, ticks, __, ___, apart) => ticks.map((tick) => tickOf(tick, apart)),
      },
      { ...axis, size: 56, values: (_, ticks) => ticks.map(shortNumber) },
    ],
    series: [
      {},
      { stroke: colour('series'), width: 2, points: { show: false }, spanGaps: false },
      { stroke: 'transparent', points: { show: false } },
      { stroke: 'transparent', points: { show: false } },
      dashed('line-strong', [6, 4]),
      dashed('alarm', [2, 3]),
    ],
    bands: [{ series: [3, 2], fill: colour('series-wash') }],
    hooks: {
      drawAxes: [(u) => drawBehind(u, rows, until, colour, marks)],
      draw: [(u) => drawPoints(u, rows, colour)],
      setCursor: [(u) => showTip(u, tip, rows)],
      setSelect: [
        (u) => {
          const { left, width } = u.select
          // Charts move together: the one that is dragged zooms, once.
          if (!isPressed || width < 6) return
          isPressed = false
          zoom?.(u.posToVal(left, 'x') * 1000, u.posToVal(left + width, 'x') * 1000)
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
      ready: [
        (u) => {
          u.over.addEventListener('mousedown', () => (isPressed = true))
          u.over.addEventListener('click', () => {
            const row = rows[u.cursor.idx ?? -1]
            if (row) pick?.(row)
          })
        },
      ],
    },
  }
}

/**
 * The chart of one number.
 *
 * @param {{
 *   rows: readonly WindowMetric[], label: string, height?: number,
 *   range?: { seconds?: [number, number] | undefined, until?: number | undefined }, zoom?: (from: number, to: number) => void, pick?: (row: WindowMetric) => void,
 *   marks?: readonly { from: string, to: string, name: string, tone: 'series' | 'beside' }[],
 * }} props `range` in seconds, or until when at least; `zoom` is told of a drag, in milliseconds;
 * `pick` of a click on a window; `marks` are spans with a name
 */
export function Chart({
  rows,
  label,
  height = 220,
  range: { seconds: range, until } = {},
  zoom,
  pick,
  marks = [],
}) {
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  const tip = useRef(/** @type {HTMLElement | null} */ (null))
  useEffect(() => {
    const node = /** @type {HTMLElement} */ (box.current)
    let plot
    const draw = () => {
      plot?.destroy()
      const width = node.clientWidth
      if (width === 0) return
      plot = new uPlot(
        /** @type {any} */ (
          optionsOf({ width, height, rows, tip: tip.current, range, until, zoom, pick, marks })
        ),
        columns(rows),
        node,
      )
    }
    const resized = new ResizeObserver(() => {
      if (plot?.width !== node.clientWidth) draw()
    })
    const dark = matchMedia('(prefers-color-scheme: dark)')
    draw()
    resized.observe(node)
    dark.addEventListener('change', draw)
    return () => {
      resized.disconnect()
      dark.removeEventListener('change', draw)
      plot?.destroy()
    }
  }, [rows, height, range?.[0], range?.[1], until, JSON.stringify(marks)])
  const last = rows.findLast((row) => row.value !== null)
  return html`<div class="chart">
    <div
      class="plot"
      ref=${box}
      role="img"
      aria-label="${label}, ${plural(rows.length, 'window')}${last ? `; last ${number(last.value)}, ${last.verdict}` : ''}"
    ></div>
    <div class="tip" ref=${tip} hidden></div>
  </div>`
}
