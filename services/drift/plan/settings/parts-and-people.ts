/** What else is evaluated, who is asked, and what is kept, in words. Pure. */
import type { Model } from '../../../../lib/models/model-files.ts'
import { count, list, percent, type Said } from './said.ts'

/** Which parts of the predictions are looked at apart. */
export function cohortsOf({
  slices,
  cohorts,
  fairness,
  multivariateRows,
  unusualEvents,
  expectations,
}: Model): Said[] {
  const groups = Object.keys(fairness.attributes)
  const keys = slices.map(({ key }) => key)
  return [
    [
      'slices',
      keys,
      keys.length === 0
        ? 'Predictions are evaluated all together.'
        : `Each value of ${list(keys)} is evaluated by itself too.`,
    ],
    [
      'cohorts.values',
      cohorts.values,
      `Of a slice the ${cohorts.values} most frequent values are evaluated one by one.`,
    ],
    [
      'cohorts.search',
      cohorts.search ?? null,
      cohorts.search === undefined
        ? 'Windows are not searched for the cohorts with the worst performance.'
        : `Windows are searched for the worst cohorts of ${cohorts.search.min} labelled predictions or more.`,
    ],
    [
      'cohorts.odd_one_out',
      cohorts.odd_one_out,
      cohorts.odd_one_out
        ? 'Each producer and each version is compared with all others of its window.'
        : 'Producers and versions are not compared with one another.',
    ],
    [
      'fairness.attributes',
      fairness.attributes,
      groups.length === 0
        ? 'No attribute is declared whose groups should be treated alike.'
        : `Groups of ${list(groups)} are compared; ${fairness.favorable} is the answer that is good for a person.`,
    ],
    [
      'multivariate.rows',
      multivariateRows,
      multivariateRows === 0
        ? 'No classifier is asked to tell windows from the baseline.'
        : `A classifier tells ${multivariateRows} rows of a window from as many of the baseline.`,
    ],
    [
      'unusual_events',
      unusualEvents ?? null,
      unusualEvents === undefined
        ? 'No unusual events are kept to look at.'
        : `The ${unusualEvents.keep} most unusual of ${unusualEvents.rows} events of a window are kept.`,
    ],
    [
      'expectations',
      expectations.map(({ says }) => says),
      expectations.length === 0
        ? 'Nothing is expected of its inputs.'
        : `${count(expectations.length, 'rule says', 'rules say')} what its inputs must be.`,
    ],
  ]
}

/** What is computed besides, by the owner's own words. */
export function ownMetricsOf({
  businessValue,
  customMetrics,
  exploration,
  features,
  descriptors,
  referenceScores,
  traceUrl,
}: Model): Said[] {
  const measured = descriptors.map(({ name }) => name)
  const custom = Object.keys(customMetrics)
  const declared = Object.keys(features)
  return [
    [
      'features',
      features,
      declared.length === 0
        ? 'Whether a feature is a number or a category is told from its values.'
        : `${count(declared.length, 'feature is', 'features are')} of the declared kind; of others it is told from their values.`,
    ],
    [
      'descriptors',
      measured,
      measured.length === 0
        ? 'Nothing is measured on its texts.'
        : `${count(measured.length, 'feature is', 'features are')} measured on its texts before privacy drops or masks them.`,
    ],
    [
      'reference_scores',
      referenceScores ?? null,
      referenceScores === undefined
        ? 'Its answers are scored beside no texts.'
        : `Its answers are scored beside texts that come as labels: ${list(referenceScores.scores)}.`,
    ],
    [
      'trace_url',
      traceUrl ?? null,
      traceUrl === undefined
        ? 'Its events link to no traces.'
        : 'Events that are kept as examples link to their traces.',
    ],
    [
      'business_value',
      businessValue ?? null,
      businessValue === undefined
        ? 'What right and wrong answers are worth is not declared.'
        : 'Answers are summed up by what each kind is worth.',
    ],
    [
      'custom_metrics',
      customMetrics,
      custom.length === 0
        ? 'No metric of its owner is computed.'
        : `${count(custom.length, 'metric', 'metrics')} of its owner: ${list(custom)}.`,
    ],
    [
      'exploration',
      exploration ?? null,
      exploration === undefined
        ? 'It chooses no actions by chance.'
        : 'It chooses actions by chance, whose probabilities are used.',
    ],
  ]
}

const namesOf = ({ people, teams }: { people: readonly string[]; teams: readonly string[] }) =>
  list([...people, ...teams.map((team) => `the team ${team}`)])

/** Who is asked, what asks for a retraining, and what is kept. */
export function peopleOf({
  review,
  judges,
  retrain,
  ownership,
  privacy,
  retention,
}: Model): Said[] {
  const { budgetPerDay, reviewers } = review
  return [
    [
      'review.budget_per_day',
      budgetPerDay,
      budgetPerDay === 0
        ? 'Nothing is drawn for people to review.'
        : `${count(budgetPerDay, 'prediction is', 'predictions are')} drawn a day for review, each by ${count(reviewers, 'reviewer')}.`,
    ],
    [
      'review.assign',
      review.assign ?? null,
      review.assign === undefined
        ? 'Whoever may review it gets its tasks.'
        : `Its tasks are for ${namesOf(review.assign)} alone.`,
    ],
    [
      'review.adjudicate',
      review.adjudicate ?? null,
      review.adjudicate === undefined
        ? 'Where reviewers disagree, more are asked.'
        : `Where reviewers disagree, ${namesOf(review.adjudicate)} may decide.`,
    ],
    [
      'review.gold.share',
      review.goldShare,
      review.goldShare === 0
        ? 'Reviewers are not measured by tasks whose answer is known.'
        : `Where answers are known, ${percent(review.goldShare)} of a reviewer’s tasks are such.`,
    ],
    [
      'judges',
      judges.map(({ name, version, sample }) => ({ name, version, sample })),
      judges.length === 0
        ? 'No language model is asked about its predictions.'
        : `${count(judges.length, 'language model or command is', 'language models or commands are')} asked about part of its predictions: ${list(judges.map(({ name }) => name))}.`,
    ],
    [
      'retrain',
      retrain.map(({ name, when, approval }) => ({ name, when, approval })),
      retrain.length === 0
        ? 'No policy asks for a retraining.'
        : `${count(retrain.length, 'policy asks', 'policies ask')} for a retraining: ${list(retrain.map(({ name }) => name))}.`,
    ],
    [
      'owner',
      ownership.labels,
      Object.keys(ownership.labels).length === 0
        ? 'Its alerts do not say whose it is.'
        : 'Its alerts have these labels, to be routed by.',
    ],
    [
      'privacy',
      privacy ? { drop: privacy.drop, hash: privacy.hash, mask: privacy.mask } : null,
      privacy === undefined
        ? 'Its events are kept as they come.'
        : 'Before an event is kept these fields are dropped or hashed, and these texts masked.',
    ],
    [
      'retention',
      retention ?? null,
      retention === undefined
        ? 'Its rows are kept as long as the settings of the service say.'
        : 'Its rows are kept this long; counts and metrics stay.',
    ],
  ]
}
