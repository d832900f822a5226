/** Numbers of a policy that may be others, and how far. Pure. */
import { numbersOf, type ConditionNumber } from '../../../lib/models/language/policy-language.ts'
import { isWindowTest, type WindowTest } from '../../../lib/models/language/policy-tests.ts'
import { isNamed, type Evidence } from './condition-tests.ts'
import type { WrittenPolicy } from './policy-text.ts'

/** A number of a policy, as a slider has it. */
export interface Knob {
  /** What it is: `limit`, `above`, `for`, `of`, `cooldown` or `max_per_month`. */
  says: ConditionNumber['says'] | 'cooldown' | 'max_per_month'
  /** What it stands in, as it is written. */
  text: string
  value: number
  low: number
  high: number
  step: number
  /** Its unit, of a time: `d` for days; '' where it has none. */
  unit: string
}

/** What is known of the values that a policy was tried on. */
export interface Seen {
  /** Least and greatest value of each test of values, and most results of each test of counts. */
  spans: Map<string, { low: number; high: number }>
  labels: number
  predictions: number
}

/** Knobs of one policy at most. */
const MAX_KNOBS = 12
const MOST = 1e12

/** Adds what the tests of a condition meet in some windows. */
export function see(
  { spans }: Seen,
  tests: readonly WindowTest[],
  { results, values }: Pick<Evidence, 'results' | 'values'>,
): void {
  for (const test of tests) {
    if (test.kind === 'verdict') continue
    const own = (test.kind === 'value' ? values : results).filter((one) =>
      isNamed(test, one, Infinity),
    )
    const numbers =
      test.kind === 'value'
        ? own.flatMap(({ value }) => (value === null ? [] : [value]))
        : [...Map.groupBy(own, ({ windowEnd }) => windowEnd).values()].map((all) => all.length)
    const key = JSON.stringify(test)
    for (const number of numbers) {
      const { low, high } = spans.get(key) ?? { low: number, high: number }
      spans.set(key, { low: Math.min(low, number), high: Math.max(high, number) })
    }
  }
}

/** The knobs of a policy: those of its condition from left to right, then its guards. */
export function knobsOf({ when, cooldown, max_per_month }: WrittenPolicy, seen: Seen): Knob[] {
  const own = numbersOf(when).map((one) =>
    ofCondition(one, Number(when.slice(one.from, one.to)), seen),
  )
  const [, length = '0', unit = 'd'] = /^(\d+)([a-z]+)$/.exec(cooldown) ?? []
  const ofTime = Number(length) === 0 ? 'd' : unit
  return [
    ...own.slice(0, MAX_KNOBS - 2),
    whole('cooldown', `cooldown: ${cooldown}`, Number(length), {
      low: 0,
      high: MOST_OF_UNIT[ofTime] ?? 1000,
      unit: ofTime,
    }),
    whole('max_per_month', `max_per_month: ${max_per_month}`, max_per_month, {
      low: 1,
      high: 31,
      unit: '',
    }),
  ]
}

const MOST_OF_UNIT: Readonly<Record<string, number>> = { d: 60, h: 72, m: 180, s: 600 }

function whole(
  says: Knob['says'],
  text: string,
  value: number,
  { low, high, unit, step = 1 }: { low: number; high: number; unit: string; step?: number },
): Knob {
  return { says, text, value, low: Math.min(low, value), high: Math.max(high, value), step, unit }
}

function ofCondition({ says, test, text }: ConditionNumber, value: number, seen: Seen): Knob {
  if (says === 'for' && isWindowTest(test)) {
    const most = test.of === test.windows ? 12 : test.of
    return whole(says, text, value, { low: 1, high: most, unit: '' })
  }
  if (says === 'of' && isWindowTest(test))
    return whole(says, text, value, { low: test.windows, high: 20, unit: '' })
  if (says === 'above') {
    const came = test.kind === 'labels' ? seen.labels : seen.predictions
    const high = Math.max(came, 2 * value, 10)
    return whole(says, text, value, { low: 0, high, unit: '', step: niceStep(high) })
  }
  const span = seen.spans.get(JSON.stringify(test))
  if (test.kind === 'count')
    return whole(says, text, value, { low: 0, high: Math.max(span?.high ?? 0, 5), unit: '' })
  return ofValues(text, value, span ?? { low: value, high: value })
}

/** A limit of values, over all that were seen and a little beyond. */
function ofValues(text: string, value: number, span: { low: number; high: number }): Knob {
  const [least, most] = [Math.min(span.low, value), Math.max(span.high, value)]
  const room = (most - least || Math.abs(most) || 1) * 0.1
  const step = (most - least + 2 * room) / 200
  const nice = 10 ** Math.floor(Math.log10(step))
  const low = Math.floor(tidy((least - room) / nice)) * nice
  const high = Math.ceil(tidy((most + room) / nice)) * nice
  return {
    says: 'limit',
    text,
    value,
    low: tidy(low),
    high: tidy(high),
    step: tidy(nice),
    unit: '',
  }
}

const niceStep = (high: number) => Math.max(1, 10 ** Math.floor(Math.log10(high / 100)))

/** A number without what binary fractions add to it. */
const tidy = (value: number) => Number(value.toPrecision(12))

/**
 * What a knob at another value makes of its policy: the field, and what stands there.
 *
 * @returns undefined where there is no such knob, or a sentence where it cannot have that value
 */
export function turned(
  { when, cooldown }: Pick<WrittenPolicy, 'when' | 'cooldown'>,
  at: number,
  value: number,
): { field: string; value: string | number } | string | undefined {
  const numbers = numbersOf(when).slice(0, MAX_KNOBS - 2)
  const own = numbers[at]
  const isLimit = own?.says === 'limit' && own.test.kind !== 'count'
  if (Math.abs(value) > MOST || (!isLimit && (!Number.isInteger(value) || value < 0)))
    return isLimit
      ? `turn.value must be from -${MOST} to ${MOST}`
      : `turn.value must be a whole number from 0 to ${MOST}`
  if (own)
    return { field: 'when', value: `${when.slice(0, own.from)}${tidy(value)}${when.slice(own.to)}` }
  if (at === numbers.length) {
    const [, length, unit = 'd'] = /^(\d+)([a-z]+)$/.exec(cooldown) ?? []
    return { field: 'cooldown', value: `${value}${Number(length) === 0 ? 'd' : unit}` }
  }
  return at === numbers.length + 1 ? { field: 'max_per_month', value } : undefined
}
