/** What a reader of some models may use in an hour. */

/** Uses of one reader: of an hour, or of one answer. */
export interface Use {
  questions: number
  /** Seconds of the engine's time, all threads as one. */
  seconds: number
  /** Rows of all answers. */
  rows: number
  bytes: number
}

/** Use that a reader may make in an hour. */
export const HOURLY: Use = {
  questions: 3600,
  seconds: 900,
  rows: 50_000_000,
  bytes: 2_000_000_000,
}

const HOUR_MS = 3_600_000
/** Readers whose uses are known; the one that began its hour first is forgotten for another. */
const MAX_READERS = 10_000

/** Uses by reader. */
export interface Quotas {
  /** @throws Error with ClickHouse's code 201 where a reader has used up its hour */
  require: (reader: string) => void
  add: (reader: string, use: Use) => void
}

/**
 * Counts uses by hours, each beginning with a reader's first question in it.
 *
 * @param now epoch milliseconds
 */
export function createQuotas(now: () => number): Quotas {
  const hours = new Map<string, Use & { since: number }>()
  const hourOf = (reader: string) => {
    const known = hours.get(reader)
    if (known && now() - known.since < HOUR_MS) return known
    hours.delete(reader)
    if (hours.size >= MAX_READERS) hours.delete(hours.keys().next().value!)
    const begun = { since: now(), questions: 0, seconds: 0, rows: 0, bytes: 0 }
    hours.set(reader, begun)
    return begun
  }
  return {
    require: (reader) => {
      const hour = hourOf(reader)
      for (const what of ['questions', 'seconds', 'rows', 'bytes'] as const)
        if (hour[what] >= HOURLY[what])
          throw new Error(
            `Code: 201. DB::Exception: this hour’s ${HOURLY[what]} ${what} are used up; the next begins in ${Math.ceil((hour.since + HOUR_MS - now()) / 60_000)} minutes. (QUOTA_EXCEEDED)`,
          )
    },
    add: (reader, use) => {
      const hour = hourOf(reader)
      hour.questions += use.questions
      hour.seconds += use.seconds
      hour.rows += use.rows
      hour.bytes += use.bytes
    },
  }
}
