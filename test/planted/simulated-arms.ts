/** Arms of a comparison as they are drawn for tests. */
import type { Arm } from '../../lib/stats/canary/compare-arms.ts'

/** What an arm is like: shares, and its mean latency in milliseconds. */
export interface ArmKind {
  accuracy: number
  latency: number
  failures: number
}

/** An arm of so many units; right decisions are worth 5, wrong ones -20. */
export function drawArm(
  random: () => number,
  units: number,
  { accuracy, latency, failures }: ArmKind,
): Arm {
  const many = (value: () => number) => Array.from({ length: units }, value)
  return {
    units,
    correct: many(() => (random() < accuracy ? 1 : 0)),
    absoluteErrors: [],
    worth: many(() => (random() < accuracy ? 5 : -20)),
    failed: many(() => (random() < failures ? 1 : 0)),
    latencies: many(() => -latency * Math.log(random())),
    firstTokens: [],
    costs: many(() => 0.01 * (1 + random())),
  }
}
