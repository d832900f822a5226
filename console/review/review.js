import { el, hasKeys, request, show } from '../parts/page.js'
import { classButtons, freeAnswer, others } from './answers.js'
import { flagPart } from './flags.js'
import { mayOperate, operatorsPart } from './operators.js'
import { pausedNotes } from './pauses.js'
import { lastAnswer, values, votesOf } from './seen.js'

const main = /** @type {HTMLElement} */ (document.querySelector('main'))
const DRAFT = 'plumbline-review-draft'
const QUEUE = 'plumbline-review-queue'
/** A lease is renewed once this part of it is over, while its reviewer works. */
const RENEW_AFTER = 1 / 3

let task
/** The task that was answered or skipped last, as long as that can be undone. */
let last
/** How many were answered since the page was opened. */
let answered = 0
let renewal
/** Whether disputed tasks are asked for, to be decided. */
let isDeciding = false
/** Whether the part of operators is shown. */
let isOperator = false

/** What is written and not sent yet: it outlives a reload, a lost connection and an ended lease. */
const draft = {
  of: (taskId) => {
    try {
      const kept = JSON.parse(localStorage.getItem(DRAFT) ?? '{}')
      return kept.task_id === taskId ? kept : {}
    } catch {
      return {}
    }
  },
  keep: (taskId, fields) =>
    localStorage.setItem(DRAFT, JSON.stringify({ task_id: taskId, ...fields })),
  forget: () => localStorage.removeItem(DRAFT),
}

/** How far the reviewer has come, and which queue is asked. */
function progress(reviewer, models) {
  const chosen = localStorage.getItem(QUEUE) ?? ''
  const open = models
    .filter(({ model_id }) => chosen === '' || model_id === chosen)
    .reduce((sum, one) => sum + one.open, 0)
  const queue = el(
    'select',
    {
      'aria-label': 'Queue',
      onchange: (event) => {
        localStorage.setItem(QUEUE, event.target.value)
        void show(() => next(reviewer))
      },
    },
    el('option', { value: '' }, 'All models'),
    ...models.map(({ model_id }) => el('option', { value: model_id }, model_id)),
  )
  queue.value = models.some(({ model_id }) => model_id === chosen) ? chosen : ''
  return el(
    'div',
    { class: 'row', id: 'progress' },
    queue,
    el('span', { class: 'quiet' }, `${answered} answered by you now, ${open} open`),
  )
}

async function next(reviewer, said) {
  clearTimeout(renewal)
  const model = localStorage.getItem(QUEUE)
  const asked = { reviewer, ...(model && { model_id: model }) }
  task = await request(isDeciding ? '/v1/reviews/adjudicate' : '/v1/reviews/claim', asked)
  const { models } = await request('/v1/reviews/stats')
  main.replaceChildren(el('h1', {}, 'Review'), progress(reviewer, models))
  main.append(...pausedNotes(models.filter(({ model_id: id }) => !model || id === model)))
  main.append(...disputes(reviewer, models))
  if (said) main.append(el('p', { id: 'said', class: 'quiet', role: 'status' }, said))
  if (last) main.append(undoButton(reviewer))
  if (!task) {
    main.append(
      el('p', { id: 'empty' }, 'Nothing is waiting for you.'),
      el(
        'div',
        { class: 'row' },
        el('button', { onclick: () => show(() => next(reviewer)) }, 'Look again'),
      ),
    )
  } else {
    if (!task.votes) renewWhileWorking(reviewer, task)
    main.append(card(reviewer, task))
  }
  if (isOperator)
    main.append(operatorsPart(model ?? '', reviewer, () => show(() => next(reviewer))))
}

/** The way to tasks whose reviewers disagree, for whoever decides them, and back. */
function disputes(reviewer, models) {
  const queue = localStorage.getItem(QUEUE) ?? ''
  const own = models.filter(
    ({ model_id: id, adjudicates }) => adjudicates && (queue === '' || id === queue),
  )
  if (own.length === 0 && !isDeciding) return []
  const count = own.reduce((sum, { disputed }) => sum + disputed, 0)
  const turn = () => {
    isDeciding = !isDeciding
    last = undefined
    void show(() => next(reviewer))
  }
  const words = isDeciding ? 'Back to the queue' : `Decide where reviewers disagree (${count})`
  return [el('div', { class: 'row' }, el('button', { id: 'disputes', onclick: turn }, words))]
}

