/** What a reviewer sees of a task, its votes and what the model said. */
import { el, number } from '../parts/page.js'

/** A number in the reader's notation, with all its digits. @param {number} value */
const asRead = (value) => value.toLocaleString(navigator.language, { maximumSignificantDigits: 15 })

/** Names and values, where there are any. */
export function values(title, object) {
  const entries = Object.entries(object ?? {})
  if (entries.length === 0) return []
  return [
    el('h2', {}, title),
    el(
      'div',
      // Long lists scroll inside: what is asked stays in sight on a phone.
      { class: 'seen', tabindex: 0, role: 'group', 'aria-label': title },
      el(
        'dl',
        {},
        ...entries.flatMap(([name, value]) => [
          el('dt', {}, name),
          el('dd', {}, typeof value === 'number' ? asRead(value) : String(value)),
        ]),
      ),
    ),
  ]
}

/** What the model said of the task before, once it is answered. */
export function lastAnswer({ prediction, score }) {
  const parts = [
    prediction === null ? undefined : `${prediction}`,
    score === null ? undefined : `score ${number(score)}`,
  ].filter(Boolean)
  return parts.length === 0 ? undefined : `The model said of the one before: ${parts.join(', ')}.`
}

/** What reviewers said of a disputed task, without their names. */
export const votesOf = (votes) =>
  el(
    'p',
    { id: 'votes' },
    'Reviewers disagree: ',
    votes.map(({ label, votes: count }) => `${label} (${count})`).join(', '),
    '.',
  )
