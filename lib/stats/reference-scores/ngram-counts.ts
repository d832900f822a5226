/** How many runs of tokens two texts share. Pure. */

/** Runs of one length in two texts. */
export interface SharedRuns {
  /** Runs that the answer has. */
  answer: number
  /** Runs that the reference has. */
  reference: number
  /** Runs of the answer that the reference has, each as often as the reference has it at most. */
  matched: number
}

/** What stands for a token that the other text does not have. */
const UNKNOWN = -1

/**
 * The runs that two texts share, by their length from 1 to `longest`. Time grows with the number of
 * tokens times `longest`.
 *
 * Runs are numbered by the number of the run that is one shorter and the token that follows, so that
 * no text of a run is put together.
 *
 * @example sharedRuns(['a', 'b', 'a'], ['a', 'a', 'b'], 2) // => [{ answer: 3, reference: 3, matched: 3 }, { answer: 2, reference: 2, matched: 1 }]
 */
export function sharedRuns(
  answer: readonly string[],
  reference: readonly string[],
  longest: number,
): SharedRuns[] {
  const numbers = new Map<string, number>()
  for (const token of reference) if (!numbers.has(token)) numbers.set(token, numbers.size)
  const tokens = {
    reference: reference.map((token) => numbers.get(token)!),
    answer: answer.map((token) => numbers.get(token) ?? UNKNOWN),
  }
  const runs = { reference: tokens.reference, answer: tokens.answer }
  return Array.from({ length: longest }, (_, i) => {
    if (i > 0) {
      const longer = new Map<number, number>()
      runs.reference = extended(runs.reference, tokens.reference, i, (key) => {
        const known = longer.get(key)
        if (known !== undefined) return known
        longer.set(key, longer.size)
        return longer.size - 1
      })
      runs.answer = extended(runs.answer, tokens.answer, i, (key) => longer.get(key) ?? UNKNOWN)
    }
    return {
      answer: runs.answer.length,
      reference: runs.reference.length,
      matched: matchesOf(runs.answer, runs.reference),
    }
  })
}

/** More than any text has tokens: a run and a token make one number. */
const PLACES = 2 ** 26

function extended(
  runs: readonly number[],
  tokens: readonly number[],
  length: number,
  numberOf: (key: number) => number,
): number[] {
  return runs.slice(0, Math.max(0, tokens.length - length)).map((run, at) => {
    const next = tokens[at + length]!
    return run === UNKNOWN || next === UNKNOWN ? UNKNOWN : numberOf(run * PLACES + next)
  })
}

function matchesOf(answer: readonly number[], reference: readonly number[]): number {
  const left = new Int32Array(reference.length)
  for (const run of reference) left[run]!++
  let matched = 0
  for (const run of answer) {
    const unmatched = left[run] ?? 0
    if (unmatched === 0) continue
    left[run] = unmatched - 1
    matched++
  }
  return matched
}
