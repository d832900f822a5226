/** Labels that are called like a score of their model: which of both a number is must be plain. Pure. */
import { metricResult, type MetricResult } from '../../data/metric-results.ts'
import type { NamedLabels, NamedLabelsOfCohort } from '../../data/named-labels.ts'

/** Labels of a cohort whose name is that of a score which the model asks for. */
export const calledLikeScores = (
  named: NamedLabelsOfCohort | undefined,
  subjects: ReadonlySet<string>,
): NamedLabels[] => named?.read.filter(({ name }) => subjects.has(name)) ?? []

/** What is said of them, in one sentence. */
export const leftOutReason = ({ name, labels }: NamedLabels): string =>
  `${labels} ${labels === 1 ? 'label' : 'labels'} named ${name} ${labels === 1 ? 'is' : 'are'} left out: the model file asks for a score of this name; send them under another`

/** How many they are, as `labels_left_out` of their name, without a verdict. */
export const leftOutResults = (
  labels: readonly NamedLabels[],
  predictions: number,
): MetricResult[] =>
  labels.map((own) =>
    metricResult('feedback', own.name, 'labels_left_out', own.labels, {
      n_current: predictions,
      n_labelled: own.labels,
      reason: leftOutReason(own),
    }),
  )
