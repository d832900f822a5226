/** What is made of another tool's expectations: rules, and what has none. */
import { readExpectations } from '../../lib/models/expectations/rules.ts'
import type { ModelExpectation } from '../../schemas/model-expectations.ts'

/** Rules of a model file, and a sentence for everything that could not be translated. */
export interface Translated {
  rules: ModelExpectation[]
  untranslated: string[]
}

/** An object of another tool's file, of which nothing is known yet. */
export type Unknown = Readonly<Record<string, unknown>>

/** The value as an object; one without members where it is none. */
export const objectOf = (value: unknown): Unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Unknown) : {}

/** The elements of an array; none where it is none. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** A number, or undefined. */
export const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined

/** A text, or undefined. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

/** Values that `one_of` takes; undefined where one of them is none, or there are none. */
export function valuesOf(value: unknown): ModelExpectation['one_of'] | undefined {
  const values = listOf(value)
  const known = values.filter((one): one is string | number | boolean =>
    ['string', 'number', 'boolean'].includes(typeof one),
  )
  return known.length > 0 && known.length === values.length ? known : undefined
}

/** The members that are there. */
export const present = (rule: ModelExpectation): ModelExpectation =>
  Object.fromEntries(
    Object.entries(rule).filter(([, value]) => value !== undefined),
  ) as ModelExpectation

/** A tolerance of another tool's share of values that must be right; absent for all of them. */
export const toleranceOf = (mostly: unknown): { tolerance?: number } => {
  const share = numberOf(mostly)
  return share === undefined || share >= 1 ? {} : { tolerance: Number((1 - share).toFixed(12)) }
}

/**
 * The rules with a name of its own each, without those that a model file would not take: these are
 * told.
 */
export function accepted({ rules, untranslated }: Translated): Translated {
  const names = new Set<string>()
  const kept: ModelExpectation[] = []
  const told = [...untranslated]
  for (const rule of rules) {
    const named = { ...rule, ...ownName(rule, names) }
    const { problems } = readExpectations([named], [])
    if (problems.length > 0) {
      for (const problem of problems) told.push(problem.replace(/^expectations\./, ''))
      continue
    }
    names.add(nameOf(named))
    kept.push(named)
  }
  return { rules: kept, untranslated: told }
}

const nameOf = ({ name, feature, expression, monotone }: ModelExpectation) =>
  name ?? expression ?? (monotone ? `${feature} ${monotone}` : feature!)

function ownName(rule: ModelExpectation, taken: ReadonlySet<string>): { name?: string } {
  const wanted = nameOf(rule)
  if (!taken.has(wanted)) return {}
  const what = Object.keys(rule).filter(
    (key) => !['name', 'feature', 'tolerance', 'severity'].includes(key),
  )
  const better = `${wanted}: ${what.join(', ').replaceAll('_', ' ')}`
  if (!taken.has(better)) return { name: better }
  for (let i = 2; ; i++) if (!taken.has(`${better} ${i}`)) return { name: `${better} ${i}` }
}
