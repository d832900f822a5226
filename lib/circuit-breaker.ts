/**
 * Stops a consumer instead of draining a topic away: where nearly everything is refused, the fault is not in the events
 * but in a producer's release, a schema or this service, and each message is better kept in the log.
 */
import type { LoggedRange } from './event-log.ts'
import type { MappedRange } from './event-mapping.ts'

export interface CircuitBreaker {
  /** @throws OpenCircuit when the range would be one refused message too many; nothing of it may be stored then */
  check: (range: LoggedRange, mapped: MappedRange) => void
  /** The range that was checked last was stored: it counts from now on. */
  stored: (range: LoggedRange) => void
}

export interface CircuitBreakerOptions {
  /** Largest share of refused messages among the newest `window`. */
  maxRatio: number
  /** Most refused messages in a row, per partition. */
  maxRun: number
  onChange?: (change: { topic: string; partition: string; open: boolean }) => void
}

/** For what was accepted one by one, by ourselves: it is not refused later for being many. */
export const NO_LIMIT: CircuitBreaker = { check: () => {}, stored: () => {} }

/** Messages over which the share is taken; it is judged once half as many were seen. */
const WINDOW = 2000

export class OpenCircuit extends Error {}

interface Tally {
  seen: number
  refused: number
  run: number
}

export function circuitBreaker({
  maxRatio,
  maxRun,
  onChange,
}: CircuitBreakerOptions): CircuitBreaker {
  const tallies = new Map<string, Tally>()
  /** What the tally of a partition will be once the range in hand is stored. */
  const checked = new Map<string, Tally>()
  const keyOf = (range: LoggedRange) => `${range.topic}/${range.partition}`

  function after(range: LoggedRange, mapped: MappedRange): Tally & { longest: number } {
    const { seen, refused, run } = tallies.get(keyOf(range)) ?? { seen: 0, refused: 0, run: 0 }
    const dead = new Set(mapped.dead.map(({ message }) => message))
    let current = run
    let longest = 0
    for (const message of range.messages) {
      current = dead.has(message) ? current + 1 : 0
      longest = Math.max(longest, current)
    }
    // Older messages fade, so that a day of good ones cannot hide an hour of bad ones.
    const kept = Math.min(1, WINDOW / Math.max(1, seen))
    return {
      seen: seen * kept + range.messages.length,
      refused: refused * kept + dead.size,
      run: current,
      longest,
    }
  }

  return {
    check: (range, mapped) => {
      const { longest, ...tally } = after(range, mapped)
      const { seen, refused } = tally
      checked.set(keyOf(range), tally)
      const reason =
        longest > maxRun
          ? `${longest} messages in a row were refused (at most ${maxRun})`
          : seen >= WINDOW / 2 && refused > maxRatio * seen
            ? `${Math.round((100 * refused) / seen)} % of the newest messages were refused (at most ${Math.round(100 * maxRatio)} %)`
            : undefined
      const { topic, partition } = range
      onChange?.({ topic, partition, open: reason !== undefined })
      if (reason === undefined) return
      const common = mapped.dead.at(-1)
      const told = `${reason}; the last one: ${common?.code ?? ''}, ${common?.text ?? ''}`
      throw new OpenCircuit(
        `${keyOf(range)} is stopped from offset ${range.first} on: ${told}. Mend the producer or the release; PLUMBLINE_DEAD_LETTER_RATIO and PLUMBLINE_DEAD_LETTER_RUN set the limits`,
      )
    },
    stored: (range) => {
      tallies.set(keyOf(range), checked.get(keyOf(range))!)
    },
  }
}
