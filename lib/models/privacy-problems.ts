/** What is wrong with the privacy rules of a model file, as JSON Schema cannot say it. Pure. */
import { AttributesV1 } from '../../schemas/events/attributes.v1.ts'
import { LabelV1 } from '../../schemas/events/label.v1.ts'
import { PredictionV1 } from '../../schemas/events/prediction.v1.ts'
import { factsOf, type FieldKind } from '../../schemas/fields.ts'
import type { ModelFile } from '../../schemas/model.ts'

const SCHEMAS = [PredictionV1, LabelV1, AttributesV1]
const REQUIRED = new Set<string>(SCHEMAS.flatMap((schema) => schema.required))
/** Models and versions are told apart by them. */
const NEVER_HASHED = new Set(['model_id', 'model_version'])
/** Kinds whose fields may hold a hash in place of their value. */
const HASHABLE: ReadonlySet<FieldKind> = new Set(['id', 'text', 'scalar', 'label', 'producer'])

/** The kind of an event's own field; undefined for the name of a feature or an attribute. */
function kindOf(name: string): FieldKind | undefined {
  for (const { properties } of SCHEMAS)
    if (Object.hasOwn(properties, name))
      return factsOf(properties[name as keyof typeof properties]).kind
  return undefined
}

/** Every problem of the section `privacy`, as sentences that name field and rule. */
export function privacyProblems({ privacy, slices, fairness, features }: ModelFile): string[] {
  if (!privacy) return []
  const { drop, hash, mask, names } = privacy
  const problems = [
    ...drop
      .filter((name) => REQUIRED.has(name))
      .map((name) => `privacy.drop: ${name} is required of an event; hash it instead`),
    ...hash
      .filter((name) => NEVER_HASHED.has(name))
      .map((name) => `privacy.hash: ${name} tells models apart, and is not hashed`),
    ...hash
      .filter((name) => {
        const kind = kindOf(name)
        return kind !== undefined && !HASHABLE.has(kind)
      })
      .map((name) => `privacy.hash: ${name} cannot hold a hash; drop it, or name its entries`),
    ...drop
      .filter((name) => hash.includes(name))
      .map((name) => `privacy: ${name} is named by drop and by hash; it can be one of them`),
  ]
  if (mask.includes('names') && names.length === 0)
    problems.push('privacy.mask: names needs a list of them in privacy.names')
  if (names.length > 0 && !mask.includes('names'))
    problems.push('privacy.names is set, and privacy.mask does not have names')
  const used = [
    ...(slices ?? []).map((name) => ['slices', name] as const),
    ...Object.keys(fairness?.attributes ?? {}).map((name) => ['fairness', name] as const),
    ...Object.keys(features ?? {}).map((name) => ['features', name] as const),
  ]
  for (const [section, name] of used)
    if (drop.includes(name))
      problems.push(`privacy.drop: ${name} is used by ${section}; take it out of one of them`)
  return problems
}
