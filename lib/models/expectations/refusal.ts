/** Which events are refused for an expectation with `on_violation: reject`. Pure. */
import { fieldGetter, type FlatRecord } from '../../events/flat-record.ts'
import type { RejectCode } from '../../events/rejections.ts'
import { eventCheck, type EventCheck } from './evaluate.ts'
import type { ExpectationRule } from './rules.ts'

/** Why an event is refused. */
export interface Refusal {
  /** Name of the rule; of several that it violates, the first in the model file. */
  rule: string
  /** How the refusal is named; `expectation_violated` unless given. */
  code?: RejectCode
  /** The rule as a sentence, for the producer. */
  message: string
}

/** Finds the rule for which an event is refused; undefined where it may be stored. */
export type RefusalOf = (event: FlatRecord) => Refusal | undefined

/** A model's rules. */
interface Declared {
  modelId: string
  expectations: readonly ExpectationRule[]
}

const modelIdOf = fieldGetter('model_id')

/**
 * Makes the function that refuses events of some models; undefined where no rule refuses any, so
 * that nothing is asked of events then.
 */
export function refusals(declared: readonly Declared[]): RefusalOf | undefined {
  const byModel = new Map(
    declared
      .map(({ modelId, expectations }) => [modelId, expectations.flatMap(rejecting)] as const)
      .filter(([, rules]) => rules.length > 0),
  )
  if (byModel.size === 0) return undefined
  return (event) =>
    byModel.get(modelIdOf(event) as string)?.find(({ holds }) => holds(event) === false)
}

function rejecting(rule: ExpectationRule): (Refusal & { holds: EventCheck })[] {
  const { name, says, asks, rejects } = rule
  if (!rejects || asks.kind !== 'event') return []
  const message =
    name === says
      ? `the event violates the expectation ${name}`
      : `the event violates the expectation ${name}: ${says}`
  return [{ rule: name, message, holds: eventCheck(asks.holds) }]
}

/** {@link refusals} of the model files in force, made anew when these change. */
export function liveRefusals(models: { readonly declared: readonly Declared[] }): RefusalOf {
  let { declared } = models
  let refusalOf = refusals(declared)
  return (event) => {
    if (models.declared !== declared) {
      declared = models.declared
      refusalOf = refusals(declared)
    }
    return refusalOf?.(event)
  }
}
