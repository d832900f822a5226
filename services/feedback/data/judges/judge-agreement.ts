/** How far judges agree with people, from labels of both about the same predictions. */
import { krippendorffsAlpha } from '../../../../lib/stats/agreement/krippendorff.ts'
import type { ModelJudge } from '../../../../schemas/language-models/judges.ts'
import {
  coefficient,
  ofReviewer,
  type Coefficient,
  type TaskAnswer,
} from '../reviewer-agreement.ts'
import { resolveAnswers } from '../review-label.ts'

/** A label of a judge, or of a person, about a prediction that both have labelled. */
export interface SharedLabel {
  name: string
  prediction_id: string
  source: 'judge' | 'human_review'
  labeler: string
  label: string
}

/** How far one judge agrees with people under one name of labels. */
export interface JudgeAgreement {
  /** Its labeler: `name@version` of judges that run here. */
  judge: string
  /** Name of the labels. */
  label: string
  /** Predictions that it and people have labelled. */
  items: number
  statistic: 'kappa' | 'alpha'
  agreement: Coefficient
}

/** Judges that are told of, those with the most shared predictions. */
const MOST = 20
/** Numbers that an agreement compares each with each. */
const MAX_NUMBERS = 200
const NONE = 'no prediction has a label of the judge and of people'
const ONE_VALUE = 'all labels are the same: chance explains that they agree'

/**
 * The agreement of each judge with what most people say: Cohen's kappa of classes, Krippendorff's
 * alpha of numbers with the middle of people's.
 *
 * @param isNumber whether the labels of a labeler are numbers; undefined: told from the labels
 */
export function judgeAgreements(
  labels: readonly SharedLabel[],
  isNumber: (labeler: string) => boolean | undefined = () => undefined,
): JudgeAgreement[] {
  return [...Map.groupBy(labels, ({ name }) => name)]
    .flatMap(([name, own]) => {
      const people = own.filter(({ source }) => source === 'human_review')
      const judges = Map.groupBy(
        own.filter(({ source }) => source === 'judge'),
        ({ labeler }) => labeler,
      )
      return [...judges].map(([judge, said]) => {
        const asNumbers = isNumber(judge) ?? areNumbers([...said, ...people])
        return { label: name, ...agreementOf(judge, said, people, asNumbers) }
      })
    })
    .toSorted((a, b) => b.items - a.items || (a.judge < b.judge ? -1 : 1))
    .slice(0, MOST)
}

/**
 * Why a judge is to be muted, as a sentence; undefined where it is not: its agreement is surely
 * below the floor once the upper end of the interval is.
 */
export function muteReason(
  found: Pick<JudgeAgreement, 'items' | 'agreement' | 'statistic'>,
  floor: NonNullable<ModelJudge['mute_below']>,
): string | undefined {
  const { value, ci_high: high } = found.agreement
  if (found.items < floor.items || value === null || high === null) return undefined
  return high < floor.agreement
    ? `its agreement with people (${found.statistic}) is ${shown(value)}, at most ${shown(high)}, over ${found.items} predictions: below ${floor.agreement}`
    : undefined
}

const shown = (value: number) => String(Number(value.toFixed(3)))

/** Numbers other than 0 and 1 are no classes. */
function areNumbers(labels: readonly SharedLabel[]): boolean {
  const numbers = labels.map(({ label }) => (label.trim() === '' ? NaN : Number(label)))
  return numbers.every(Number.isFinite) && numbers.some((one) => one !== 0 && one !== 1)
}

function agreementOf(
  judge: string,
  said: readonly SharedLabel[],
  people: readonly SharedLabel[],
  isNumber: boolean,
): Omit<JudgeAgreement, 'label'> {
  const byPrediction = Map.groupBy(people, (one) => one.prediction_id)
  const shared = said.filter((one) => byPrediction.has(one.prediction_id))
  if (isNumber) return ofNumbers(judge, shared, byPrediction)
  const answers: TaskAnswer[] = shared.map((one) => asAnswer(one, ''))
  for (const { prediction_id } of shared)
    for (const [i, one] of byPrediction.get(prediction_id)!.entries())
      answers.push(asAnswer(one, `person ${i} ${one.labeler}`))
  const tasks = [...Map.groupBy(answers, (answer) => answer.task_id).values()]
  const { tasks: items, kappa } = ofReviewer('', tasks)
  const agreement = kappa.value === null && items === 0 ? { ...kappa, reason: NONE } : kappa
  return { judge, items, statistic: 'kappa', agreement }
}

const asAnswer = ({ prediction_id, label }: SharedLabel, reviewer: string): TaskAnswer => ({
  task_id: prediction_id,
  reviewer,
  label,
})

function ofNumbers(
  judge: string,
  shared: readonly SharedLabel[],
  people: ReadonlyMap<string, readonly SharedLabel[]>,
): Omit<JudgeAgreement, 'label'> {
  const pairs = shared.map((one) => {
    const labels = people.get(one.prediction_id)!.map(({ label }) => label)
    const middle = resolveAnswers(labels, true)
    return [Number(one.label), middle.kind === 'resolved' ? Number(middle.label) : NaN] as const
  })
  const known = pairs.filter((pair) => pair.every(Number.isFinite))
  const values = [...new Set(known.flat())].toSorted((a, b) => a - b)
  const isMany = values.length > MAX_NUMBERS
  const counts = isMany ? [] : known.map((pair) => values.map((value) => timesIn(pair, value)))
  const reason = isMany
    ? `more than ${MAX_NUMBERS} different numbers`
    : known.length === 0
      ? NONE
      : ONE_VALUE
  return {
    judge,
    items: known.length,
    statistic: 'alpha',
    agreement: coefficient(krippendorffsAlpha(counts, values, 'interval'), reason),
  }
}

const timesIn = (pair: readonly number[], value: number) =>
  pair.filter((one) => one === value).length
