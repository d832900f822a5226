/** The chart of one number over time as SVG, for paper and without a script. Pure. */
import { html, type Markup } from './markup.ts'
import { minute, number } from './words.ts'

/** One window of a chart. */
export interface ChartPoint {
  /** RFC 3339. */
  at: string
  value: number | null
  low: number | null
  high: number | null
  baseline: number | null
  verdict: 'ok' | 'warning' | 'alarm' | 'incomplete' | 'none'
}

const WIDTH = 700
const HEIGHT = 190
const EDGE = { left: 58, right: 8, top: 8, bottom: 22 }
/** Ticks of the axes, about. */
const UP_TICKS = 4
const TIME_TICKS = 6

interface Scale {
  x: (at: number) => number
  y: (value: number) => number
}
interface Placed extends ChartPoint {
  ms: number
}

/** Round numbers over a range, some four of them. */
export function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / UP_TICKS
  if (!(rough > 0) || !Number.isFinite(rough)) return [low]
  const size = 10 ** Math.floor(Math.log10(rough))
  const step = size * ([1, 2, 5, 10].find((times) => times * size >= rough) ?? 10)
  const first = Math.ceil(low / step)
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step)
}

/** Least and greatest of all that is drawn, with some room. */
function extent(points: readonly Placed[]): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const { value, low: lower, high: upper, baseline } of points)
    for (const one of [value, lower, upper, baseline])
      if (one !== null && Number.isFinite(one)) {
        low = Math.min(low, one)
        high = Math.max(high, one)
      }
  if (!(low <= high)) return [0, 1]
  const room = (high - low || Math.abs(high) || 1) * 0.1
  return [low - room, high + room]
}

function scaleOf(points: readonly Placed[]): Scale & { ends: [number, number] } {
  const [low, high] = extent(points)
  const first = points[0]!.ms
  const span = Math.max(1, points.at(-1)!.ms - first)
  const room = { x: WIDTH - EDGE.left - EDGE.right, y: HEIGHT - EDGE.top - EDGE.bottom }
  const round = (place: number) => Math.round(place * 10) / 10
  return {
    x: (at) => round(EDGE.left + ((at - first) / span) * room.x),
    y: (value) => round(EDGE.top + (1 - (value - low) / (high - low)) * room.y),
    ends: [low, high],
  }
}

/** Runs of neighbours that have what is drawn: a line breaks where a window has none. */
function unbroken<T>(points: readonly Placed[], of: (point: Placed) => T | undefined): T[][] {
  const runs: T[][] = [[]]
  for (const point of points) {
    const found = of(point)
    if (found !== undefined) runs.at(-1)!.push(found)
    else if (runs.at(-1)!.length > 0) runs.push([])
  }
  return runs.filter((run) => run.length > 0)
}

function line(points: readonly Placed[], name: 'value' | 'baseline', { x, y }: Scale): Markup[] {
  const at = (point: Placed) =>
    point[name] === null ? undefined : `${x(point.ms)},${y(point[name])}`
  return unbroken(points, at).map(
    (run) => html`<polyline class="${name}" points="${run.join(' ')}" />`,
  )
}

function band(points: readonly Placed[], { x, y }: Scale): Markup[] {
  const ends = (point: Placed) =>
    point.low === null || point.high === null
      ? undefined
      : { x: x(point.ms), low: y(point.low), high: y(point.high) }
  return unbroken(points, ends).map((run) => {
    const over = run.map((one) => `${one.x},${one.high}`)
    const under = run.toReversed().map((one) => `${one.x},${one.low}`)
    // A window that stands alone has an interval all the same.
    return run.length === 1
      ? html`<line
          class="whisker"
          x1="${run[0]!.x}"
          x2="${run[0]!.x}"
          y1="${run[0]!.low}"
          y2="${run[0]!.high}"
        />`
      : html`<polygon class="band" points="${[...over, ...under].join(' ')}" />`
  })
}

const mark = (point: Placed, { x, y }: Scale): Markup | undefined => {
  if (point.value === null) return undefined
  const [across, up] = [x(point.ms), y(point.value)]
  const said = html`<title>${minute(point.at)}: ${number(point.value)}, ${point.verdict}</title>`
  if (point.verdict === 'alarm')
    return html`<path class="alarm" d="M${across} ${up - 5}l5 5l-5 5l-5-5Z">${said}</path>`
  if (point.verdict === 'warning')
    return html`<path class="warning" d="M${across} ${up - 5}l5 9h-10Z">${said}</path>`
  return html`<circle class="${point.verdict}" cx="${across}" cy="${up}" r="2.5">${said}</circle>`
}

function axes(points: readonly Placed[], scale: Scale & { ends: [number, number] }): Markup {
  const { x, y, ends } = scale
  const every = Math.max(1, Math.ceil((points.length - 1) / TIME_TICKS))
  const times = points.filter((_, i) => i % every === 0)
  const isDays = points.every(({ at }) => at.slice(11, 16) === '00:00')
  return html`${ticksOf(...ends).map(
    (tick) =>
      html`<line
          class="grid"
          x1="${EDGE.left}"
          x2="${WIDTH - EDGE.right}"
          y1="${y(tick)}"
          y2="${y(tick)}"
        /><text x="${EDGE.left - 6}" y="${y(tick) + 3}" text-anchor="end">${number(tick)}</text>`,
  )}${times.map(
    ({ ms, at }, i) =>
      html`<text
        x="${x(ms)}"
        y="${HEIGHT - 6}"
        text-anchor="${i === 0 ? 'start' : x(ms) > WIDTH - 60 ? 'end' : 'middle'}"
        >${isDays ? at.slice(0, 10) : minute(at).slice(5)}</text
      >`,
  )}`
}

/**
 * Draws a number with its interval as a band, its baseline dashed, and each window as a shape that
 * tells its verdict: a square on its corner alarms, a triangle warns, what is hollow is incomplete.
 *
 * @param points ascending in time; windows without a value break the line
 * @param label what it is, for those who do not see it
 */
export function lineChart(points: readonly ChartPoint[], label: string): Markup {
  const placed = points.map((point) => ({ ...point, ms: Date.parse(point.at) }))
  if (placed.length === 0) return html`<p class="quiet">No window tells it.</p>`
  const scale = scaleOf(placed)
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
    ${axes(placed, scale)} ${band(placed, scale)} ${line(placed, 'baseline', scale)}
    ${line(placed, 'value', scale)} ${placed.map((point) => mark(point, scale))}
  </svg>`
}

const SPARK = { width: 120, height: 22 }

/** A line without axes, from 0 to the greatest of its values. */
export function spark(values: readonly (number | null)[], label: string): Markup {
  const known = values.flatMap((value) => (value === null ? [] : [value]))
  const most = known.reduce((a, b) => Math.max(a, b), 1e-12)
  const at = (value: number, i: number) =>
    `${Math.round((i / Math.max(1, values.length - 1)) * SPARK.width)},${(SPARK.height - 1 - (value / most) * (SPARK.height - 2)).toFixed(1)}`
  const points = values.flatMap((value, i) => (value === null ? [] : [at(value, i)]))
  return html`<svg
    class="spark"
    viewBox="0 0 ${SPARK.width} ${SPARK.height}"
    role="img"
    aria-label="${label}"
  >
    ${known.length > 0 && html`<polyline class="value" points="${points.join(' ')}" />`}
  </svg>`
}
