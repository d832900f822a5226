/** How reviewers answer tasks whose right answer is known, and what that says of their answers. */
import { normalInterval } from '../../../../lib/stats/intervals/normal-interval.ts'
import { truePrevalence, type Trials } from '../../../../lib/stats/intervals/prevalence.ts'
import { wilson } from '../../../../lib/stats/intervals/proportions.ts'
import type { GoldMeasures } from '../../../../schemas/http/reviews/gold.ts'
import type { TaskAnswer } from '../reviewer-agreement.ts'
import type { ReviewLabel } from '../review-label.ts'

/** An answer to a gold task, or a skip, with what was known. */
export interface GoldGiven {
  reviewer: string
  label: ReviewLabel | null
  skipped: boolean
  known: ReviewLabel
  /** How far a number may lie beside the known one. */
  tolerance: number
}

/** An answer to a task of the queue, and how likely the task was drawn. */
export interface DrawnAnswer extends TaskAnswer {
  /** In (0, 1]. */
  inclusion_probability: number
}

/** What the measures are made of. */
interface Measured {
  inUse: number
  given: readonly GoldGiven[]
  /** Answers of the queue in the same days. */
  drawn: readonly DrawnAnswer[]
  /** Both classes, the positive one first; undefined of a model that has not two. */
  classes: readonly [positive: string, negative: string] | undefined
}

type Rate = GoldMeasures['accuracy']

const CONFIDENCE = 0.95
/** Reviewers that are told of by themselves, those with the most answers. */
const MOST = 20
/** Answers to known positives, and to known negatives, below which no rate is corrected. */
const MIN_KNOWN = 10
const NO_ANSWERS = 'no task with a known answer was answered'
const NO_TASKS = 'no task was answered'
const NOT_TWO = 'the model has not two classes'

/** Whether an answer is right: within the tolerance of a known number, else the same text. */
export const isRight = (
  label: ReviewLabel,
  { known, tolerance }: Pick<GoldGiven, 'known' | 'tolerance'>,
): boolean =>
  typeof known === 'number'
    ? Math.abs(Number(label) - known) <= tolerance
    : String(label) === String(known)

/** Accuracy of all and of each reviewer on gold, and the positive rate that it corrects. */
export function goldMeasures({ inUse, given, drawn, classes }: Measured): GoldMeasures {
  const answered = given.filter(({ skipped }) => !skipped)
  const people = [...Map.groupBy(given, ({ reviewer }) => reviewer)].map(([reviewer, own]) => {
    const answers = own.filter(({ skipped }) => !skipped)
    return {
      reviewer,
      answers: answers.length,
      skips: own.length - answers.length,
      accuracy: accuracyOf(answers),
    }
  })
  return {
    in_use: inUse,
    answers: answered.length,
    accuracy: accuracyOf(answered),
    reviewers: people
      .toSorted((a, b) => b.answers - a.answers || (a.reviewer < b.reviewer ? -1 : 1))
      .slice(0, MOST),
    positive_rate: classes
      ? positiveRate(answered, drawn, classes)
      : { tasks: 0, ...each(none(NOT_TWO)) },
  }
}

const each = (rate: Rate) => ({
  sensitivity: rate,
  specificity: rate,
  observed: rate,
  corrected: rate,
})

const accuracyOf = (answers: readonly GoldGiven[]): Rate =>
  proportion(
    { successes: answers.filter((one) => isRight(one.label!, one)).length, n: answers.length },
    NO_ANSWERS,
  )

const none = (reason: string): Rate => ({ value: null, ci_low: null, ci_high: null, reason })

function proportion({ successes, n }: Trials, reason: string): Rate {
  if (n === 0) return none(reason)
  const { low, high } = wilson(successes, n, CONFIDENCE)
  return { value: successes / n, ci_low: low, ci_high: high, reason: '' }
}

/**
 * Single answers are what gold measures, so the observed rate is one of answers: of each task the
 * share that call it positive, by the weight of the task. Skips say nothing.
 */
function positiveRate(
  gold: readonly GoldGiven[],
  drawn: readonly DrawnAnswer[],
  [positive, negative]: readonly [string, string],
): GoldMeasures['positive_rate'] {
  const right = (name: string): Trials => {
    const of = gold.filter(({ known }) => String(known) === name)
    return { successes: of.filter((one) => isRight(one.label!, one)).length, n: of.length }
  }
  const sensitivity = right(positive)
  const specificity = right(negative)
  const sample = weighted(drawn, positive)
  return {
    tasks: sample.tasks,
    sensitivity: proportion(sensitivity, `no known ${positive} was answered`),
    specificity: proportion(specificity, `no known ${negative} was answered`),
    observed: observedOf(sample),
    corrected: correctedOf({ sample, sensitivity, specificity }, [positive, negative]),
  }
}

interface Sample extends Trials {
  tasks: number
  /** Standard error of the share. */
  error: number
}

/** Positive answers by the weight of their tasks, as so many tasks as the sample is worth. */
function weighted(drawn: readonly DrawnAnswer[], positive: string): Sample {
  const tasks = [...Map.groupBy(drawn, ({ task_id: id }) => id).values()].map((answers) => ({
    weight: 1 / answers[0]!.inclusion_probability,
    share: answers.filter(({ label }) => label === positive).length / answers.length,
  }))
  const sum = tasks.reduce((total, { weight }) => total + weight, 0)
  const squares = tasks.reduce((total, { weight }) => total + weight ** 2, 0)
  if (sum === 0) return { tasks: 0, successes: 0, n: 0, error: 0 }
  const value = tasks.reduce((total, { weight, share }) => total + weight * share, 0) / sum
  const n = sum ** 2 / squares
  const spread = tasks.reduce(
    (total, { weight, share }) => total + (weight * (share - value)) ** 2,
    0,
  )
  return { tasks: tasks.length, successes: value * n, n, error: Math.sqrt(spread) / sum }
}

function observedOf({ successes, n, error }: Sample): Rate {
  if (n === 0) return none(NO_TASKS)
  const value = successes / n
  // All answers alike have no spread; Wilson's interval has one.
  const { low, high } =
    error > 0 ? normalInterval(value, error, CONFIDENCE) : wilson(successes, n, CONFIDENCE)
  return { value, ci_low: Math.max(0, low), ci_high: Math.min(1, high), reason: '' }
}

function correctedOf(
  { sample, sensitivity, specificity }: Record<'sample' | 'sensitivity' | 'specificity', Trials>,
  [positive, negative]: readonly [string, string],
): Rate {
  if (sample.n === 0) return none(NO_TASKS)
  for (const [name, { n }] of [
    [positive, sensitivity],
    [negative, specificity],
  ] as const)
    if (n < MIN_KNOWN)
      return none(`${n} answers to tasks known to be ${name}, and ${MIN_KNOWN} are needed`)
  const found = truePrevalence({ positive: sample, sensitivity, specificity }, CONFIDENCE)
  if (!found) return none('reviewers tell the classes apart no better than chance')
  return { value: found.value, ci_low: found.low, ci_high: found.high, reason: '' }
}
