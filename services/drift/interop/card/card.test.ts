/** A model card says what is known, what is missing, and shows texts as they are. */
import { expect, test } from 'vitest'
import { aiActOf } from './ai-act.ts'
import type { CardFacts } from './facts.ts'
import { htmlOf, markdownOf } from './render.ts'
import { sectionsOf } from './sections.ts'
import { toolkitOf } from './toolkit.ts'

const NOTHING: CardFacts = {
  model_id: 'm',
  made_at: '2026-01-09T00:00:00.000Z',
  task: undefined,
  labels: {},
  runbook_url: undefined,
  card: {},
  revision: '',
  windows: { size: '1d', min_count: 200 },
  features: [],
  references: [],
  topics: [],
  privacy: [],
  retention: {},
  policies: [],
  expectations: 0,
  protected_attributes: [],
  versions: [],
  evaluated_windows: 0,
  last_window_end: null,
  performance_window: '',
  performance: [],
  fairness_window: '',
  fairness: [],
  drift: [],
  episodes: [],
  acts: [],
}
const metric = { metric: 'accuracy', subject: '', value: 0.912345, n: 80, verdict: 'ok' }
const KNOWN: CardFacts = {
  ...NOTHING,
  task: 'binary',
  revision: 'abc',
  labels: { owner: 'ann', team: 'risk' },
  card: {
    purpose: 'finds fraud',
    risk_class: 'high',
    users: ['clerks'],
    use_cases: ['a second look'],
    limitations: ['no cash'],
    risks: [{ name: 'bias', mitigation: 'reviews' }],
    training_data: 'two years of payments',
    oversight: 'the desk may overrule it',
    monitoring_plan_url: 'https://plans/fraud',
    license: 'proprietary',
  },
  retention: { predictions: '90d' },
  references: [{ name: 'baseline', kind: 'first', says: 'windows 8' }],
  versions: [
    { model_version: '7', events: 10, first: '2026-01-01T00:00:00Z', last: '2026-01-05T00:00:00Z' },
    { model_version: '8', events: 20, first: '2026-01-04T00:00:00Z', last: '2026-01-08T00:00:00Z' },
  ],
  evaluated_windows: 8,
  last_window_end: '2026-01-08T00:00:00Z',
  performance_window: '2026-01-08T00:00:00Z',
  performance: [
    { ...metric, cohort: '', ci_low: 0.85, ci_high: 0.95 },
    { ...metric, cohort: 'region: north', value: null, ci_low: null, ci_high: null },
  ],
  drift: [{ window_end: '2026-01-08T00:00:00Z', events: 30, worst: 'ok', drift_share: 0 }],
}
const item = (facts: CardFacts, article: string) =>
  aiActOf(facts).find((one) => one.article === article)!

test('what is not known is said plainly, in every section it belongs to', () => {
  const told = Object.fromEntries(sectionsOf(NOTHING).map((one) => [one.title, one.missing]))
  expect(told['Model']).toContain('there is no model file')
  expect(told['Model']).toContain('the risk class is not declared in the model file')
  expect(told['Performance by cohort']![0]).toMatch(/^no performance is known/)
  expect(told['Fairness']![0]).toMatch(/declares no protected attribute/)
  expect(told['Drift history']).toEqual(['no window was evaluated yet'])
  expect(told['Approvals and changes']![0]).toMatch(/no entry/)
  expect(sectionsOf(KNOWN).find(({ title }) => title === 'Intended use')!.missing).toEqual([])
})

