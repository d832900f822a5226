/** A policy as people write it: read with every problem, and written again with another number. Pure. */
import { isMap, isScalar, isSeq, parseDocument, stringify, type Document } from 'yaml'
import { guardProblems } from '../../../lib/models/guards/guard-problems.ts'
import { whenProblemsOf, type NamedThings } from '../../../lib/models/retrain-problems.ts'
import { schemaProblems } from '../../../lib/models/schema-problems.ts'
import { compiledSchema } from '../../../lib/runtime/compiled-schema.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import { RetrainPolicy } from '../../../schemas/model-retrain.ts'
import { ModelFile } from '../../../schemas/model.ts'

const { launch, promote, ...rest } = RetrainPolicy.properties
const { $defs } = ModelFile as unknown as { $defs: object }

/** A policy without what it launches, which a trial does not do. */
export type WrittenPolicy = Omit<RetrainPolicy, 'name' | 'launch'> & { name?: string }

const validator = compiledSchema<WrittenPolicy>(
  {
    $defs,
    type: 'object',
    properties: { ...rest, launch, promote },
    required: ['when'],
    additionalProperties: false,
  },
  { useDefaults: true },
)

/** A policy that was written, as its document and as read. */
export interface ReadPolicy {
  policy: WrittenPolicy
  /** The document; comments are in it. */
  document: Document
}

/**
 * Reads one policy in YAML: a mapping, or a list of one as `retrain` of a model file has it. What
 * launches it may be left out.
 *
 * @param model what its condition may name
 * @returns the policy with every default, or every problem as a sentence that names the field
 */
export function readPolicyText(text: string, model: NamedThings): ReadPolicy | string[] {
  let document: Document
  let policy: unknown
  try {
    document = parseDocument(text, { prettyErrors: true })
    const [wrong] = document.errors
    if (wrong) return [`policy is no YAML: ${wrong.message.split('\n')[0]!}`]
    const { contents } = document
    if (isSeq(contents) && contents.items.length === 1)
      document.contents = contents.items[0] as typeof contents
    if (!isMap(document.contents))
      return ['policy must be one policy: a mapping with when, or a list of one']
    // Aliases could make a small text into a large one.
    policy = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    return [`policy is no YAML: ${messageOf(error).split('\n')[0]!}`]
  }
  const validate = validator()
  if (!validate(policy)) return schemaProblems(validate.errors ?? [])
  const named = { ...model, retrain: [...model.retrain, policy] }
  const problems = [
    ...whenProblemsOf(policy.when, named).map((problem) => `when: ${problem}`),
    ...guardProblems(policy as RetrainPolicy),
  ]
  return problems.length > 0 ? problems : { policy, document }
}

/** Fields that hold where a job is launched. */
const LAUNCHES = ['launch', 'promote']

/** A policy with another value of a field, as it is written: comments stay, launches go. */
export function rewritten({ document }: ReadPolicy, field: string, value: string | number): string {
  const node = document.get(field, true)
  if (isScalar(node)) node.value = value
  else document.set(field, value)
  return withoutLaunches(document)
}

/** A policy as it is written, without what it launches. */
export function withoutLaunches(document: Document): string {
  for (const field of LAUNCHES) document.delete(field)
  return document.toString({ lineWidth: 0 })
}

/** A policy of a model file, with the defaults it has, without what it launches. */
export function textOf(policy: RetrainPolicy): string {
  const shown = Object.entries(policy).filter(([field]) => !LAUNCHES.includes(field))
  return stringify(Object.fromEntries(shown), { lineWidth: 0 })
}
