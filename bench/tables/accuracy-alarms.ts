/** The test of accuracy in streams: what its tables are made of. */
import { evidenceTail, levelEvidence } from '../../lib/stats/window-tests/level-evidence.ts'
import type { Level } from '../../lib/stats/window-tests/level-test.ts'
import { FALL, fallScale } from '../../services/drift/evaluate/metric-scales.ts'

/**
 * Whether accuracy alarms, as `services/drift/evaluate/metric-alarms.ts` tests it where it is the
 * only number.
 *
 * @param history windows since the reference, the tested one last
 */
export function accuracyAlarms(
  reference: readonly Level[],
  history: readonly Level[],
  alpha: number,
): boolean {
  const past = (level: Level) => ({ ...level, start: 0, end: 0, alarmed: false })
  const scale = fallScale(FALL, 'accuracy', reference.map(past))
  const onScale = (level: Level): Level => ({
    ...level,
    value: scale.of(level.value, level.size),
    standardError: scale.error(past(level)),
  })
  const { leastEffect, worse } = scale
  const evidence = levelEvidence({
    reference: reference.map(onScale),
    history: history.map(onScale),
    leastEffect,
    worse,
    alpha,
  })
  return evidenceTail(evidence!) <= alpha
}
