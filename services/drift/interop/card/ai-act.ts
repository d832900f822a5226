/**
 * What articles 12, 19, 26 and 72 of the EU AI Act (Regulation (EU) 2024/1689) ask for, beside what
 * is known of a model. It repeats what is recorded and says what is not; it is no legal assessment.
 * Pure.
 */
import { durationMs } from '../../../../lib/runtime/durations.ts'
import type { CardFacts } from './facts.ts'

/** One thing an article asks for. */
export interface ActItem {
  /** As `12(1)`. */
  article: string
  /** Whom it asks: providers, deployers, or the system itself. */
  of: 'system' | 'provider' | 'deployer'
  asks: string
  /** What is recorded; '' where nothing is. */
  known: string
  /** What is not, or not here; '' where nothing is missing. */
  missing: string
}

/** Six months, counted generously: 184 days hold any six of a year. */
const SIX_MONTHS_MS = 184 * 86_400_000

type Said = Pick<ActItem, 'known' | 'missing'>
const known = (text: string): Said => ({ known: text, missing: '' })
const missing = (text: string): Said => ({ known: '', missing: text })

const NOT_HERE = 'not recorded by this service'

function eventsOf({ versions }: CardFacts): Said {
  const events = versions.reduce((sum, version) => sum + version.events, 0)
  if (events === 0) return missing('no event was recorded')
  const first = versions.map((version) => version.first).toSorted()[0]!
  const last = versions
    .map((version) => version.last)
    .toSorted()
    .at(-1)!
  return known(
    `${events} predictions with their time, version and inputs, from ${first} to ${last}`,
  )
}

const episodesOf = ({ episodes, evaluated_windows: n }: CardFacts): Said =>
  n === 0
    ? missing('no window was evaluated yet')
    : known(`${episodes.length} alert episodes, among the newest that are listed below`)

const windowsOf = ({ evaluated_windows: n, last_window_end: last }: CardFacts): Said =>
  n === 0
    ? missing('no window was evaluated yet')
    : known(`${n} evaluated windows, the last of which ended at ${last}`)

function keptOf({ retention }: CardFacts): Said {
  const kept = retention.predictions
  if (kept === undefined)
    return {
      known: 'the model file sets no retention of its own',
      missing: 'what the service’s settings keep is told by GET /v1/retention, not by this card',
    }
  return durationMs(kept) < SIX_MONTHS_MS
    ? missing(`predictions are kept for ${kept}, which is less than six months`)
    : known(`predictions are kept for ${kept}`)
}

const linkOf = (url: string | undefined, what: string): Said =>
  url === undefined ? missing(`the model file names no ${what}`) : known(url)

function inputOf({ references, expectations, drift }: CardFacts): Said {
  const held = references.length > 0 && drift.length > 0
  if (!held && expectations === 0)
    return missing('inputs are held against nothing: no reference, and no expectations')
  return known(
    `inputs of ${held ? `windows are held against ${references.length} references` : 'windows are held against no reference yet'}; ${expectations} expectations are declared. Whether they are representative in view of the purpose is a person’s to say`,
  )
}

function measuredOf({ performance, performance_window: window }: CardFacts): Said {
  const values = performance.filter(({ value }) => value !== null).length
  return values === 0
    ? missing('no performance is known: no labels have come, or no window has enough of them')
    : known(`${values} values of performance of the window that ended at ${window}`)
}

/** What each article asks for, and what is there, in the order of the articles. */
export const aiActOf = (facts: CardFacts): ActItem[] => [
  ...article12(facts),
  item(
    '19(1)',
    'provider',
    'keep the automatically generated logs under their control for a period appropriate to the purpose, of at least six months, unless other law provides otherwise',
    keptOf(facts),
  ),
  ...article26(facts),
  ...article72(facts),
]

/** Record-keeping. */
const article12 = (facts: CardFacts): ActItem[] => [
  item(
    '12(1)',
    'system',
    'allow for the automatic recording of events over the lifetime',
    eventsOf(facts),
  ),
  item(
    '12(2)(a)',
    'system',
    'record what is relevant for identifying situations that may result in a risk or in a substantial modification',
    episodesOf(facts),
  ),
  item(
    '12(2)(b)',
    'system',
    'record what facilitates the post-market monitoring of Article 72',
    windowsOf(facts),
  ),
  item(
    '12(2)(c)',
    'system',
    'record what is relevant for monitoring the operation as in Article 26(5)',
    windowsOf(facts),
  ),
  item(
    '12(3)',
    'system',
    'of systems of Annex III point 1(a): the period of each use, the reference database, the input that matched, and who verified the results',
    missing(NOT_HERE),
  ),
]

/** Obligations of deployers. */
function article26(facts: CardFacts): ActItem[] {
  const { card } = facts
  const oversight =
    card.oversight === undefined
      ? missing('the model file names nobody who oversees it')
      : known(card.oversight)
  return [
    item(
      '26(1)',
      'deployer',
      'use the system in accordance with its instructions for use',
      linkOf(card.instructions_url, 'instructions for use'),
    ),
    item(
      '26(2)',
      'deployer',
      'assign human oversight to natural persons with the necessary competence, training, authority and support',
      oversight,
    ),
    item(
      '26(4)',
      'deployer',
      'where they control the input data, ensure that it is relevant and sufficiently representative in view of the purpose',
      inputOf(facts),
    ),
    item(
      '26(5)',
      'deployer',
      'monitor the operation, inform the provider where relevant, suspend the use and inform on risks and serious incidents',
      { ...windowsOf(facts), missing: `whom was informed of what is ${NOT_HERE}` },
    ),
    item(
      '26(6)',
      'deployer',
      'keep the automatically generated logs under their control for at least six months, unless other law provides otherwise',
      keptOf(facts),
    ),
    item(
      '26(7)',
      'deployer',
      'as employers, inform workers’ representatives and the affected workers before use at the workplace',
      missing(NOT_HERE),
    ),
    item(
      '26(11)',
      'deployer',
      'of systems of Annex III that take part in decisions about natural persons: inform these',
      missing(NOT_HERE),
    ),
  ]
}

/** Post-market monitoring. */
const article72 = (facts: CardFacts): ActItem[] => [
  item(
    '72(1)',
    'provider',
    'establish and document a post-market monitoring system that is proportionate',
    windowsOf(facts),
  ),
  item(
    '72(2)',
    'provider',
    'actively and systematically collect, document and analyse data on performance throughout the lifetime',
    measuredOf(facts),
  ),
  item(
    '72(3)',
    'provider',
    'base it on a post-market monitoring plan, which is part of the technical documentation',
    linkOf(facts.card.monitoring_plan_url, 'post-market monitoring plan'),
  ),
]

const item = (article: string, of: ActItem['of'], asks: string, said: Said): ActItem => ({
  article,
  of,
  asks,
  ...said,
})

/** Whether these articles are about the model, as far as its file says. */
export function appliesOf({ risk_class: risk }: CardFacts['card']): string {
  if (risk === undefined)
    return 'The model file declares no risk class: whether these articles apply is not known.'
  return risk === 'high'
    ? 'The model file declares a high-risk system: these articles apply.'
    : `The model file declares ${risk} risk: these articles are about high-risk systems.`
}
