/** What reviewers answer, and what their answers amount to. */

/** A reviewer's answer: a class, a number or a truth value. */
export type ReviewLabel = string | number | boolean

/** Why a reviewer gives no answer: they cannot tell, or nobody can of such an example. */
export type SkipReason = 'cannot_tell' | 'bad_example'

/** What the answers of a task amount to. */
export type Resolution =
  /** `votes`: answers that say so; null of numbers, which hardly ever agree. */
  | { kind: 'resolved'; label: ReviewLabel; votes: number | null }
  /** As many say one thing as another: somebody else is asked. */
  | { kind: 'tied' }

/**
 * The label that more answers give than any other; of a regression the middle answer, of two in the
 * middle their mean. Labels are told apart by their text: 1 and "1" are one.
 *
 * @param labels at least one
 */
export function resolveAnswers(labels: readonly ReviewLabel[], isNumber: boolean): Resolution {
  return isNumber
    ? { kind: 'resolved', label: median(labels.map(Number)), votes: null }
    : vote(labels)
}

function vote(labels: readonly ReviewLabel[]): Resolution {
  const votes = new Map<string, { label: ReviewLabel; votes: number }>()
  for (const label of labels) {
    const entry = votes.get(String(label)) ?? { label, votes: 0 }
    entry.votes++
    votes.set(String(label), entry)
  }
  const [first, second] = [...votes.values()].toSorted((a, b) => b.votes - a.votes)
  return second?.votes === first!.votes ? { kind: 'tied' } : { kind: 'resolved', ...first! }
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]!
  const high = sorted[Math.ceil((sorted.length - 1) / 2)]!
  return low + (high - low) / 2
}

/**
 * Whether nobody else is asked about a task: two more could not tell than answers are wanted, or as
 * many call it a bad example.
 */
export const isImpossible = ({
  skips,
  badExamples,
  reviewers,
}: {
  skips: number
  badExamples: number
  reviewers: number
}): boolean => skips >= reviewers + 2 || badExamples >= reviewers

/** What a task comes to by an answer, or by a skip for either reason. */
export interface NextStates {
  answer: string
  cannot_tell: string
  bad_example: string
}

/** The states that one more answer or skip brings a task of the queue to. */
export const nextStates = ({
  answers,
  skips,
  badExamples,
  reviewers,
}: {
  answers: number
  skips: number
  badExamples: number
  reviewers: number
}): NextStates => {
  const skipped = (more: number) =>
    isImpossible({ skips: skips + 1, badExamples: badExamples + more, reviewers })
      ? 'impossible'
      : 'open'
  return {
    answer: answers + 1 >= reviewers ? 'done' : 'open',
    cannot_tell: skipped(0),
    bad_example: skipped(1),
  }
}
