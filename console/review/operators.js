/** What operators see of a queue: what is flagged, and how reviewers answer what is known. */
import { el, request } from '../parts/page.js'
import { percent } from '../parts/words.js'
import { flagsPart } from './flags.js'
import { pausePart } from './pauses.js'

/** Whether the caller may operate: where no keys are set, anybody. */
export async function mayOperate() {
  const { caller, key_needed: hasKeys } = await request('/v1/session')
  return !hasKeys || (caller?.scopes.includes('operate') ?? false)
}

/**
 * A part that opens, and is read when it does.
 *
 * @param {string} model the queue that is chosen; '' for all
 * @param {string | undefined} person who acts, where no keys say it
 * @param {() => void} done reads the page anew
 */
export function operatorsPart(model, person, done) {
  const inside = el('div', { class: 'operators' })
  const part = el('details', { id: 'operators' }, el('summary', {}, 'For operators'), inside)
  part.addEventListener('toggle', () => {
    if (/** @type {HTMLDetailsElement} */ (part).open) void fill(inside, { model, person, done })
  })
  return part
}

/**
 * @param {HTMLElement} inside
 * @param {{ model: string, person: string | undefined, done: () => void }} of
 */
async function fill(inside, { model, person, done }) {
  if (!model)
    return inside.replaceChildren(
      el('p', {}, 'Choose the queue of one model above to see its own.'),
    )
  inside.replaceChildren(el('p', { class: 'quiet', role: 'status' }, 'Reading …'))
  try {
    const actor = () => (person === undefined ? {} : { actor: person })
    inside.replaceChildren(
      ...(await pausePart(model, actor, done)),
      ...(await flagsPart(model, actor)),
      ...(await goldPart(model)),
    )
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    inside.replaceChildren(el('p', { class: 'error', role: 'alert' }, text))
  }
}

/** @param {string} model */
async function goldPart(model) {
  const { days, gold } = await request(`/v1/models/${encodeURIComponent(model)}/agreement`)
  const known = `${gold.in_use} known ${gold.in_use === 1 ? 'answer is' : 'answers are'} in use`
  if (gold.answers === 0)
    return [
      el('h2', {}, 'Answers to what is known'),
      el('p', {}, `${known}; none was answered in ${days} days.`),
    ]
  return [
    el('h2', {}, 'Answers to what is known'),
    el('p', {}, `${known}. Shares with their 95 % interval, of ${days} days.`),
    el(
      'div',
      { class: 'table', tabindex: 0, role: 'group', 'aria-label': 'Reviewers on known answers' },
      el(
        'table',
        {},
        el('thead', {}, row('th', ['Reviewer', 'Right', 'Answers', 'Skips'])),
        el(
          'tbody',
          {},
          ...gold.reviewers.map((one) =>
            row('td', [one.reviewer, share(one.accuracy), `${one.answers}`, `${one.skips}`]),
          ),
          row('td', ['All', share(gold.accuracy), `${gold.answers}`, '']),
        ),
      ),
    ),
    ...rates(gold.positive_rate),
  ]
}

const row = (kind, cells) => el('tr', {}, ...cells.map((text) => el(kind, {}, text)))

/** @param {{ value: number | null, ci_low: number, ci_high: number, reason: string }} rate */
const share = ({ value, ci_low: low, ci_high: high, reason }) =>
  value === null ? reason : `${percent(value)} (${percent(low)} to ${percent(high)})`

/** How many are positive, as answered and as corrected; why not, where it cannot be known. */
function rates({ tasks, observed, corrected }) {
  if (observed.value === null) return []
  return [
    el(
      'p',
      { id: 'positive-rate' },
      `Of ${tasks} answered ${tasks === 1 ? 'task' : 'tasks'} reviewers call ${share(observed)} positive. `,
      corrected.value === null
        ? `What that is without their mistakes is not known: ${corrected.reason}.`
        : `Without their mistakes it is ${share(corrected)}.`,
    ),
  ]
}