/** Takes the last answer back, and shows its task again. */
function undoButton(reviewer) {
  let isSending = false
  const undo = () => {
    if (isSending || !last) return
    isSending = true
    const { task_id: taskId, counted } = last
    // What cannot be undone now cannot be later.
    last = undefined
    void show(async () => {
      await request(`/v1/reviews/${taskId}/undo`, { reviewer })
      if (counted) answered--
      await next(reviewer, 'Your last answer is undone: here is its task again.')
    })
  }
  return el(
    'div',
    { class: 'row' },
    el(
      'button',
      { id: 'undo', onclick: undo },
      last.counted ? 'Undo my last answer' : 'Undo my last skip',
    ),
  )
}

/** Keeps the lease while something is pressed or typed. */
function renewWhileWorking(reviewer, held) {
  let isWorking = false
  const note = () => (isWorking = true)
  for (const kind of ['keydown', 'pointerdown', 'scroll'])
    document.addEventListener(kind, note, { passive: true })
  const wait = (expiresAt) => {
    const left = new Date(expiresAt).getTime() - Date.now()
    renewal = setTimeout(renew, Math.max(1000, left * RENEW_AFTER))
  }
  const renew = async () => {
    if (task !== held) return
    if (!isWorking) return wait(new Date(Date.now() + 30_000))
    isWorking = false
    await request(`/v1/reviews/${held.task_id}/renew`, { reviewer, lease_id: held.lease_id }).then(
      ({ lease_expires_at }) => wait(lease_expires_at),
      // Whoever sends the answer hears of it.
      () => {},
    )
  }
  wait(held.lease_expires_at)
}

function card(reviewer, held) {
  const kept = draft.of(held.task_id)
  const comment = el('textarea', {
    rows: 2,
    placeholder: 'A comment, if you like',
    'aria-label': 'Comment',
  })
  comment.value = kept.comment ?? ''
  const free = el('input', {
    placeholder: held.answer === 'number' ? 'The right number' : 'The right answer',
    'aria-label': 'The right answer',
    'aria-describedby': 'reads',
    ...(held.answer === 'number' && { inputmode: 'decimal' }),
  })
  free.value = kept.free ?? ''
  const keep = () => draft.keep(held.task_id, { comment: comment.value, free: free.value })
  comment.addEventListener('input', keep)
  free.addEventListener('input', keep)

  let isSending = false
  const answer = (asked, body) => {
    const path = held.votes && asked === 'submit' ? 'decide' : asked
    // One press too many would answer the task twice.
    if (isSending) return
    isSending = true
    void show(async () => {
      const ended = await request(`/v1/reviews/${held.task_id}/${path}`, {
        reviewer,
        lease_id: held.lease_id,
        comment: comment.value,
        ...body,
      }).finally(() => (isSending = false))
      draft.forget()
      const isAnswer = path === 'submit' || path === 'decide'
      if (isAnswer) answered++
      const canUndo = path === 'submit' || path === 'skip'
      last = canUndo ? { task_id: held.task_id, counted: isAnswer } : undefined
      await next(reviewer, isAnswer ? lastAnswer(ended) : undefined)
    })
  }
  const event = held.event
  const isSeen = held.answer === 'text' && event.output_text
  return el(
    'div',
    { class: 'card review' },
    el(
      'p',
      {},
      `Model ${held.model_id}, version ${event.model_version}, ${event.predicted_at}. `,
      isSeen
        ? undefined
        : el('span', { class: 'quiet' }, 'What it answered is shown after you have.'),
    ),
    ...(event.input_text ? [el('p', { class: 'text' }, event.input_text)] : []),
    ...(isSeen
      ? [el('h2', {}, 'What it answered'), el('p', { class: 'text' }, event.output_text)]
      : []),
    ...values('What the model saw', event.features),
    ...values('Attributes', event.attributes),
    el(
      'div',
      { class: 'asked' },
      ...(held.votes ? [votesOf(held.votes)] : []),
      el('h2', {}, 'What is true?'),
      held.answer === 'class' ? classButtons(held.classes, answer) : freeAnswer(held, free, answer),
      ...(held.votes ? [] : [others(held, answer)]),
      comment,
      ...(held.votes ? [] : [flagPart(reviewer, held, comment)]),
    ),
  )
}

document.addEventListener('keydown', (event) => {
  const { target, key, ctrlKey, metaKey, altKey, repeat } = event
  if (!task || ctrlKey || metaKey || altKey || repeat) return
  if (target instanceof HTMLElement && target.matches('input, textarea, select')) return
  const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (
    document.querySelectorAll('.asked button[data-key]')
  )
  ;[...buttons].find((button) => button.dataset['key'] === key.toLowerCase())?.click()
})

await show(async () => {
  isOperator = await mayOperate()
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
