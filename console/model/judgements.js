/**
 * What answers of a language model are judged by, as people call it, and which of these numbers its
 * page begins with. Pure.
 */
import { metricName, plural, subjectName } from '../parts/words.js'

/** @typedef {import('../../schemas/http/metric-results.ts').WindowMetric} WindowMetric */
/**
 * @typedef {Pick<WindowMetric, 'family' | 'metric' | 'subject'>} Named
 * @typedef {Named & { key: string, name: string, why: string }} Choice
 */

/** Scores beside reference texts, the one that tells most of a sentence first. */
const SCORES = new Map([
  ['output_text.rouge_l', 'ROUGE-L'],
  ['output_text.token_f1', 'Token F1'],
  ['output_text.chrf', 'chrF'],
  ['output_text.bleu', 'BLEU'],
  ['output_text.exact_match', 'Exact match'],
  ['output_text.context_overlap', 'Overlap with the context'],
])
const SCORE_ORDER = [...SCORES.keys()]
const isScore = ({ subject }) => SCORES.has(subject)
const isLevel = ({ metric }) => metric === 'mean' || metric === 'rate'

/** What a number of a model is called, with what it is of. @param {Named} row */
export function nameOf({ family, metric, subject }) {
  if (family !== 'feedback' || subject === '') return metricName(metric)
  const score = SCORES.get(subject)
  if (metric === 'mean') return score ?? `Mean of ${subject}`
  if (metric === 'rate') return subject.replace('=', ' = ')
  if (metric === 'labels_left_out') return `Labels left out, ${subject}`
  if (metric === 'corpus') return `${score ?? subject}, all answers together`
  return `${metricName(metric)}, ${score ?? subjectName(subject)}`
}

/** Order of judgements; a lower rank goes first. @param {WindowMetric} row */
const rankOf = (row) => (row.threshold !== null ? 0 : isScore(row) ? 1 : 2)

/** @param {WindowMetric} a @param {WindowMetric} b */
const byRank = (a, b) =>
  rankOf(a) - rankOf(b) ||
  SCORE_ORDER.indexOf(a.subject) - SCORE_ORDER.indexOf(b.subject) ||
  Number(b.n_labelled) - Number(a.n_labelled) ||
  // The most frequent class goes first.
  (a.metric === 'rate' && b.metric === 'rate' ? Number(b.value) - Number(a.value) : 0) ||
  (a.subject < b.subject ? -1 : 1)

const GRAVITY = ['alarm', 'warning', 'incomplete', 'ok', 'none']
/** Levels first, then scores of all answers together, then how many labels there are. */
const partOf = (row) =>
  isLevel(row) ? 0 : row.metric === 'corpus' ? 1 : row.metric === 'label_coverage' ? 2 : 3

/** What decided first, then levels in the order of choices. @param {WindowMetric} a @param {WindowMetric} b */
export const byJudgement = (a, b) =>
  GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict) || partOf(a) - partOf(b) || byRank(a, b)

/** Why a judgement goes before the others. @param {WindowMetric} row */
const whyOf = (row) =>
  [
    'the model file gives it a line of its own',
    'answers are scored beside reference texts',
    `the judgement with the most labels: ${plural(Number(row.n_labelled), 'label')} of ${plural(Number(row.n_current), 'answer')} in its newest window`,
  ][rankOf(row)]

/** Operations that stand in where nothing judges answers, what people feel first. */
const STAND_INS = [
  'time_to_first_token_p95_ms',
  'latency_p95_ms',
  'error_ratio',
  'throughput_per_s',
]
const NOTHING_JUDGES =
  'no judgement of an answer has come yet: send labels by name, or declare reference_scores'

/** How an address names a number: a metric of performance by its name alone. @param {Named} row */
const keyOf = ({ family, metric, subject }) =>
  family === 'performance' ? metric : [family, metric, subject].join('/')

/**
 * The number that an address names; undefined where it names none. @param {string} key @returns
 * {Named | undefined}
 */
export function namedBy(key) {
  const [first = '', metric, ...subject] = key.split('/')
  if (metric === undefined) return { family: 'performance', metric: first, subject: '' }
  return first === 'feedback' || first === 'operations'
    ? { family: first, metric, subject: subject.join('/') }
    : undefined
}

/** @param {Named} row @param {string} why @returns {Choice} */
export const choiceOf = ({ family, metric, subject }, why) => ({
  ...{ family, metric, subject, why },
  key: keyOf({ family, metric, subject }),
  name: nameOf({ family, metric, subject }),
})

/** Choices of one list, at most. */
const MAX_CHOICES = 40

/**
 * Numbers that a language model may be headed by, the first one unasked: what judges answers, a
 * number with a declared line first, then scores beside reference texts, then what most labels say;
 * performance where labels are classes; operations where nothing judges.
 *
 * @param {readonly WindowMetric[]} rows the newest of each number that has a value
 * @returns {Choice[]} at least one
 */
export function judgementChoices(rows) {
  const known = rows.filter(({ value }) => value !== null)
  const judged = known.filter((row) => row.family === 'feedback' && isLevel(row)).toSorted(byRank)
  const measured = known.filter(
    ({ family, metric, subject }) =>
      family === 'performance' && subject === '' && metric === 'accuracy',
  )
  const operations = STAND_INS.flatMap(
    (metric) => known.find((row) => row.family === 'operations' && row.metric === metric) ?? [],
  )
  const choices = [
    ...judged.map((row) => choiceOf(row, whyOf(row))),
    ...measured.map((row) => choiceOf(row, 'labels are classes, as predictions are')),
    ...operations.map((row) => choiceOf(row, NOTHING_JUDGES)),
  ]
  return choices.length === 0
    ? [choiceOf({ family: 'operations', metric: 'throughput_per_s', subject: '' }, NOTHING_JUDGES)]
    : choices.slice(0, MAX_CHOICES)
}
