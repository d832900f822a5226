/** How a review task is answered: by a class, a number or a text, or not at all. */
import { el } from '../parts/page.js'
import { keysOf, readNumber, SKIP_KEYS } from './input.js'

/** Gives no answer, for a reason. */
export function skipButton(text, reason, held, answer) {
  const key = keysOf(held.classes).includes(SKIP_KEYS[reason]) ? undefined : SKIP_KEYS[reason]
  return el(
    'button',
    { 'data-key': key, onclick: () => answer('skip', { reason }) },
    text,
    key && el('kbd', {}, key),
  )
}

/** A button for each class, with its key. */
export function classButtons(classes, answer) {
  const keys = keysOf(classes)
  return el(
    'div',
    { class: 'row', id: 'answers' },
    ...classes.map((name, i) =>
      el(
        'button',
        {
          class: 'primary',
          'data-key': keys[i] || undefined,
          onclick: () => answer('submit', { label: name }),
        },
        name,
        // A class that is its own key needs no second word for it.
        keys[i] && keys[i] !== name.toLowerCase() ? el('kbd', {}, keys[i]) : undefined,
      ),
    ),
  )
}

/** A number, read as it is typed, or a text. */
export function freeAnswer(held, free, answer) {
  const reads = el('span', { id: 'reads', class: 'quiet', role: 'status' })
  /** @returns {{ value?: any, problem?: string }} */
  const read = () =>
    held.answer === 'number' ? readNumber(free.value, navigator.language) : { value: free.value }
  const tell = () => {
    const found = free.value === '' ? {} : read()
    reads.textContent =
      found.problem ??
      (held.answer === 'number' && 'value' in found ? `Reads as ${found.value}.` : '')
    reads.classList.toggle('error', found.problem !== undefined)
  }
  free.addEventListener('input', tell)
  tell()
  return el(
    'form',
    {
      class: 'row',
      id: 'answers',
      onsubmit: (event) => {
        event.preventDefault()
        const found = read()
        if (found.problem !== undefined || free.value.trim() === '') return free.focus()
        answer('submit', { label: found.value })
      },
    },
    free,
    el('button', { class: 'primary' }, 'Submit'),
    reads,
  )
}

/** What else a reviewer may do with a task. */
export const others = (held, answer) =>
  el(
    'div',
    { class: 'row', id: 'others' },
    skipButton('I cannot tell', 'cannot_tell', held, answer),
    skipButton('Bad example', 'bad_example', held, answer),
    el('button', { onclick: () => answer('release', {}) }, 'Give back'),
  )
