/** The privacy rules of all model files, as the validators of events ask for them. */
import { createRedactor, type Privacy, type Redactor } from '../events/privacy/redactor.ts'
import { describing, type Descriptor } from '../events/texts/descriptors.ts'
import type { ModelPrivacy } from '../../schemas/model-privacy.ts'
import type { Models } from './model-files.ts'

/** Models whose rules hash something: they need a key. */
export const hashingModels = ({ declared }: Pick<Models, 'declared'>): string[] =>
  declared.filter(({ privacy }) => privacy && privacy.hash.length > 0).map((model) => model.modelId)

/**
 * Rules by model. Redactors are made once for each model file, also where files change later.
 *
 * @param key of the hashes; undefined where no model hashes
 */
export function eventPrivacy(models: Models, key: Buffer | undefined): Privacy {
  const made = new WeakMap<ModelPrivacy, Redactor>()
  const redactorOf = (rules: ModelPrivacy | undefined, descriptors: readonly Descriptor[] = []) => {
    if (!rules) return undefined
    const known = made.get(rules)
    if (known) return known
    const redactor = measuringFirst(createRedactor(rules, key), descriptors)
    made.set(rules, redactor)
    return redactor
  }
  let union: { of: Models['declared']; rules: ModelPrivacy | undefined } | undefined
  return {
    of: (modelId) => {
      const { privacy, descriptors } = models.get(modelId)
      return redactorOf(privacy, descriptors)
    },
    ofAll: () => {
      if (union?.of !== models.declared)
        union = { of: models.declared, rules: unionOf(models.declared) }
      return redactorOf(union.rules)
    },
  }
}

/** Texts are measured before they are dropped or masked: what is measured tells nobody's words. */
function measuringFirst(redactor: Redactor, descriptors: readonly Descriptor[]): Redactor {
  const describe = describing(descriptors)
  return {
    ...redactor,
    event: (event, fields) =>
      redactor.event(fields.has('output_text') ? describe(event) : event, fields),
  }
}

function unionOf(declared: Models['declared']): ModelPrivacy | undefined {
  const rules = declared.flatMap(({ privacy }) => privacy ?? [])
  if (rules.length === 0) return undefined
  const all = <K extends keyof ModelPrivacy>(name: K) => [
    ...new Set(rules.flatMap((one): readonly string[] => one[name])),
  ]
  return {
    drop: all('drop'),
    hash: all('hash'),
    withhold: all('withhold'),
    mask: all('mask') as ModelPrivacy['mask'],
    names: all('names'),
  }
}
