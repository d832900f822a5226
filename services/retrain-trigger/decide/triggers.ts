/** The metric results that a decision was about: what is watched once its run is promoted. Pure. */
import {
  isWindowTest,
  type Condition,
  type WindowTest,
} from '../../../lib/models/language/policy-tests.ts'
import type { Trigger } from '../../../schemas/http/runs/run-outcomes.ts'
import { trueSeries, type Evidence } from './condition-tests.ts'

/** What tests of metric results are asked on. */
type OfWindow = Pick<Evidence, 'results' | 'values' | 'windowEnd'>

/** Results that are kept of one decision; a condition on all of a family may name hundreds. */
const MAX_TRIGGERS = 10

/** What made a condition true of its window, the first ten; what stands under `not` is left out. */
export const triggersOf = (condition: Condition, evidence: OfWindow): Trigger[] =>
  affirmed(condition)
    .flatMap((test) => (trueSeries(test, evidence) ?? []).map((series) => ({ test, series })))
    .slice(0, MAX_TRIGGERS)
    .map(({ test, series }) => {
      const counted = series.newest.slice(0, test.of)
      const { metric, subject } = counted[0]!
      return {
        family: test.family,
        metric,
        subject,
        slice: test.slice ?? null,
        version: test.version ?? '',
        from: new Date(counted.at(-1)!.windowEnd).toISOString(),
        to: new Date(counted[0]!.windowEnd).toISOString(),
        test:
          test.kind === 'value' ? { sign: test.sign, limit: test.limit } : { level: test.level },
      }
    })

function affirmed(condition: Condition): WindowTest[] {
  if (condition.kind === 'not') return []
  if (condition.kind === 'and' || condition.kind === 'or')
    return [...affirmed(condition.left), ...affirmed(condition.right)]
  return isWindowTest(condition) ? [condition] : []
}

/**
 * Whether a condition could hold of a window as it is now: tests of anything but metric results
 * were so when it launched, and say nothing any more.
 */
export const couldStillHold = (condition: Condition, evidence: OfWindow): boolean =>
  couldBe(condition, true, (test) => trueSeries(test, evidence) !== undefined)

function couldBe(
  condition: Condition,
  wanted: boolean,
  isTrue: (test: WindowTest) => boolean,
): boolean {
  if (condition.kind === 'not') return couldBe(condition.inner, !wanted, isTrue)
  if (condition.kind !== 'and' && condition.kind !== 'or')
    return !isWindowTest(condition) || isTrue(condition) === wanted
  const sides = [condition.left, condition.right].map((side) => couldBe(side, wanted, isTrue))
  return (condition.kind === 'and') === wanted ? sides.every(Boolean) : sides.some(Boolean)
}
