import { el, hasKeys, request, show } from './page.js'

const main = /** @type {HTMLElement} */ (document.querySelector('main'))
let task

function values(title, object) {
  const entries = Object.entries(object ?? {})
  if (entries.length === 0) return []
  return [
    el('h2', {}, title),
    el(
      'dl',
      {},
      ...entries.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, String(value))]),
    ),
  ]
}

async function next(reviewer) {
  task = await request('/v1/reviews/claim', { reviewer })
  main.replaceChildren(el('h1', {}, 'Review'))
  if (!task) {
    main.append(
      el('p', { id: 'empty' }, 'Nothing is waiting for you.'),
      el(
        'div',
        { class: 'row' },
        el('button', { onclick: () => show(() => next(reviewer)) }, 'Look again'),
      ),
    )
    return
  }
  const comment = el('textarea', {
    rows: 2,
    placeholder: 'A comment, if you like',
    'aria-label': 'Comment',
  })
  const answer = (path, body) =>
    show(async () => {
      await request(`/v1/reviews/${task.task_id}/${path}`, {
        reviewer,
        lease_id: task.lease_id,
        comment: comment.value,
        ...body,
      })
      await next(reviewer)
    })
  const free = el('input', { placeholder: 'The right answer', 'aria-label': 'The right answer' })
  const event = task.event ?? {}
  main.append(
    el(
      'div',
      { class: 'card' },
      el(
        'p',
        {},
        `Model ${task.model_id}, version ${event.model_version ?? 'unknown'}, ${event.predicted_at ?? ''}. `,
        el('span', { class: 'quiet' }, 'What it answered is shown after you have.'),
      ),
      ...(event.input_text ? [el('p', {}, event.input_text)] : []),
      ...values('What the model saw', event.features),
      ...values('Attributes', event.attributes),
      el('h2', {}, 'What is true?'),
      el(
        'div',
        { class: 'row', id: 'answers' },
        ...(task.classes.length > 0
          ? task.classes.map((name, i) =>
              el(
                'button',
                { class: 'primary', onclick: () => answer('submit', { label: name }) },
                name,
                el('kbd', {}, String(i + 1)),
              ),
            )
          : [
              free,
              el(
                'button',
                {
                  class: 'primary',
                  onclick: () => free.value && answer('submit', { label: free.value }),
                },
                'Submit',
              ),
            ]),
        el('button', { onclick: () => answer('skip', {}) }, 'I cannot tell', el('kbd', {}, 's')),
        el('button', { onclick: () => answer('release', {}) }, 'Give back'),
      ),
      comment,
    ),
  )
  comment.addEventListener('keydown', (event) => event.stopPropagation())
}

document.addEventListener('keydown', (event) => {
  if (!task || event.target instanceof HTMLInputElement) return
  const buttons = [
    .../** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('#answers button')),
  ]
  if (event.key === 's')
    buttons.find((button) => button.textContent.startsWith('I cannot'))?.click()
  else if (/^[1-9]$/.test(event.key))
    buttons.find((button) => button.querySelector('kbd')?.textContent === event.key)?.click()
})

await show(async () => {
  // Where keys are set the key says who answers.
  if (await hasKeys()) return next(undefined)
  const stored = localStorage.getItem('plumbline-reviewer')
  if (stored) return next(stored)
  const name = el('input', { placeholder: 'Your name', 'aria-label': 'Your name', id: 'reviewer' })
  const begin = () => {
    if (!name.value.trim()) return
    localStorage.setItem('plumbline-reviewer', name.value.trim())
    void show(() => next(name.value.trim()))
  }
  main.append(
    el('h1', {}, 'Review'),
    el('p', {}, 'Who are you? Your name stands beside your answers.'),
    el(
      'form',
      { class: 'row', onsubmit: (event) => (event.preventDefault(), begin()) },
      name,
      el('button', { class: 'primary' }, 'Begin'),
    ),
  )
})
