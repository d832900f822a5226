/** A feature's values in a window over those of the baseline. */
import { html } from '/console/vendor/preact.js'
import { number, percent, plural, sentence, shortNumber } from './words.js'

/** @typedef {import('../../schemas/http/console.ts').DistributionAnswer} Distribution */
/** @typedef {import('../../schemas/http/console.ts').Bar} Bar */

const WIDTH = 600
const HEIGHT = 170
const FLOOR = 148

/** @param {Bar} bar */
const nameOf = ({ low, high, category }) =>
  category ??
  (low === high
    ? number(low)
    : low === null
      ? `below ${number(high)}`
      : high === null
        ? `above ${number(low)}`
        : `${number(low)} to ${number(high)}`)

/** @param {Bar} bar */
const titleOf = (bar) =>
  `${nameOf(bar)}: ${percent(bar.current)} of the window${bar.reference === null ? '' : `, ${percent(bar.reference)} of the baseline`}`

/** Overlaid bars, the baseline behind. @param {{ bars: readonly Bar[], label: string }} props */
function Histogram({ bars, label }) {
  const most = Math.max(...bars.map((bar) => Math.max(bar.current, bar.reference ?? 0)), 1e-9)
  const width = WIDTH / bars.length
  const top = (share) => FLOOR - (FLOOR - 6) * (share / most)
  const marks =
    bars.length <= 6
      ? bars.map((_, i) => i)
      : [0, 1, 2, 3, 4].map((k) => Math.round((k * (bars.length - 1)) / 4))
  const gap = Math.min(4, width * 0.15)
  const steps = bars
    .map(
      (bar, i) =>
        `${i === 0 ? 'M' : 'L'}${i * width} ${top(bar.reference ?? 0)}H${(i + 1) * width}`,
    )
    .join('')
  const hasReference = bars.some((bar) => bar.reference !== null)
  return html`<svg
    class="histogram"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    role="img"
    aria-label=${label}
  >
    ${hasReference && html`<path class="beside-area" d="${steps}V${FLOOR}H0Z" />`}
    ${bars.map(
      (bar, i) =>
        html`<g>
          <rect
            class="now"
            x=${i * width + gap / 2}
            width=${Math.max(0.5, width - gap)}
            y=${top(bar.current)}
            height=${FLOOR - top(bar.current)}
          />
          <rect class="hit" x=${i * width} width=${width} y="0" height=${FLOOR}>
            <title>${titleOf(bar)}</title>
          </rect>
        </g>`,
    )}
    ${hasReference && html`<path class="beside-line" d=${steps} />`}
    <line class="floor" x1="0" x2=${WIDTH} y1=${FLOOR} y2=${FLOOR} />
    ${marks.map(
      (i) =>
        html`<text
          x=${(i + 0.5) * width}
          y=${HEIGHT - 5}
          text-anchor=${i === 0 && bars.length > 6 ? 'start' : i === bars.length - 1 && bars.length > 6 ? 'end' : 'middle'}
        >
          ${shortNumber(bars[i].low ?? bars[i].high ?? 0)}
        </text>`,
    )}
  </svg>`
}

const Pair = ({ name, current, reference, most, isQuiet = false }) =>
  html`<tr class=${isQuiet ? 'quiet' : ''}>
    <th scope="row"><bdi title=${name}>${name}</bdi></th>
    <td class="bars">
      <span class="bar now" style=${{ width: `${(100 * current) / most}%` }}></span>
      ${
        reference !== null &&
        html`<span class="bar beside" style=${{ width: `${(100 * reference) / most}%` }}></span>`
      }
    </td>
    <td class="number">${percent(current)}</td>
    <td class="number quiet">${percent(reference)}</td>
  </tr>`

/**
 * Categories by frequency, then the rest and what is missing. @param {{ distribution: Distribution,
 * names: { now: string, before: string } }} props
 */
function Categories({ distribution: { bars, other, missing }, names }) {
  const all = [...bars, missing, other]
  const most = Math.max(...all.map((bar) => Math.max(bar.current, bar.reference ?? 0)), 1e-9)
  return html`<table class="categories">
    <thead>
      <tr>
        <th>Category</th>
        <th><span class="hidden">Shares</span></th>
        <th class="number">${sentence(names.now)}</th>
        <th class="number">${names.before || 'Baseline'}</th>
      </tr>
    </thead>
    <tbody>
      ${bars.map((bar) => html`<${Pair} ...${bar} name=${bar.category || '(empty)'} most=${most} />`)}
      ${
        other.categories > 0 &&
        html`<${Pair}
          ...${other}
          name="${plural(other.categories, 'other')}"
          most=${most}
          isQuiet
        />`
      }
      <${Pair} ...${missing} name="missing" most=${most} isQuiet />
    </tbody>
  </table>`
}

