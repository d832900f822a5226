/** What reviewers answer, and what their answers amount to. */

/** A reviewer's answer: a class, a number or a truth value. */
export type ReviewLabel = string | number | boolean

/**
 * The label most answers give; of equals, the one given first. Labels are told apart by their text:
 * 1 and "1" are one.
 *
 * @param labels at least one
 */
export function majority(labels: readonly ReviewLabel[]): { label: ReviewLabel; votes: number } {
  const votes = new Map<string, { label: ReviewLabel; votes: number }>()
  for (const label of labels) {
    const entry = votes.get(String(label)) ?? { label, votes: 0 }
    entry.votes++
    votes.set(String(label), entry)
  }
  return [...votes.values()].reduce((a, b) => (b.votes > a.votes ? b : a))
}
