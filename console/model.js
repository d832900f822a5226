import { badge, chart, day, el, number, request, show } from './page.js'

const id = decodeURIComponent(location.pathname.split('/').at(-1))
document.title = `${id} · Plumbline`
/** Of drift and data quality what is looked at first; all of it is in ClickHouse. */
const LOOKED_AT = [
  'psi,ks,wasserstein,chi_squared',
  'missing_ratio,new_category_ratio,duplicate_ratio',
]
/** What has a verdict, then what is there to be looked at; each by its name. */
function evaluatedFirst([name, points], [other, others]) {
  const isEvaluated = (some) => (some.some(({ verdict }) => verdict !== 'none') ? 0 : 1)
  return isEvaluated(points) - isEvaluated(others) || (name < other ? -1 : 1)
}

const FAMILIES = [
  ['performance', 'Performance'],
  ['drift', 'Drift against the baseline'],
  ['fairness', 'Fairness'],
  ['quality', 'Data quality'],
  ['operations', 'Operations'],
]

await show(async (main) => {
  const model = await request(`/v1/models/${encodeURIComponent(id)}`)
  const ask = (query) => request(`/v1/models/${encodeURIComponent(id)}/windows?${query}`)
  const answers = await Promise.all([
    ...LOOKED_AT.map((metrics) => ask(`metric=${metrics}`)),
    ...['performance', 'fairness', 'operations'].map((family) => ask(`family=${family}`)),
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
      // Ten charts that say less together than the slope alone.
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
  const last = plain.filter((metric) => metric.window_end === end)
  const standing = last.filter(
    (metric) => metric.verdict === 'alarm' || metric.verdict === 'warning',
  )
  const incomplete = Map.groupBy(
    last.filter((metric) => metric.verdict === 'incomplete'),
    (metric) => metric.reason,
  )
  main.append(el('h2', {}, `Last window, to ${day(end)}`))
  for (const [reason, metrics] of incomplete)
    main.append(
      el(
        'p',
        {},
        badge('incomplete'),
        ` ${metrics.length} ${metrics.length === 1 ? 'number' : 'numbers'}: ${reason}`,
      ),
    )
  if (standing.length === 0 && incomplete.size === 0)
    main.append(el('p', {}, badge('ok', 'nothing stands out')))
  else if (standing.length > 0)
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
            ...['Verdict', 'What', 'Value', 'Line', 'Why'].map((text) =>
              el('th', { class: text === 'Value' || text === 'Line' ? 'number' : '' }, text),
            ),
          ),
        ),
        el(
          'tbody',
          {},
          ...standing.map((metric) =>
            el(
              'tr',
              {},
              el('td', {}, badge(metric.verdict)),
              el(
                'td',
                {},
                `${metric.family} ${metric.metric}${metric.subject ? ` of ${metric.subject}` : ''}`,
              ),
              el('td', { class: 'number' }, number(metric.value)),
              el('td', { class: 'number' }, number(metric.threshold)),
              el('td', { class: 'quiet' }, metric.reason),
            ),
          ),
        ),
      ),
    )
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