/**
 * How many times as much, where that is much; a power of ten is likely to be another unit. @param
 * {number} now @param {number} before
 */
function timesOf(now, before) {
  const factor = now / before
  if (!(factor >= 2 || (factor > 0 && factor <= 0.5))) return ''
  const power = Math.round(Math.log10(factor))
  const isUnit = power !== 0 && Math.abs(Math.log10(factor) - power) < 0.1
  return isUnit
    ? `, about ×${number(10 ** power)}, as a change of unit would do`
    : `, ×${number(Number(factor.toPrecision(2)))}`
}

/** What moved, in words. @param {Distribution} distribution */
export function movementOf({ kind, bars, median, missing, n_reference }) {
  if (n_reference === 0 || kind === 'unknown') return []
  const said = []
  if (kind === 'numeric') {
    const { current: now, reference: before } = median
    if (now !== null && before !== null && number(now) !== number(before))
      said.push(`The median went from ${number(before)} to ${number(now)}${timesOf(now, before)}.`)
  } else {
    const grown = bars.toSorted(
      (a, b) => b.current - (b.reference ?? 0) - (a.current - (a.reference ?? 0)),
    )[0]
    if (grown && grown.current - (grown.reference ?? 0) > 0.02)
      said.push(
        `${grown.category || 'The empty category'} went from ${percent(grown.reference)} to ${percent(grown.current)}.`,
      )
  }
  if (Math.abs(missing.current - (missing.reference ?? 0)) > 0.005)
    said.push(
      `Missing values went from ${percent(missing.reference)} to ${percent(missing.current)}.`,
    )
  return said
}

/**
 * Both distributions with what they rest on. @param {{ distribution: Distribution, names?: { now:
 * string, before: string } }} props
 */
export function DistributionView({ distribution, names = { now: 'window', before: '' } }) {
  const { kind, scale, bars, missing, n_current, n_reference, reference } = distribution
  if (kind === 'unknown')
    return html`<p class="quiet">No event of this window or its baseline has a value.</p>`
  return html`<div class="distribution">
    <p class="key">
      <span class="swatch now"></span>
      <bdi>${`${names.now}, ${plural(n_current, 'event')}`}</bdi>
      ${
        reference !== null &&
        html`<span class="swatch beside"></span>
          <bdi>${`${names.before || reference}, ${plural(n_reference, 'event')}`}</bdi>`
      }
    </p>
    ${
      kind === 'numeric'
        ? html`<${Histogram} bars=${bars} label="Distribution of ${distribution.subject}" />
            <p class="quiet small">
              ${`Missing: ${percent(missing.current)} of ${names.now === 'window' ? 'the window' : names.now}, ${percent(missing.reference)} of ${names.before || 'the baseline'}.`}
              ${scale === 'log' && ' The axis is logarithmic.'}
            </p>`
        : html`<${Categories} distribution=${distribution} names=${names} />`
    }
  </div>`
}

/**
 * Both distributions as a small picture for a row of a table: what is missing has no bar. @param {{
 * shown: Pick<Distribution, 'bars' | 'kind'>, label: string }} props
 */
export function SmallPicture({ shown: { bars, kind }, label }) {
  if (kind === 'unknown') return html`<span class="quiet">–</span>`
  const most = Math.max(...bars.map((bar) => Math.max(bar.current, bar.reference ?? 0)), 1e-9)
  const width = 120 / bars.length
  const height = (share) => (26 * share) / most
  const steps = bars
    .map(
      (bar, i) =>
        `${i === 0 ? 'M' : 'L'}${i * width} ${28 - height(bar.reference ?? 0)}H${(i + 1) * width}`,
    )
    .join('')
  return html`<svg class="small-picture" viewBox="0 0 120 30" role="img" aria-label=${label}>
    <path class="beside-area" d="${steps}V28H0Z" />
    ${bars.map(
      (bar, i) =>
        html`<rect
          class="now"
          x=${i * width + width * 0.1}
          width=${width * 0.8}
          y=${28 - height(bar.current)}
          height=${height(bar.current)}
        />`,
    )}
    <path class="beside-line" d=${steps} />
    <line class="floor" x1="0" x2="120" y1="28" y2="28" />
  </svg>`
}
