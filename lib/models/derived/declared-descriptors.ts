/** The section `descriptors` of a model file, read and checked. Pure. */
import {
  DEFAULT_DESCRIPTORS,
  DESCRIPTOR_NAMES,
  type ModelDescriptors,
  type TextPattern,
} from '../../../schemas/language-models/descriptors.ts'
import { BUILT_IN, type Descriptor } from '../../events/texts/descriptors.ts'
import { didYouMean } from '../../runtime/nearest-name.ts'
import { messageOf } from '../../runtime/errors.ts'
import { parsePattern } from '../expectations/pattern.ts'
import { namesAsked, type ExpectationRule } from '../expectations/rules.ts'

/** What a model file says of descriptors. */
interface Declared {
  descriptors?: ModelDescriptors | undefined
  task?: string | undefined
}

/**
 * The descriptors of a model: those declared, else those that language models have.
 *
 * @returns problems as sentences that name the rule
 */
export function readDescriptors({ descriptors, task }: Declared): {
  descriptors: readonly Descriptor[]
  problems: readonly string[]
} {
  const declared = descriptors ?? (task === 'llm' ? DEFAULT_DESCRIPTORS : [])
  const found = new Map<string, Descriptor>()
  const problems: string[] = []
  for (const one of declared) {
    const read = typeof one === 'string' ? builtIn(one) : patternOf(one)
    if (typeof read === 'string') problems.push(`descriptors: ${read}`)
    else if (found.has(read.name)) problems.push(`descriptors: ${read.name} is named twice`)
    else found.set(read.name, read)
  }
  return { descriptors: [...found.values()], problems }
}

/** Every problem of the section `descriptors`, and of rules that name what it measures. */
export function descriptorProblems(
  file: Declared,
  expectations: readonly ExpectationRule[],
): string[] {
  const { descriptors, problems } = readDescriptors(file)
  const names = new Set(descriptors.map(({ name }) => name))
  const early = expectations
    .filter(({ rejects }) => rejects)
    .flatMap(({ name, asks }) =>
      namesAsked(asks)
        .filter((asked) => names.has(asked))
        .map(
          (asked) =>
            `expectations: ${name} cannot reject by ${asked}, which is measured once an event is accepted`,
        ),
    )
  return [...problems, ...early]
}

function builtIn(name: string): Descriptor | string {
  return BUILT_IN.get(name) ?? `${name} is no measure${didYouMean(name, DESCRIPTOR_NAMES)}`
}

function patternOf({ name, of, pattern }: TextPattern): Descriptor | string {
  const full = `${of}.${name}`
  if (BUILT_IN.has(full)) return `${full} is a measure already; give the pattern another name`
  try {
    const { isIn } = parsePattern(pattern)
    return { name: full, needs: [of], measure: (text) => isIn(text) }
  } catch (error) {
    return `${full}: ${messageOf(error)}`
  }
}
