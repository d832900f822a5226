/** Which two sides are compared: what may be picked of each, and how the address names it. */
import { html } from '/console/vendor/preact.js'
import { day, plural } from '../parts/words.js'

/** @typedef {import('../../schemas/http/cohorts.ts').CohortsAnswer} CohortsAnswer */
/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */
/** @typedef {'a' | 'b'} Letter */

/** The parameters that name the sides, as the address and the API call them. */
const PARTS = ['', '_reference', '_version', '_variant', '_slice']
const NAMES = PARTS.flatMap((part) => [`a${part}`, `b${part}`])

/** Windows that may be picked from a list. */
const LISTED = 60

/**
 * The sides of the address; where it names none the newest window with labels beside the baseline, or
 * beside the window before it.
 *
 * @param {Record<string, string>} address @param {any} model @param {readonly WindowMetric[]} windows
 * ascending @param {CohortsAnswer} cohorts
 * @returns {Record<string, string>}
 */
export function sidesOf(address, model, windows, cohorts) {
  const asked = Object.fromEntries(
    NAMES.filter((name) => address[name]).map((name) => [name, address[name]]),
  )
  const has = (letter) => asked[letter] || asked[`${letter}_reference`]
  const newest =
    cohorts.window_start && cohorts.window_end
      ? `${cohorts.window_start}/${cohorts.window_end}`
      : undefined
  if (!has('b') && newest) asked.b = newest
  if (!has('a')) {
    const baseline = model.references.find((reference) => reference.baseline)?.name
    const before = windows.findLast((row) => row.window_end <= (asked.b ?? '').split('/')[0])
    if (baseline && asked.b) asked.a_reference = baseline
    else if (before) asked.a = spanOf(before)
    else if (asked.b) asked.a = asked.b
  }
  return asked
}

/** @param {{ window_start: string, window_end: string }} row */
const spanOf = ({ window_start: from, window_end: to }) => `${from}/${to}`

/** A span as people read it. @param {string} span */
const spanInWords = (span) => span.split('/').map(day).join(' to ')

/** What a side is, in words. @param {Record<string, string>} sides @param {Letter} letter */
export function sideInWords(sides, letter) {
  const of = (part) => sides[`${letter}${part}`]
  return [
    of('_reference') || (of('') ? spanInWords(of('')) : ''),
    of('_version') && `version ${of('_version')}`,
    of('_variant') && `variant ${of('_variant')}`,
    of('_slice') && of('_slice').replace(':', ' = '),
  ]
    .filter(Boolean)
    .join(', ')
}

/** The whole windows that a drag over them covers. @param {readonly WindowMetric[]} rows @param {number} from ms @param {number} to ms */
export function spanDragged(rows, from, to) {
  const met = rows.filter(
    (row) => Date.parse(row.window_end) > from && Date.parse(row.window_start) < to,
  )
  const last = met.at(-1)
  return last ? `${met[0].window_start}/${last.window_end}` : undefined
}

/** The spans of both sides, for a chart. @param {Record<string, string>} sides @param {any} answer */
export const marksOf = (sides, answer) =>
  /** @type {const} */ ([
    ['a', 'beside'],
    ['b', 'series'],
  ]).flatMap(([letter, tone]) => {
    const own = sides[letter]
      ? [{ from: sides[letter].split('/')[0], to: sides[letter].split('/')[1] }]
      : (answer?.[letter].spans ?? [])
    return own.map(({ from, to }, i) => ({
      from,
      to,
      name: i === 0 ? letter.toUpperCase() : '',
      tone,
    }))
  })

/** One choice of a side. */
const Choice = ({ text, name, value, options, choose, none }) =>
  html`<label>
    <span>${text}</span>
    <select name=${name} onChange=${(event) => choose(event.target.value)}>
      <option value="" selected=${!value}>${none}</option>
      ${(value && !options.some(([id]) => id === value)
        ? [[value, value], ...options]
        : options
      ).map(([id, shown]) => html`<option value=${id} selected=${id === value}>${shown}</option>`)}
    </select>
  </label>`

/** When a side is: one window of a list, a reference, or the span that was dragged. */
function When({ letter, sides, other, windows, model, pick }) {
  const value = sides[`${letter}_reference`] ? `@${sides[`${letter}_reference`]}` : sides[letter]
  const listed = windows.slice(-LISTED).toReversed().map(spanOf)
  const own = value && !value.startsWith('@') && !listed.includes(value) ? [value] : []
  const choose = (chosen) =>
    pick(
      chosen.startsWith('@')
        ? { [letter]: undefined, [`${letter}_reference`]: chosen.slice(1) }
        : { [letter]: chosen, [`${letter}_reference`]: undefined },
    )
  return html`<label class="when">
    <span>When</span>
    <select name=${letter} onChange=${(event) => choose(event.target.value)}>
      <optgroup label="References" disabled=${!sides[other]}>
        ${model.references.map(
          ({ name, kind }) =>
            html`<option value="@${name}" selected=${value === `@${name}`}>
              ${name}${kind === name ? '' : ` (${kind})`}
            </option>`,
        )}
      </optgroup>
      <optgroup label="Windows">
        ${[...own, ...listed].map(
          (span) =>
            html`<option value=${span} selected=${value === span}>${spanInWords(span)}</option>`,
        )}
      </optgroup>
    </select>
  </label>`
}

const unique = (values) => [...new Set(values)].filter(Boolean).map((value) => [value, value])

/**
 * One side, as a form.
 *
 * @param {{ letter: Letter, sides: Record<string, string>, windows: readonly WindowMetric[], model:
 * any, cohorts: CohortsAnswer, answer: any, pick: (changes: Record<string, string | undefined>) =>
 * void }} props
 */
export function SideForm({ letter, sides, windows, model, cohorts, answer, pick }) {
  const slices = cohorts.cohorts
    .filter(({ slice_key, slice_value }) => slice_key && slice_value !== '(other)')
    .map(({ slice_key: key, slice_value: value }) => [`${key}:${value}`, `${key} = ${value}`])
  const options = {
    version: unique(cohorts.cohorts.map((one) => one.model_version)),
    variant: unique(cohorts.cohorts.map((one) => one.variant)),
    slice: slices,
  }
  const texts = { version: 'Version', variant: 'Variant', slice: 'Cohort' }
  const own = answer?.[letter]
  return html`<fieldset class="side ${letter === 'a' ? 'beside' : 'now'}">
    <legend>
      <span class="swatch ${letter === 'a' ? 'beside' : 'now'}"></span> ${letter.toUpperCase()}
    </legend>
    <div class="choices">
      <${When}
        letter=${letter}
        other=${letter === 'a' ? 'b' : 'a'}
        sides=${sides}
        windows=${windows}
        model=${model}
        pick=${pick}
      />
      ${Object.entries(options).map(
        ([part, listed]) =>
          (listed.length > 0 || sides[`${letter}_${part}`]) &&
          html`<${Choice}
            text=${texts[part]}
            name="${letter}_${part}"
            value=${sides[`${letter}_${part}`]}
            options=${listed}
            none="all"
            choose=${(value) => pick({ [`${letter}_${part}`]: value || undefined })}
          />`,
      )}
    </div>
    <p class="quiet small" aria-live="polite">
      ${
        own
          ? `${plural(Math.round(own.events), 'event')}, ${own.labelled === null ? 'labels are not read of an uploaded reference' : plural(own.labelled, 'label')}${own.span_count > 1 ? `, ${own.span_count} spans` : ''}`
          : ' '
      }
    </p>
  </fieldset>`
}
