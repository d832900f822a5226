import { badge, day, el, hasKeys, request, show } from './page.js'

const COLOURS = {
  succeeded: 'ok',
  failed: 'alarm',
  rejected: 'none',
  cancelled: 'none',
  awaiting_approval: 'warning',
  pending: 'incomplete',
  launched: 'incomplete',
  running: 'incomplete',
}

async function act(run, action) {
  const what = `${action} ${run.policy} of ${run.model_id}`
  // Where keys are set the key says who acts; else a name is asked for, and marked as claimed.
  if (await hasKeys()) {
    if (!confirm(`Really ${what}?`)) return
    await request(`/v1/runs/${run.run_id}/${action}`, {})
  } else {
    const actor = prompt(`Your name, for the audit log (${what})`)
    if (!actor) return
    await request(`/v1/runs/${run.run_id}/${action}`, { actor })
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
          ...['State', 'Model', 'Policy', 'Evidence to', 'New version', 'Why', ''].map((text) =>
            el('th', {}, text),
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
            el('td', {}, badge(COLOURS[run.state], run.state.replace('_', ' '))),
            el(
              'td',
              {},
              el('a', { href: `/models/${encodeURIComponent(run.model_id)}` }, run.model_id),
            ),
            el('td', {}, run.policy),
            el('td', {}, day(run.window_end)),
            el('td', {}, run.new_version || '–'),
            el('td', { class: 'quiet' }, [run.reason, run.message].filter(Boolean).join('; ')),
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
