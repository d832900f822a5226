/** Flags: how reviewers set them, and how operators close them. */
import { el, request } from '../parts/page.js'

const REASONS = /** @type {const} */ ([
  ['bad_example', 'Bad example: nobody can answer it'],
  ['unclear_instruction', 'It is unclear what is asked'],
  ['personal_data', 'It shows a person'],
  ['wrong_fields', 'Fields are missing or wrong'],
])

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error))

/**
 * What says that something is wrong with a task itself; the task stays with its reviewer.
 *
 * @param {string | undefined} reviewer
 * @param {{ task_id: string, lease_id: string }} held
 * @param {HTMLTextAreaElement} comment is sent with it
 */
export function flagPart(reviewer, held, comment) {
  const reason = /** @type {HTMLSelectElement} */ (
    el(
      'select',
      { 'aria-label': 'What is wrong' },
      ...REASONS.map(([value, words]) => el('option', { value }, words)),
    )
  )
  const told = el('span', { class: 'quiet', role: 'status' })
  const send = async (event) => {
    event.preventDefault()
    try {
      await request(`/v1/reviews/${held.task_id}/flag`, {
        reviewer,
        lease_id: held.lease_id,
        reason: reason.value,
        comment: comment.value,
      })
      told.textContent = 'Flagged, with your comment. Answer it, or skip it.'
    } catch (error) {
      told.textContent = messageOf(error)
    }
  }
  return el(
    'details',
    { id: 'flag' },
    el('summary', {}, 'Something is wrong with this task'),
    el('form', { class: 'row', onsubmit: send }, reason, el('button', {}, 'Flag it'), told),
  )
}

/**
 * The flags of a model that are open, each with what closes it.
 *
 * @param {string} model
 * @param {() => Record<string, string>} actor who closes, where no keys say it
 */
export async function flagsPart(model, actor) {
  const path = `/v1/models/${encodeURIComponent(model)}/flags`
  const { open, flags } = await request(`${path}?limit=50`)
  const title = el('h2', {}, 'Flagged tasks')
  if (open === 0) return [title, el('p', {}, 'No task is flagged.')]
  const more = open > flags.length ? ` The oldest ${flags.length} are shown.` : ''
  const count = `${open} ${open === 1 ? 'flag is' : 'flags are'} open.${more}`
  return [
    title,
    el('p', {}, count),
    el('ul', { class: 'flags' }, ...flags.map((flag) => flagItem(path, flag, actor))),
  ]
}

function flagItem(path, flag, actor) {
  const [, words] = REASONS.find(([value]) => value === flag.reason) ?? ['', flag.reason]
  const message = /** @type {HTMLInputElement} */ (
    el('input', { placeholder: 'What you did about it', 'aria-label': 'What you did about it' })
  )
  const told = el('p', { role: 'status', class: 'quiet' })
  const item = el(
    'li',
    {},
    el('p', {}, el('b', {}, words), `, by ${flag.reviewer}, ${flag.flagged_at}`),
    el('p', { class: 'quiet' }, `Prediction ${flag.prediction_id}`),
    ...(flag.comment ? [el('p', { class: 'text' }, flag.comment)] : []),
  )
  const close = async (takeOff) => {
    const body = { ...actor(), message: message.value, take_off: takeOff }
    try {
      await request(`${path}/${encodeURIComponent(flag.flag_id)}/close`, body)
      const off = takeOff ? ' Its task is off the queue.' : ''
      item.replaceChildren(el('p', { role: 'status' }, `Closed.${off}`))
    } catch (error) {
      told.textContent = messageOf(error)
    }
  }
  item.append(
    el(
      'div',
      { class: 'row' },
      message,
      el('button', { onclick: () => close(false) }, 'Close'),
      el('button', { onclick: () => close(true) }, 'Close, and take the task off'),
    ),
    told,
  )
  return item
}
