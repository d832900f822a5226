/** What tokens of language models cost, by the price file. Pure. */
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { PriceFile, type Price } from '../../../schemas/language-models/prices.ts'
import { ConfigError } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import { schemaProblems } from '../schema-problems.ts'

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

const validate = new Ajv({ allErrors: true, verbose: true, strict: false }).compile<PriceFile>(
  PriceFile,
)
const MILLION = 1_000_000
/** Versions whose prices are remembered: anybody can send events of any number of them. */
const MAX_KNOWN = 1000

/**
 * Reads a price file.
 *
 * @throws {ConfigError} with every problem of the file
 */
export function parsePrices(text: string): PriceTable {
  let file: unknown
  try {
    file = parse(text)
  } catch (cause) {
    throw new ConfigError([`is no YAML: ${messageOf(cause)}`])
  }
  if (!validate(file)) throw new ConfigError(schemaProblems(validate.errors ?? []))
  const problems = problemsOf(file.prices)
  if (problems.length > 0) throw new ConfigError(problems)
  return priceTable(file.prices)
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
  return Number.isNaN(at) || !isSameDay(at, from) ? NaN : at
}

const DAY_MS = 86_400_000
/** Whether epoch milliseconds are of this day of the proleptic Gregorian calendar. */
function isSameDay(at: number, day: string): boolean {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  return Date.UTC(year, month - 1, date) === at && date <= daysIn(year, month)
}
const daysIn = (year: number, month: number) =>
  (Date.UTC(year, month, 1) - Date.UTC(year, month - 1, 1)) / DAY_MS

function priceTable(prices: readonly Price[]): PriceTable {
  const known = new Map<string, readonly Price[]>()
  const candidatesOf = (modelVersion: string) => {
    const found = known.get(modelVersion)
    if (found) return found
    if (known.size === MAX_KNOWN) known.clear()
    const fitting = prices.filter(({ model }) => fits(model, modelVersion)).toSorted(byRank)
    known.set(modelVersion, fitting)
    return fitting
  }
  return {
    prices,
    costOf: ({ modelVersion, provider, at, inputTokens, outputTokens }) => {
      const price = candidatesOf(modelVersion).find(
        (one) => (one.provider === undefined || one.provider === provider) && startOf(one) <= at,
      )
      return (
        price &&
        (inputTokens * price.input_per_million + outputTokens * price.output_per_million) / MILLION
      )
    },
  }
}

const isPrefix = (model: string) => model.endsWith('*')
const fits = (model: string, version: string) =>
  isPrefix(model) ? version.startsWith(model.slice(0, -1)) : version === model

/** The exact name first, then the longest beginning; with a provider first; the newest day first. */
const byRank = (a: Price, b: Price): number =>
  Number(isPrefix(a.model)) - Number(isPrefix(b.model)) ||
  b.model.length - a.model.length ||
  Number(b.provider !== undefined) - Number(a.provider !== undefined) ||
  startOf(b) - startOf(a) ||
  0
