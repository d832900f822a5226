import { badge, day, el, request, show } from './page.js'

const worst = (model) =>
  Number(model.alarms) > 0
    ? 'alarm'
    : Number(model.warnings) > 0
      ? 'warning'
      : Number(model.incomplete) > 0
        ? 'incomplete'
        : Number(model.windows) > 0
          ? 'ok'
          : 'none'

await show(async (main) => {
  main.append(el('h1', {}, 'Models'))
  const { models } = await request('/v1/models')
  if (models.length === 0) {
    main.append(
      el(
        'p',
        { class: 'quiet' },
        'No model has sent an event yet. POST one to /v1/predictions, or run npm run demo.',
      ),
    )
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
          ...[
            'Model',
            'Task',
            'Last window',
            'Stands at',
            'Alarms',
            'Warnings',
            'Incomplete',
            'Windows',
          ].map((text, i) => el('th', { class: i > 3 ? 'number' : '' }, text)),
        ),
      ),
      el(
        'tbody',
        {},
        ...models.map((model) =>
          el(
            'tr',
            {},
            el(
              'td',
              {},
              el('a', { href: `/models/${encodeURIComponent(model.model_id)}` }, model.model_id),
            ),
            el('td', {}, model.task ?? 'not declared'),
            el('td', {}, day(model.last_window_end) || 'none closed yet'),
            el('td', {}, badge(worst(model), worst(model) === 'none' ? 'waiting' : worst(model))),
            ...['alarms', 'warnings', 'incomplete', 'windows'].map((name) =>
              el('td', { class: 'number' }, model[name]),
            ),
          ),
        ),
      ),
    ),
  )
  const { runs } = await request('/v1/runs?limit=5')
  main.append(el('h2', {}, 'Latest runs'))
  if (runs.length === 0)
    main.append(el('p', { class: 'quiet' }, 'No retraining has been asked for.'))
  else
    main.append(
      el(
        'ul',
        {},
        ...runs.map((run) =>
          el(
            'li',
            {},
            `${run.model_id}: ${run.policy}, ${run.state}${run.new_version ? `, version ${run.new_version}` : ''} – ${run.reason}`,
          ),
        ),
      ),
    )
})
