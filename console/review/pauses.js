/** Pauses of queues: what reviewers are told, and how operators pause one and let it go on. */
import { el, request } from '../parts/page.js'

/** @typedef {{ model_id: string, assigned?: boolean, paused?: { by: string, reason: string, since: string } | null }} Queue */

/** Which queues give the reviewer nothing, and why. @param {Queue[]} models */
export const pausedNotes = (models) =>
  models.flatMap(({ model_id: id, paused, assigned }) => [
    ...(assigned === false
      ? [el('p', { class: 'paused', role: 'status' }, `The tasks of ${id} are assigned to others.`)]
      : []),
    ...(paused
      ? [
          el(
            'p',
            { class: 'paused', role: 'status' },
            `The queue of ${id} is paused by ${paused.by} since ${paused.since}: ${paused.reason}. What you hold you may still answer.`,
          ),
        ]
      : []),
  ])

/**
 * What pauses the queue of a model, or lets it go on.
 *
 * @param {string} model
 * @param {() => Record<string, string>} actor who acts, where no keys say it
 * @param {() => void} done reads the page anew
 */
export async function pausePart(model, actor, done) {
  const { models } = await request('/v1/reviews/stats')
  const isPaused = models.some((/** @type {Queue} */ one) => one.model_id === model && one.paused)
  const [act, words] = isPaused ? ['resume', 'Let it go on'] : ['pause', 'Pause the queue']
  const reason = /** @type {HTMLInputElement} */ (
    el('input', { placeholder: 'Why', 'aria-label': 'Why', required: '', maxlength: 500 })
  )
  const told = el('span', { class: 'error', role: 'alert' })
  const send = async (event) => {
    event.preventDefault()
    const body = { ...actor(), reason: reason.value }
    try {
      await request(`/v1/models/${encodeURIComponent(model)}/review/${act}`, body)
      done()
    } catch (error) {
      told.textContent = error instanceof Error ? error.message : String(error)
    }
  }
  return [
    el('h2', {}, 'The queue'),
    el(
      'form',
      { class: 'row', id: 'pause', onsubmit: send },
      reason,
      el('button', {}, words),
      told,
    ),
  ]
}
