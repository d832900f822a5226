/** A model card as sections of text and tables, which every form of it is made of. Pure. */
import { aiActOf, appliesOf } from './ai-act.ts'
import type { CardFacts, CardMetric } from './facts.ts'

/** A part of the card; texts are plain, whatever they hold. */
export interface CardSection {
  title: string
  texts: readonly string[]
  /** What is not known, said plainly. */
  missing: readonly string[]
  table?: { columns: readonly string[]; rows: readonly (readonly string[])[] }
}

const number = (value: number | null) =>
  value === null ? 'unknown' : String(Number(value.toPrecision(4)))
const listed = (label: string, values: readonly string[] = []) =>
  values.length > 0 ? [`${label}: ${values.join('; ')}`] : []
const said = (label: string, text: string | undefined) =>
  text === undefined ? [] : [`${label}: ${text}`]
const lacking = (entries: Record<string, unknown>) =>
  Object.entries(entries).flatMap(([what, value]) =>
    value === undefined || value === '' ? [`${what} is not declared in the model file`] : [],
  )

/** All sections of a card, always the same ones in the same order. */
export function sectionsOf(facts: CardFacts): CardSection[] {
  return [
    about(facts),
    intended(facts),
    data(facts),
    performance(facts),
    fairness(facts),
    driftHistory(facts),
    incidents(facts),
    changes(facts),
    aiAct(facts),
  ]
}

function about({ card, labels, task, revision, windows, runbook_url, versions }: CardFacts) {
  return {
    title: 'Model',
    texts: [
      ...said('Purpose', card.purpose),
      `Task: ${task ?? 'not declared'}`,
      ...Object.entries(labels).map(([name, value]) => `${name}: ${value}`),
      ...said('Risk class', card.risk_class),
      ...said('Role of its owner', card.role),
      ...said('Architecture', card.architecture),
      ...said('License', card.license),
      ...said('Runbook', runbook_url),
      `Windows of ${windows.size}, complete from ${windows.min_count} events on`,
      ...(revision === '' ? [] : [`Model file: ${revision}`]),
    ],
    missing: [
      ...(revision === '' ? ['there is no model file'] : []),
      ...lacking({
        'the purpose': card.purpose,
        'the owner': labels['owner'],
        'the risk class': card.risk_class,
      }),
    ],
    table: {
      columns: ['version', 'predictions', 'first', 'last'],
      rows: versions.map(({ model_version, events, first, last }) => [
        model_version === '' ? '(none)' : model_version,
        String(events),
        first,
        last,
      ]),
    },
  }
}

const intended = ({ card }: CardFacts): CardSection => ({
  title: 'Intended use',
  texts: [
    ...listed('Users', card.users),
    ...listed('Use cases', card.use_cases),
    ...listed('Limitations', card.limitations),
    ...listed('Trade-offs', card.tradeoffs),
    ...said('Oversight', card.oversight),
  ],
  missing: lacking({
    'who is meant to use it': card.users,
    'what it is meant for': card.use_cases,
    'what it is not good for': card.limitations,
  }),
  ...(card.risks && {
    table: {
      columns: ['risk', 'mitigation'],
      rows: card.risks.map(({ name, mitigation }) => [name, mitigation]),
    },
  }),
})

/** Manifests of data sets that are told of, the newest. */
const MAX_DATASETS = 5

const learnedFrom = ({ acts }: CardFacts): string[] =>
  acts
    .filter(({ action }) => action === 'dataset.kept')
    .slice(0, MAX_DATASETS)
    .map(({ subject, says }) => `${subject}: ${says}`)

