/** How far reviewers agree, from their answers to the same tasks. */
import { cohensKappa, type Agreement } from '../../../lib/stats/agreement/cohen.ts'
import { fleissKappa } from '../../../lib/stats/agreement/fleiss.ts'
import { krippendorffsAlpha, type ValueKind } from '../../../lib/stats/agreement/krippendorff.ts'
import { normalInterval } from '../../../lib/stats/intervals/normal-interval.ts'
import type { AgreementAnswer } from '../../../schemas/http/labels/answers.ts'

/** One answer to a task. */
export interface TaskAnswer {
  task_id: string
  reviewer: string
  label: string
}

/** A coefficient of agreement, or why there is none. */
export type Coefficient = AgreementAnswer['alpha']
type Found = Omit<AgreementAnswer, 'model_id' | 'days' | 'gold' | 'judges'>

const CONFIDENCE = 0.95
/** Classes and reviewers that are told of by themselves, those with the most answers. */
const MOST = 20
/** A coefficient compares each answer that occurs with each. */
const MAX_VALUES = 200
const NO_PAIRS = 'no task has answers of two reviewers'
const ONE_VALUE = 'all answers are the same: chance explains that they agree'

/**
 * Krippendorff's alpha over all answers, and by class; Fleiss' kappa where all tasks have as many
 * answers; of each reviewer Cohen's kappa with what most others said of the same tasks.
 *
 * @param isNumber answers are numbers, told apart by how far they lie from one another
 */
export function reviewerAgreement(answers: readonly TaskAnswer[], isNumber: boolean): Found {
  const tasks = [...Map.groupBy(answers, (answer) => answer.task_id).values()].filter(
    (task) => task.length > 1,
  )
  const given = tasks.flat()
  const labels = [...countsBy(given, ({ label }) => label).keys()]
  const values = isNumber ? labels.toSorted((a, b) => Number(a) - Number(b)) : labels.toSorted()
  const counts = values.length > MAX_VALUES ? [] : tasks.map((task) => countsOf(task, values))
  const kind: ValueKind = isNumber ? 'interval' : 'nominal'
  const numbers = values.map((value, i) => (isNumber ? Number(value) : i))
  const alpha = krippendorffsAlpha(counts, numbers, kind)
  return {
    tasks: tasks.length,
    answers: given.length,
    alpha: coefficient(alpha, reasonOf(tasks.length, values.length)),
    fleiss_kappa: isNumber ? null : fleissOf(counts),
    classes: isNumber ? [] : labels.slice(0, MOST).map((name) => ofClass(name, tasks)),
    reviewers: isNumber
      ? []
      : [...countsBy(given, ({ reviewer }) => reviewer).keys()]
          .slice(0, MOST)
          .map((reviewer) => ofReviewer(reviewer, tasks)),
  }
}

/** How often each key occurs, the most frequent first. */
function countsBy(answers: readonly TaskAnswer[], keyOf: (answer: TaskAnswer) => string) {
  const counts = new Map<string, number>()
  for (const answer of answers) counts.set(keyOf(answer), (counts.get(keyOf(answer)) ?? 0) + 1)
  return new Map([...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)))
}

function countsOf(task: readonly TaskAnswer[], values: readonly string[]): number[] {
  const counts = values.map(() => 0)
  for (const { label } of task) counts[values.indexOf(label)]!++
  return counts
}

const reasonOf = (tasks: number, values: number) =>
  tasks === 0
    ? NO_PAIRS
    : values > MAX_VALUES
      ? `more than ${MAX_VALUES} different answers`
      : ONE_VALUE

/** A coefficient with its 95 % interval, or why there is none. */
export function coefficient(found: Agreement | null, reason: string): Coefficient {
  if (!found) return { value: null, ci_low: null, ci_high: null, reason }
  const { low, high } = normalInterval(found.value, found.standardError, CONFIDENCE)
  return { value: found.value, ci_low: low, ci_high: Math.min(1, high), reason: '' }
}

function fleissOf(counts: readonly (readonly number[])[]): number | null {
  const sums = new Set(counts.map((item) => item.reduce((a, b) => a + b, 0)))
  return sums.size === 1 ? fleissKappa(counts) : null
}

/** Agreement on one class against all others. */
function ofClass(name: string, tasks: readonly (readonly TaskAnswer[])[]) {
  const counts = tasks.map((task) => {
    const own = task.filter(({ label }) => label === name).length
    return [task.length - own, own]
  })
  const alpha = krippendorffsAlpha(counts, [0, 1], 'nominal')
  const answers = counts.reduce((sum, [, own]) => sum + own!, 0)
  return { class: name, answers, alpha: coefficient(alpha, ONE_VALUE) }
}

/**
 * Cohen's kappa of a reviewer with what most others say of the same tasks; a task counts where most
 * of the others say one thing.
 */
export function ofReviewer(reviewer: string, tasks: readonly (readonly TaskAnswer[])[]) {
  const pairs: [string, string][] = []
  for (const task of tasks) {
    const own = task.find((answer) => answer.reviewer === reviewer)
    if (!own) continue
    const others = countsBy(
      task.filter((answer) => answer !== own),
      ({ label }) => label,
    )
    const [first, second] = [...others]
    if (first && first[1] !== second?.[1]) pairs.push([own.label, first[0]])
  }
  const values = [...new Set(pairs.flat())].slice(0, MAX_VALUES)
  const table = values.map(() => values.map(() => 0))
  for (const [own, others] of pairs) {
    const row = table[values.indexOf(own)]
    const column = values.indexOf(others)
    if (row && column >= 0) row[column]!++
  }
  const reason = pairs.length === 0 ? NO_PAIRS : ONE_VALUE
  return { reviewer, tasks: pairs.length, kappa: coefficient(cohensKappa(table), reason) }
}
