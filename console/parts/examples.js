/** Events that were kept of a window: those that violate an expectation, and the most unusual. */
import { html } from '/console/vendor/preact.js'
import { request } from './page.js'
import { Empty, Failed, Loading, useAnswer } from './ui.js'
import { day, number } from './words.js'

/** @typedef {import('../../schemas/http/examples.ts').ExamplesAnswer['examples'][number]} Example */

const SHOWN = 10

/** Why an event was kept. @param {Example} example */
const why = ({ kind, subject, because }) =>
  kind === 'expectation'
    ? `violates ${subject}`
    : kind === 'novel'
      ? 'its embedding is unlike any of the baseline'
      : `unusual${because.length > 0 ? ` by ${because.join(', ')}` : ''}`

/** @param {Example} example @param {string} feature */
const isAbout = ({ kind, subject, features, because }, feature) =>
  kind === 'novel'
    ? subject === feature
    : kind === 'expectation'
      ? feature in features
      : because.includes(feature)

/** The prediction's id; a link to its trace where there is one. @param {Example} example */
const Name = ({ prediction_id: id, trace_url: address }) =>
  address === null
    ? html`<bdi>${id}</bdi>`
    : html`<a href=${address} rel="noreferrer" title="Its trace"><bdi>${id}</bdi></a>`

/** @param {{ examples: Example[], valueOf: (example: Example) => string }} props */
function Table({ examples, valueOf }) {
  return html`<table>
    <thead>
      <tr>
        <th>Prediction</th>
        <th>Values</th>
        <th>Why</th>
        <th class="number">Score</th>
      </tr>
    </thead>
    <tbody>
      ${examples.slice(0, SHOWN).map(
        (example) =>
          html`<tr>
            <td>${Name(example)}</td>
            <td><bdi>${valueOf(example)}</bdi></td>
            <td><bdi>${why(example)}</bdi></td>
            <td class="number">${example.score === null ? '' : number(example.score)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

/** Those of a window that are about a feature; nothing where there are none. */
export function Examples({ path, feature, window }) {
  const { window_start: from, window_end: to } = window
  const { answer, error, again } = useAnswer(
    () => request(`${path}/examples?${new URLSearchParams({ from, to, limit: '300' })}`),
    [from, to],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  /** @type {Example[]} */
  const found = (answer?.examples ?? []).filter((example) => isAbout(example, feature))
  if (found.length === 0) return ''
  return html`<h3>Events of that window to look at</h3>
    <${Table}
      examples=${found}
      valueOf=${({ kind, features }) => (kind === 'novel' ? '' : String(features[feature] ?? 'missing'))}
    />`
}

/** Events that were kept of the windows of a span, the newest first. @param {{ path: string, from: string, to: string }} props */
export function SpanExamples({ path, from, to }) {
  const { answer, error, again } = useAnswer(
    () => request(`${path}/examples?${new URLSearchParams({ from, to, limit: String(SHOWN) })}`),
    [from, to],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="events" />`
  if (answer.examples.length === 0)
    return html`<p class="quiet">
      No event was kept of these windows. A model file with${' '}<code>unusual_events</code>${' '}or
      ${' '}<code>expectations</code>${' '}keeps some.
    </p>`
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Events to look at">
    <${Table}
      examples=${answer.examples}
      valueOf=${({ features, because }) => JSON.stringify(because.length > 0 ? Object.fromEntries(because.map((name) => [name, features[name] ?? null])) : features)}
    />
  </div>`
}

/** The newest events that violate a rule, where a subject is one and no feature. */
export function RuleExamples({ path, rule }) {
  const { answer, error, again } = useAnswer(
    () =>
      request(`${path}/examples?${new URLSearchParams({ subject: rule, limit: String(SHOWN) })}`),
    [rule],
  )
  if (error) return html`<${Failed} error=${error} retry=${again} />`
  if (!answer) return html`<${Loading} what="events" />`
  /** @type {Example[]} */
  const found = answer.examples
  const [newest] = found
  if (!newest) return html`<${Empty}>No window of this range has values of it.<//>`
  return html`<h3>Events that violate it, window to ${day(newest.window_end)}</h3>
    <${Table}
      examples=${found.filter((one) => one.window_end === newest.window_end)}
      valueOf=${({ features }) => JSON.stringify(features)}
    />`
}
