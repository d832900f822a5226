/** The policy as it is written, what is wrong with it, and a slider for each of its numbers. */
import { html, useEffect, useState } from '/console/vendor/preact.js'
import { Mark } from '../parts/ui.js'
import { number } from '../parts/words.js'

/** @typedef {import('../../schemas/http/runs/policy-trials.ts').PolicyTrialAnswer['knobs'][number]} Knob */

const SAYS = {
  limit: 'Limit',
  above: 'More than',
  for: 'In windows',
  of: 'Of the last windows',
  cooldown: 'Cool-down',
  max_per_month: 'Launches in 30 days, at most',
}

/** Conditions are told whole; a guard is told by its own name. @param {Knob} knob */
const isOfCondition = ({ says }) => says !== 'cooldown' && says !== 'max_per_month'

/** @param {{ at: number, knob: Knob, turn: (at: number, value: number) => void }} props */
function Slider({ at, knob, turn }) {
  const [value, setValue] = useState(knob.value)
  useEffect(() => setValue(knob.value), [knob.value])
  const shown = `${number(value)}${knob.unit && ` ${knob.unit}`}`
  const move = (event) => {
    const next = Number(event.target.value)
    setValue(next)
    turn(at, next)
  }
  return html`<div class="knob">
    <label for="knob-${at}"
      >${SAYS[knob.says]}${isOfCondition(knob) && html`${' '}<code><bdi>${knob.text}</bdi></code>`}</label
    >
    <output for="knob-${at}">${shown}</output>
    <input
      id="knob-${at}"
      type="range"
      min=${knob.low}
      max=${knob.high}
      step=${knob.step}
      value=${value}
      aria-valuetext=${shown}
      onInput=${move}
    />
  </div>`
}

/**
 * @param {{ text: string, inForce: string, knobs: readonly Knob[], error: Error | undefined,
 *   write: (text: string, isAtOnce?: boolean) => void, turn: (at: number, value: number) => void,
 *   again: () => void }} props
 */
export function PolicyField({ text, inForce, knobs, error, write, turn, again }) {
  return html`<label for="policy" class="hidden">The policy in YAML</label>
    <textarea
      id="policy"
      class="policy"
      rows=${Math.min(20, Math.max(6, text.split('\n').length + 1))}
      maxlength="20000"
      spellcheck="false"
      autocapitalize="off"
      autocomplete="off"
      dir="ltr"
      aria-invalid=${error ? 'true' : undefined}
      aria-describedby=${error ? 'policy-error' : 'policy-note'}
      value=${text}
      onInput=${(event) => write(event.target.value)}
    ></textarea>
    ${
      error
        ? html`<div class="state failed" id="policy-error" role="alert">
            <${Mark} verdict="alarm" /><span><bdi>${error.message}</bdi></span>
            <button onClick=${again}>Try again</button>
          </div>`
        : html`<p class="quiet small" id="policy-note">
            One policy, as <code>retrain</code> of the model file has it; what it launches is left
            out.
          </p>`
    }
    ${
      text !== inForce &&
      html`<div class="row">
        <button onClick=${() => write(inForce, true)}>As it is in force</button>
      </div>`
    }
    ${
      knobs.length > 0 &&
      html`<fieldset class="knobs" disabled=${error !== undefined}>
        <legend>Its numbers</legend>
        ${knobs.map((knob, at) => html`<${Slider} key=${`${at} ${knob.says}`} at=${at} knob=${knob} turn=${turn} />`)}
      </fieldset>`
    }`
}
