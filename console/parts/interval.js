/** A number with its interval on an axis, and the line or limits that decide. */
import { html } from '/console/vendor/preact.js'
import { number, shortNumber } from './words.js'

/** @typedef {import('./words.js').Verdict} Verdict */

const WIDTH = 200
const HEIGHT = 22
const MIDDLE = HEIGHT / 2

/**
 * The range that intervals share, with some room; the line that decides is in it.
 *
 * @param {readonly (number | null)[]} ends @param {readonly number[]} lines
 * @returns {[number, number]}
 */
export function domainOf(ends, lines) {
  const known = [...ends.filter((end) => end !== null), ...lines]
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const room = (high - low || Math.abs(high) || 1) * 0.06
  return [low - room, high + room]
}

/**
 * @param {{
 *   value: number | null, low: number | null, high: number | null, domain: [number, number],
 *   line?: number, band?: [number, number], verdict: Verdict, label: string,
 * }} props `line` where nothing differs; `band` between the limits
 */
export function IntervalPlot({ value, low, high, domain, line, band, verdict, label }) {
  const x = (at) =>
    Math.min(WIDTH - 2, Math.max(2, (WIDTH * (at - domain[0])) / (domain[1] - domain[0])))
  return html`<svg
    class="interval ${verdict}"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    preserveAspectRatio="none"
    role="img"
    aria-label="${label}: ${number(value)}${low === null ? ', no interval' : `, ${number(low)} to ${number(high)}`}"
  >
    ${
      band &&
      html`<rect
        class="band"
        x=${x(band[0])}
        width=${Math.max(1, x(band[1]) - x(band[0]))}
        y="0"
        height=${HEIGHT}
      />`
    }
    ${line !== undefined && html`<line class="zero" x1=${x(line)} x2=${x(line)} y1="0" y2=${HEIGHT} />`}
    ${
      low !== null &&
      high !== null &&
      html`<line class="reach" x1=${x(low)} x2=${x(high)} y1=${MIDDLE} y2=${MIDDLE} />
        <line class="reach end" x1=${x(low)} x2=${x(low)} y1=${MIDDLE - 4} y2=${MIDDLE + 4} />
        <line class="reach end" x1=${x(high)} x2=${x(high)} y1=${MIDDLE - 4} y2=${MIDDLE + 4} />`
    }
    ${
      value !== null &&
      html`<rect class="point" x=${x(value) - 3} y=${MIDDLE - 4.5} width="6" height="9" rx="1.5" />`
    }
  </svg>`
}

/**
 * What a standing is shown as: a shape, a colour and a word.
 *
 * @type {Record<string, { verdict: Verdict, text: string }>}
 */
export const STANDINGS = {
  worse: { verdict: 'alarm', text: 'worse' },
  better: { verdict: 'ok', text: 'better' },
  differs: { verdict: 'warning', text: 'differs' },
  alike: { verdict: 'none', text: 'no difference shown' },
  too_few: { verdict: 'incomplete', text: 'too few' },
  unknown: { verdict: 'incomplete', text: 'not known' },
}

/** A number with its interval below it. @param {{ value: number | null, low: number | null, high: number | null }} props */
export const WithInterval = ({ value, low, high }) =>
  html`<span class="with-interval">
    <b>${number(value)}</b>
    ${low !== null && high !== null && html`<span class="quiet">${shortNumber(low)} to ${shortNumber(high)}</span>`}
  </span>`
