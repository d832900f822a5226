/** The slices that a model file declares: by one name, by two names together, by a predicate. Pure. */
import type { ModelCohorts } from '../../schemas/model-cohorts.ts'
import { parsePredicate, type Predicate } from './predicates.ts'

/** What the value of a prediction in a slice is made of. */
export type SliceBy =
  /** Two attributes or features: the value is `a=x&b=y`, and none where one of them is missing. */
  | { kind: 'pair'; names: readonly [string, string] }
  /** The value is `true` where the predicate holds, else there is none. */
  | { kind: 'where'; text: string; predicate: Predicate }

/** A slice; without `by` its values are those of the attribute, else of the feature, named `key`. */
export interface SliceDefinition {
  key: string
  by?: SliceBy
}

/** The value of a slice's cohorts that are not evaluated one by one. */
export const OTHER = '(other)'

/** How a pair is named as a slice. */
const pairKey = ([a, b]: readonly string[]): string => `${a}&${b}`

/** The keys of all slices of a model file. */
export const sliceKeys = (file: {
  slices?: readonly string[]
  cohorts?: Partial<Pick<ModelCohorts, 'pairs' | 'where'>>
}): string[] => [
  ...(file.slices ?? []),
  ...(file.cohorts?.pairs ?? []).map(pairKey),
  ...Object.keys(file.cohorts?.where ?? {}),
]

/**
 * The slices of a model file in its order: names, pairs, predicates.
 *
 * @throws {SyntaxError} where a predicate is none: {@link sliceProblems} says so before
 */
export function slicesOf(
  names: readonly string[],
  cohorts: Partial<Pick<ModelCohorts, 'pairs' | 'where'>> = {},
): SliceDefinition[] {
  return [
    ...[...new Set(names)].map((key) => ({ key })),
    ...(cohorts.pairs ?? []).map((names) => ({
      key: pairKey(names),
      by: { kind: 'pair' as const, names: [names[0]!, names[1]!] as const },
    })),
    ...Object.entries(cohorts.where ?? {}).map(([key, text]) => ({
      key,
      by: { kind: 'where' as const, text, predicate: parsePredicate(text) },
    })),
  ]
}

/** What is wrong with the cohorts of a model file, one sentence each. */
export function sliceProblems(file: {
  slices?: readonly string[]
  cohorts?: Partial<Pick<ModelCohorts, 'pairs' | 'where'>>
}): string[] {
  const problems: string[] = []
  for (const [name, text] of Object.entries(file.cohorts?.where ?? {})) {
    try {
      parsePredicate(text)
    } catch (error) {
      problems.push(`cohorts.where.${name}: ${(error as Error).message}`)
    }
  }
  for (const [a, b] of file.cohorts?.pairs ?? [])
    if (a === b) problems.push(`cohorts.pairs: ${a} is paired with itself`)
  const keys = sliceKeys({ ...file, slices: [...new Set(file.slices)] })
  for (const key of new Set(keys.filter((one, i) => keys.indexOf(one) !== i)))
    problems.push(`cohorts: ${key} is declared twice among slices, pairs and where`)
  return problems
}
