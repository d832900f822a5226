import { badge, day, el, hasKeys, request, show } from '../parts/page.js'

const COLOURS = {
  succeeded: 'ok',
  promoted: 'ok',
  failed: 'alarm',
  timed_out: 'alarm',
  rolled_back: 'warning',
  rejected: 'none',
  cancelled: 'none',
  proposed: 'none',
  awaiting_approval: 'warning',
  queued: 'incomplete',
  launching: 'incomplete',
  running: 'incomplete',
  validating: 'incomplete',
}

const OUTCOMES = {
  watching: 'incomplete',
  repaired: 'ok',
  not_repaired: 'warning',
  made_worse: 'alarm',
  unknown: 'none',
}

const inWords = (state) => state.replaceAll('_', ' ')

/** Why a run was asked for, what was last said of it, and what its outcome rests on. */
const wordsOf = (run) =>
  [
    run.reason,
    run.message,
    run.state === 'validating' ? run.acceptance?.reason : '',
    run.repair?.reason,
    ...run.notes,
  ]
    .filter(Boolean)
    .join('; ')

async function act(run, action) {
  const what = `${action} ${run.policy} of ${run.model_id}`
  const message = prompt(`Why, for the audit log (${what})`)?.trim()
  if (!message) return
  // Where keys are set the key says who acts; else a name is asked for, and marked as claimed.
  if (await hasKeys()) await request(`/v1/runs/${run.run_id}/${action}`, { message })
  else {
    const actor = prompt(`Your name (${what})`)
    if (!actor) return
    await request(`/v1/runs/${run.run_id}/${action}`, { actor, message })
  }
  location.reload()
}

await show(async (main) => {
  main.append(el('h1', {}, 'Retraining runs'))
  const { runs } = await request('/v1/runs')
  if (runs.length === 0) {
    main.append(el('p', { class: 'quiet' }, 'No retraining has been asked for.'))
    return
  }
  main.append(
    el(
      'table',
      {},
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...['State', 'Model', 'Policy', 'Evidence to', 'New version', 'Helped', 'Why', ''].map(
            (text) => el('th', {}, text),
          ),
        ),
      ),
      el(
        'tbody',
        {},
        ...runs.map((run) =>
          el(
            'tr',
            {},
            el('td', {}, badge(COLOURS[run.state], inWords(run.state))),
            el(
              'td',
              {},
              el('a', { href: `/models/${encodeURIComponent(run.model_id)}` }, run.model_id),
            ),
            el('td', {}, run.policy),
            el('td', {}, day(run.window_end)),
            el('td', {}, run.new_version || '–'),
            el(
              'td',
              { title: run.repair?.reason ?? '' },
              run.repair ? badge(OUTCOMES[run.repair.outcome], inWords(run.repair.outcome)) : '–',
            ),
            el('td', { class: 'quiet' }, wordsOf(run)),
            el(
              'td',
              {},
              ...(run.state === 'awaiting_approval'
                ? [
                    el(
                      'button',
                      { class: 'primary', onclick: () => show(() => act(run, 'approve')) },
                      `Approve (${run.approvals.length} of ${run.approvals_needed})`,
                    ),
                    ' ',
                    el('button', { onclick: () => show(() => act(run, 'reject')) }, 'Reject'),
                  ]
                : []),
            ),
          ),
        ),
      ),
    ),
  )
})