const data = (facts: CardFacts): CardSection => ({
  title: 'Data and its lineage',
  texts: [
    ...said('Training data', facts.card.training_data),
    ...listed(
      'Predictions come by',
      facts.topics.map(({ topic, newest }) => `${topic} (newest ${newest})`),
    ),
    ...listed('Runs learned from', learnedFrom(facts)),
    ...listed('Declared features', facts.features),
    ...listed('Privacy', facts.privacy),
    ...said('Retention of predictions', facts.retention.predictions),
    ...said('Retention of labels', facts.retention.labels),
  ],
  missing: [
    ...lacking({ 'what it was trained on': facts.card.training_data }),
    ...(facts.topics.length === 0 ? ['no prediction has come'] : []),
  ],
  table: {
    columns: ['reference', 'kind', 'what it is'],
    rows: facts.references.map(({ name, kind, says }) => [name, kind, says]),
  },
})

const intervalOf = ({ ci_low: low, ci_high: high }: CardMetric) =>
  low === null || high === null ? 'no interval' : `${number(low)} to ${number(high)}`

const metricsTable = (metrics: readonly CardMetric[]) => ({
  columns: ['cohort', 'metric', 'value', '95 % interval', 'cases', 'verdict'],
  rows: metrics.map((one) => [
    one.cohort === '' ? 'all' : one.cohort,
    one.subject === '' ? one.metric : `${one.metric} of ${one.subject}`,
    number(one.value),
    intervalOf(one),
    String(one.n),
    one.verdict,
  ]),
})

const performance = ({ performance: rows, performance_window: end }: CardFacts): CardSection => ({
  title: 'Performance by cohort',
  texts: end === '' ? [] : [`Window that ended at ${end}`],
  missing: rows.some(({ value }) => value !== null)
    ? []
    : ['no performance is known: no labels have come, or no window has enough of them'],
  table: metricsTable(rows),
})

const fairness = (facts: CardFacts): CardSection => ({
  title: 'Fairness',
  texts: facts.fairness_window === '' ? [] : [`Window that ended at ${facts.fairness_window}`],
  missing:
    facts.protected_attributes.length === 0
      ? ['the model file declares no protected attribute: nothing is known of fairness']
      : facts.fairness.length === 0
        ? ['no window has results of fairness']
        : [],
  table: metricsTable(facts.fairness),
})

const driftHistory = ({ drift }: CardFacts): CardSection => ({
  title: 'Drift history',
  texts: [],
  missing: drift.length === 0 ? ['no window was evaluated yet'] : [],
  table: {
    columns: ['window', 'events', 'worst verdict', 'share of features that moved'],
    rows: drift.map((one) => [
      one.window_end,
      String(one.events),
      one.worst,
      number(one.drift_share),
    ]),
  },
})

const incidents = ({ episodes }: CardFacts): CardSection => ({
  title: 'Incidents',
  texts: episodes.length === 0 ? ['No alert episode is recorded.'] : [],
  missing: [],
  table: {
    columns: ['since', 'until', 'severity', 'ended', 'what alarmed'],
    rows: episodes.map((one) => [
      one.episode,
      one.until,
      one.severity,
      one.ended,
      one.alarms.join(', '),
    ]),
  },
})

const changes = ({ policies, acts }: CardFacts): CardSection => ({
  title: 'Approvals and changes',
  texts: policies.map(
    ({ name, when, approval }) => `Policy ${name}: ${when} (approval: ${approval})`,
  ),
  missing: acts.length === 0 ? ['the audit log has no entry about this model'] : [],
  table: {
    columns: ['entry', 'at', 'who', 'what', 'of', 'why'],
    rows: acts.map((act) => [
      String(act.sequence),
      act.at,
      act.actor,
      act.action,
      act.subject,
      act.says,
    ]),
  },
})

const aiAct = (facts: CardFacts): CardSection => ({
  title: 'EU AI Act (Regulation (EU) 2024/1689), articles 12, 19, 26 and 72',
  texts: [
    appliesOf(facts.card),
    'What is recorded here beside what the articles ask for: no legal assessment.',
  ],
  missing: [],
  table: {
    columns: ['article', 'asks of', 'to', 'recorded', 'missing'],
    rows: aiActOf(facts).map((one) => [one.article, one.of, one.asks, one.known, one.missing]),
  },
})
