/** `constraints.json` of SageMaker Model Monitor, as its container suggests it of a baseline. */
import type { ModelExpectation } from '../../schemas/model-expectations.ts'
import {
  listOf,
  numberOf,
  objectOf,
  present,
  textOf,
  toleranceOf,
  valuesOf,
  type Translated,
  type Unknown,
} from './translated.ts'

const TYPES: Readonly<Record<string, ModelExpectation['type']>> = {
  Integral: 'integer',
  Fractional: 'number',
  String: 'text',
}

/** Types, completeness, signs and domains; what SageMaker compares distributions by is told. */
export function fromSagemaker(document: unknown): Translated {
  const { features, monitoring_config: config } = objectOf(document)
  const monitoring = objectOf(config)
  const untranslated: string[] = []
  if (Object.keys(objectOf(monitoring['distribution_constraints'])).length > 0)
    untranslated.push(
      'monitoring_config.distribution_constraints: drift is evaluated by the baseline and the alarm budget',
    )
  const rules = listOf(features).flatMap((one) => rulesOf(objectOf(one), monitoring, untranslated))
  return { rules, untranslated }
}

function rulesOf(one: Unknown, monitoring: Unknown, untranslated: string[]): ModelExpectation[] {
  const feature = textOf(one['name'])
  if (feature === undefined) {
    untranslated.push('a feature without a name')
    return []
  }
  const type = TYPES[textOf(one['inferred_type']) ?? '']
  if (type === undefined)
    untranslated.push(`${feature}: inferred_type ${String(one['inferred_type'])}`)
  const completeness = numberOf(one['completeness'])
  const domains = valuesOf(listOf(objectOf(one['string_constraints'])['domains']))
  const isNonNegative = objectOf(one['num_constraints'])['is_non_negative'] === true
  return [
    ...(type ? [{ feature, type, ...toleranceOf(monitoring['datatype_check_threshold']) }] : []),
    ...(completeness === undefined || completeness === 0
      ? []
      : [{ feature, required: true, ...toleranceOf(completeness) }]),
    ...(isNonNegative ? [{ feature, min: 0 }] : []),
    ...(domains
      ? [{ feature, one_of: domains, ...toleranceOf(monitoring['domain_content_threshold']) }]
      : []),
  ].map(present)
}
