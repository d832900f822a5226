/** The price file in force, read anew when it changes: all of it or nothing. */
import { Gauge, type Registry } from 'prom-client'
import { ConfigError } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/log.ts'
import { fileSignature } from '../../runtime/reload/folder-signature.ts'
import { liveReading, type LiveReading } from '../../runtime/reload/live-reading.ts'
import { writtenText } from '../../runtime/reload/written-file.ts'
import { NO_PRICES, parsePrices, type PriceTable } from './price-table.ts'

/** What live prices are made of. */
export interface LivePricesParts {
  /** Undefined: there are no prices. */
  file: string | undefined
  /** Distance of two looks at the file, milliseconds; 0: only `reload` reads. */
  everyMs: number
  registry: Registry
  log: Logger
  now: () => number
}

/**
 * Reads a price file.
 *
 * @param file undefined: there are no prices
 * @throws {ConfigError} with every problem, each beginning with the file's path
 */
export function readPrices(file: string | undefined): PriceTable {
  if (file === undefined) return NO_PRICES
  try {
    return parsePrices(writtenText(file))
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [messageOf(error)]
    throw new ConfigError(problems.map((problem) => `PLUMBLINE_PRICES_FILE ${file}: ${problem}`))
  }
}

/**
 * Reads the price file, and again when it changes.
 *
 * @throws {ConfigError} at the first reading only
 */
export function livePrices({ file, registry, ...parts }: LivePricesParts): LiveReading<PriceTable> {
  const problems = new Gauge({
    name: 'plumbline_price_file_problems',
    help: 'Problems of the price file for which its last reading was refused; 0 when it was not.',
    registers: [registry],
  })
  return liveReading({
    ...parts,
    everyMs: file === undefined ? 0 : parts.everyMs,
    name: 'prices',
    signature: () => (file === undefined ? '' : fileSignature(file)),
    read: () => readPrices(file),
    isSame: (a, b) => JSON.stringify(a.prices) === JSON.stringify(b.prices),
    told: ({ prices }) => ({ prices: prices.length }),
    count: (_outcome, n) => problems.set(n),
  })
}
