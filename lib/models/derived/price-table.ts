/** What tokens of language models cost, by the price file. Pure. */
import { PriceFile, type Price } from '../../../schemas/language-models/prices.ts'
import { ConfigError } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import { yamlIn } from '../../runtime/yaml.ts'
import { schemaProblems } from '../schema-problems.ts'
import { compiledSchema } from '../../runtime/compiled-schema.ts'

/** The tokens of one answer. */
export interface Answered {
  modelVersion: string
  /** Attribute `provider`; undefined where the event has none. */
  provider: string | undefined
  /** When it was answered, epoch milliseconds. */
  at: number
  inputTokens: number
  outputTokens: number
}

/** Prices since ever. */
export interface PriceTable {
  /** US dollars; undefined where no price is known of the model at that time. */
  costOf: (answered: Answered) => number | undefined
  /** Entries of the file. */
  prices: readonly Price[]
}

/** A table without prices. */
export const NO_PRICES: PriceTable = { costOf: () => undefined, prices: [] }

const validator = compiledSchema<PriceFile>(PriceFile)
const MILLION = 1_000_000
/** Versions whose prices are remembered: anybody can send events of any number of them. */
const MAX_KNOWN = 1000

/**
 * Reads a price file.
 *
 * @throws {ConfigError} with every problem of the file
 */
export function parsePrices(text: string): PriceTable {
  const file = parsed(text)
  const validate = validator()
  if (!validate(file)) throw new ConfigError(schemaProblems(validate.errors ?? []))
  const problems = problemsOf(file.prices)
  if (problems.length > 0) throw new ConfigError(problems)
  return priceTable(file.prices)
}

function parsed(text: string): unknown {
  try {
    return yamlIn(text)
  } catch (error) {
    throw new ConfigError([messageOf(error)])
  }
}

function problemsOf(prices: readonly Price[]): string[] {
  const known = new Set<string>()
  return prices.flatMap((price, i) => {
    const problems: string[] = []
    if (Number.isNaN(startOf(price)))
      problems.push(`prices[${i}].from ${price.from} is no day of the calendar`)
    const key = JSON.stringify([price.model, price.provider, price.from])
    if (known.has(key))
      problems.push(`prices[${i}] names ${price.model} a second time for the same provider and day`)
    known.add(key)
    return problems
  })
}

/** Epoch milliseconds; NaN for a day that no calendar has. */
function startOf({ from }: Price): number {
  if (from === undefined) return -Infinity
  const at = Date.parse(`${from}T00:00:00Z`)
  // Date.parse takes 31 February for a day of March.
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(from) ? at : NaN
}

/** A price with what look-ups ask of it, worked out once. */
interface Entry extends Price {
  start: number
  /** What a version begins with; undefined where it must be the same. */
  beginning: string | undefined
}

function priceTable(prices: readonly Price[]): PriceTable {
  const entries = prices.map(entryOf).toSorted(byRank)
  const known = new Map<string, readonly Entry[]>()
  const entriesOf = (version: string) => {
    const found = known.get(version)
    if (found) return found
    if (known.size === MAX_KNOWN) known.clear()
    const fitting = entries.filter(({ beginning, model }) =>
      beginning === undefined ? version === model : version.startsWith(beginning),
    )
    known.set(version, fitting)
    return fitting
  }
  return {
    prices,
    costOf: ({ modelVersion, provider, at, inputTokens, outputTokens }) => {
      const price = entriesOf(modelVersion).find(
        (one) => (one.provider === undefined || one.provider === provider) && one.start <= at,
      )
      return (
        price &&
        (inputTokens * price.input_per_million + outputTokens * price.output_per_million) / MILLION
      )
    },
  }
}

const entryOf = (price: Price): Entry => ({
  ...price,
  start: startOf(price),
  beginning: price.model.endsWith('*') ? price.model.slice(0, -1) : undefined,
})

/** The exact name first, then the longest beginning; with a provider first; the newest day first. */
const byRank = (a: Entry, b: Entry): number =>
  Number(a.beginning !== undefined) - Number(b.beginning !== undefined) ||
  b.model.length - a.model.length ||
  Number(b.provider !== undefined) - Number(a.provider !== undefined) ||
  b.start - a.start ||
  0
