import { badge, chart, day, el, number, request, show } from './page.js'

const id = decodeURIComponent(location.pathname.split('/').at(-1))
document.title = `${id} · Plumbline`
/** The drift and data quality metrics that are charted; ClickHouse has all of them. */
const CHARTED = [
  'psi,ks,wasserstein,chi_squared',
  'missing_ratio,new_category_ratio,duplicate_ratio',
]
/** Orders metrics with a verdict before others, each by name. */
function evaluatedFirst([name, points], [other, others]) {
  const rankOf = (some) => (some.some(({ verdict }) => verdict !== 'none') ? 0 : 1)
  return rankOf(points) - rankOf(others) || (name < other ? -1 : 1)
}

const FAMILIES = [
  ['performance', 'Performance'],
  ['drift', 'Drift against the baseline'],
  ['fairness', 'Fairness'],
  ['quality', 'Data quality'],
  ['operations', 'Operations'],
  ['feedback', 'Feedback'],
]

/** What the newest window could not decide, what is active, and apart from it what somebody snoozed. */
function activeAlarms({ active_alarms: alarms }, incomplete) {
  const byReason = Map.groupBy(incomplete, (metric) => metric.reason)
  const active = alarms.filter((alarm) => !alarm.snoozed_until)
  const snoozed = alarms.filter((alarm) => alarm.snoozed_until)
  return [
    ...[...byReason].map(([reason, metrics]) =>
      el(
        'p',
        {},
        badge('incomplete'),
        ` ${metrics.length} ${metrics.length === 1 ? 'number' : 'numbers'}: ${reason}`,
      ),
    ),
    ...(alarms.length === 0 && incomplete.length === 0
      ? [el('p', {}, badge('ok', 'nothing stands out'))]
      : []),
    ...(active.length > 0 ? [alarmTable('active', active, (alarm) => alarm.reason)] : []),
    ...(snoozed.length > 0
      ? [
          el('h3', {}, 'Snoozed'),
          alarmTable(
            'snoozed',
            snoozed,
            (alarm) => `until ${day(alarm.snoozed_until)} · ${alarm.reason}`,
          ),
        ]
      : []),
  ]
}

const COLUMNS = ['Verdict', 'What', 'Value', 'Line', 'Why']

function alarmTable(id, alarms, whyOf) {
  return el(
    'table',
    { id },
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...COLUMNS.map((text) =>
          el('th', { class: text === 'Value' || text === 'Line' ? 'number' : '' }, text),
        ),
      ),
    ),
    el(
      'tbody',
      {},
      ...alarms.map((alarm) =>
        el(
          'tr',
          {},
          el('td', {}, badge(alarm.severity)),
          el(
            'td',
            {},
            `${alarm.family} ${alarm.metric}${alarm.subject ? ` of ${alarm.subject}` : ''}`,
          ),
          el('td', { class: 'number' }, number(alarm.value)),
          el('td', { class: 'number' }, number(alarm.threshold)),
          el('td', { class: 'quiet' }, whyOf(alarm)),
        ),
      ),
    ),
  )
}

await show(async (main) => {
  const model = await request(`/v1/models/${encodeURIComponent(id)}`)
  const ask = (query) => request(`/v1/models/${encodeURIComponent(id)}/windows?${query}`)
  const answers = await Promise.all([
    ...CHARTED.map((metrics) => ask(`metric=${metrics}`)),
    ...['performance', 'fairness', 'operations', 'feedback'].map((family) =>
      ask(`family=${family}`),
    ),
  ])
  const metrics = answers
    .flatMap((answer) => answer.metrics)
    .toSorted((a, b) => (a.window_end < b.window_end ? -1 : a.window_end > b.window_end ? 1 : 0))
  const baseline = model.references.find((reference) => reference.baseline)?.name
  // After a promotion the version's own first windows are the baseline, and before they are whole the windows before it.
  const isRenewed = ({ reference }) => /^(before )?version /.test(reference)
  const renewed = new Set(metrics.filter(isRenewed).map((metric) => metric.window_end))
  const isOfBaseline = (metric) =>
    metric.reference === '' ||
    isRenewed(metric) ||
    (metric.reference === baseline && !renewed.has(metric.window_end))
  const plain = metrics.filter(
    (metric) =>
      metric.convention === 'plumbline' &&
      metric.method !== 'poststratified' &&
      // Ten charts of residuals show less than the one of the slope.
      metric.metric !== 'calibration_residual' &&
      isOfBaseline(metric),
  )
  main.append(
    el('h1', {}, id),
    el(
      'p',
      { class: 'quiet' },
      `${model.task ?? 'task not declared'} · windows of ${model.windows.size} · events up to ${day(model.watermark) || 'none yet'} · evaluated against ${baseline}`,
    ),
  )
  if (plain.length === 0) {
    main.append(el('p', { class: 'quiet' }, 'No window of this model has closed yet.'))
    return
  }
  const end = plain.at(-1).window_end
  const incomplete = plain.filter(
    (metric) => metric.window_end === end && metric.verdict === 'incomplete',
  )
  main.append(el('h2', {}, `Last window, to ${day(end)}`), ...activeAlarms(model, incomplete))
  for (const [family, title] of FAMILIES) {
    const series = Map.groupBy(
      plain.filter((metric) => metric.family === family),
      (metric) => `${metric.metric}${metric.subject ? ` of ${metric.subject}` : ''}`,
    )
    if (series.size === 0) continue
    main.append(
      el('h2', {}, title),
      el(
        'div',
        { class: 'charts' },
        ...[...series].toSorted(evaluatedFirst).map(([name, points]) => chart(name, points)),
      ),
    )
  }
})