test('each item of the AI Act has what is recorded or what is missing', () => {
  for (const facts of [NOTHING, KNOWN])
    for (const { article, known, missing } of aiActOf(facts))
      expect(known !== '' || missing !== '', article).toBe(true)
  expect(item(KNOWN, '12(1)').known).toBe(
    '30 predictions with their time, version and inputs, from 2026-01-01T00:00:00Z to 2026-01-08T00:00:00Z',
  )
  expect(item(NOTHING, '12(1)').missing).toBe('no event was recorded')
  expect(item(KNOWN, '19(1)').missing).toMatch(/kept for 90d, which is less than six months/)
  const kept = { ...KNOWN, retention: { predictions: '400d' } }
  expect(item(kept, '26(6)')).toMatchObject({ known: 'predictions are kept for 400d', missing: '' })
  expect(item(KNOWN, '26(2)').known).toBe('the desk may overrule it')
  expect(item(NOTHING, '72(3)').missing).toMatch(/names no post-market monitoring plan/)
  expect(item(KNOWN, '72(3)').known).toBe('https://plans/fraud')
  const applies = ({ card }: Pick<CardFacts, 'card'>) =>
    sectionsOf({ ...NOTHING, card }).at(-1)!.texts[0]
  expect(applies(NOTHING)).toMatch(/not known\.$/)
  expect(applies(KNOWN)).toMatch(/these articles apply\.$/)
  expect(applies({ card: { risk_class: 'minimal' } })).toMatch(/^The model file declares minimal/)
})

test('the toolkit’s fields have the newest version, values with intervals, and no unknown value', () => {
  expect(toolkitOf(KNOWN)).toMatchObject({
    model_details: {
      owners: [{ name: 'ann', contact: 'risk' }],
      version: { name: '8', date: '2026-01-04' },
    },
    quantitative_analysis: {
      performance_metrics: [
        { type: 'accuracy', confidence_interval: { lower_bound: 0.85, upper_bound: 0.95 } },
      ],
    },
    considerations: {
      users: [{ description: 'clerks' }],
      ethical_considerations: [{ name: 'bias', mitigation_strategy: 'reviews' }],
    },
  })
  expect(toolkitOf(KNOWN).quantitative_analysis.performance_metrics).toHaveLength(1)
})

test('a text is no markup, in Markdown or HTML, whatever it holds', () => {
  const odd = '<img src=x onerror=alert(1)>\n# no | [x](javascript:alert(1)) `c` & "q"'
  const facts = { ...KNOWN, model_id: odd, card: { ...KNOWN.card, purpose: odd, users: [odd] } }
  const html = htmlOf(facts, sectionsOf(facts))
  expect(html).not.toMatch(/<img|<script|="q"/)
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;')
  const markdown = markdownOf(facts, sectionsOf(facts))
  expect(markdown).not.toMatch(/<img|^# no/m)
  expect(markdown).not.toMatch(/(^|[^\\])\[x/m)
  expect(markdown).toContain('\\[x\\]\\(javascript:alert\\(1\\)\\) \\`c\\` &amp; "q"')
  // A bar in a cell would end it.
  for (const line of markdown.split('\n').filter((one) => one.startsWith('| bias')))
    expect(line).toBe('| bias | reviews |')
  expect(markdown).toContain('| all | accuracy | 0.9123 | 0.85 to 0.95 | 80 | ok |')
  expect(markdown).toContain('| region: north | accuracy | unknown | no interval | 80 | ok |')
})

test('the data sets that runs learned from are part of the lineage, the newest five', () => {
  const kept = (sequence: number) => ({
    ...{ sequence, at: '2026-01-08T00:00:00Z', actor: 'launcher', action: 'dataset.kept' },
    ...{ subject: `run ${sequence}`, says: `data set of ${sequence} predictions` },
  })
  const acts = [{ ...kept(9), action: 'run.launching' }, ...[8, 7, 6, 5, 4, 3].map(kept)]
  const { texts } = sectionsOf({ ...NOTHING, acts }).find(({ title }) => title.startsWith('Data'))!
  expect(texts).toEqual([
    `Runs learned from: ${[8, 7, 6, 5, 4].map((n) => `run ${n}: data set of ${n} predictions`).join('; ')}`,
  ])
  expect(sectionsOf(NOTHING).find(({ title }) => title.startsWith('Data'))!.texts).toEqual([])
})
