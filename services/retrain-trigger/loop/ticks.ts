/** When a schedule came due in the past, by the package that makes it due. */
import { createTask } from 'node-cron'
import type { Schedule } from '../decide/condition-tests.ts'

/** What tasks of node-cron 4 ask, which they answer in public from now on alone. */
interface WithMatcher {
  timeMatcher: { getNextMatch: (from: Date) => Date }
}

/** Ticks of a span. */
export interface Ticks {
  /** Epoch milliseconds, ascending. */
  at: readonly number[]
  /** From when on they are told: later than the span begins where it has too many. */
  from: number
}

const MINUTE_MS = 60_000

/**
 * Finds when a schedule came due in a span, its beginning left out: all ticks, or those of as much of
 * its end as has `most` at most.
 *
 * @param span epoch milliseconds
 * @throws where the expression or the time zone is none
 */
export function ticksOf(
  { cron, timezone }: Schedule,
  span: { from: number; to: number },
  most: number,
): Ticks {
  const task = createTask(cron, () => {}, { timezone })
  try {
    const { timeMatcher } = task as unknown as WithMatcher
    let found: Ticks = { at: [], from: span.to }
    for (let length = most * MINUTE_MS; ; length *= 2) {
      const from = Math.max(span.from, span.to - length)
      const at = within(timeMatcher, from, span.to, most)
      if (at === undefined) return found
      found = { at, from }
      if (from === span.from) return found
    }
  } finally {
    void task.destroy()
  }
}

/** Ticks of a span; undefined where they are more than `most`. */
function within(
  matcher: WithMatcher['timeMatcher'],
  from: number,
  to: number,
  most: number,
): number[] | undefined {
  const found: number[] = []
  for (let next = after(matcher, from); next <= to; next = after(matcher, next)) {
    if (found.length === most) return undefined
    found.push(next)
  }
  return found
}

/** The tick after a time; Infinity where none comes within years, as of the 30th of February. */
function after(matcher: WithMatcher['timeMatcher'], at: number): number {
  try {
    return matcher.getNextMatch(new Date(at)).getTime()
  } catch {
    return Infinity
  }
}
