/**
 * What is stored of a prediction besides what its event says: descriptors of its texts, and the cost
 * of its tokens. A second time changes nothing more. Pure.
 */
import { eventTime } from '../../events/fields.ts'
import { fieldGetter, FlatRecord, perShape } from '../../events/flat-record.ts'
import { describing, type Describe, type Descriptor } from '../../events/texts/descriptors.ts'
import type { PriceTable } from './price-table.ts'

/** What an event becomes before it is stored; the given event stays as it was. */
export type Derive = (event: FlatRecord) => FlatRecord

/** What is derived of events, as it is now. */
export interface Deriving {
  descriptorsOf: (modelId: string) => readonly Descriptor[]
  prices: () => PriceTable
}

const modelIdOf = fieldGetter('model_id')

/** Makes the function that adds what is derived to predictions. */
export function derivation({ descriptorsOf, prices }: Deriving): Derive {
  const describe = describingOf(descriptorsOf)
  const withCost = costing(prices)
  return (event) => withCost(describe(event))
}

/** The function that adds the descriptors of each event's model. */
function describingOf(descriptorsOf: Deriving['descriptorsOf']): Derive {
  /** Made once for each reading of a model file. */
  const known = new WeakMap<readonly Descriptor[], Describe>()
  return (event) => {
    const descriptors = descriptorsOf(modelIdOf(event) as string)
    if (descriptors.length === 0) return event
    let describe = known.get(descriptors)
    if (!describe) known.set(descriptors, (describe = describing(descriptors)))
    return describe(event)
  }
}

const versionOf = fieldGetter('model_version')
const predictedAtOf = fieldGetter('predicted_at')
const costOf = fieldGetter('cost_usd')
const inputTokensOf = fieldGetter('input_tokens')
const outputTokensOf = fieldGetter('output_tokens')
const attributesOf = fieldGetter('attributes')
const COST = 'cost_usd'

/** Adds what tokens cost where an event does not say it, and the price is known. */
function costing(prices: () => PriceTable): Derive {
  const shape = perShape((names) => {
    const at = names.indexOf(COST)
    return at === -1 ? { names: [...names, COST], at: names.length } : { names, at }
  })
  return (event) => {
    const table = prices()
    if (table.prices.length === 0 || typeof costOf(event) === 'number') return event
    const [input, output] = [inputTokensOf(event), outputTokensOf(event)]
    if (typeof input !== 'number' && typeof output !== 'number') return event
    const attributes = attributesOf(event) as FlatRecord | null | undefined
    const provider = attributes?.get('provider')
    const cost = table.costOf({
      modelVersion: versionOf(event) as string,
      provider: typeof provider === 'string' ? provider : undefined,
      at: eventTime(predictedAtOf(event))!,
      inputTokens: typeof input === 'number' ? input : 0,
      outputTokens: typeof output === 'number' ? output : 0,
    })
    if (cost === undefined) return event
    const { names, at } = shape.of(event.names)
    const values = [...event.values]
    values[at] = cost
    return new FlatRecord(names, values, false)
  }
}
