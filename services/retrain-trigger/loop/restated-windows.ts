/** Windows that were restated after they had launched a run: whether they give reason to it still. */
import { SPARE_WINDOWS, windowCause, type Answer, type ParsedPolicy } from '../decide/policies.ts'
import { couldStillHold } from '../decide/triggers.ts'
import type { Ledger } from '../queries/ledger.ts'
import type { PolicyQueries, WindowRevision } from '../queries/policy-queries.ts'
import { keepRestated, withdrawRun } from '../queries/withdrawals.ts'
import { readWindowEvidence } from './window-evidence.ts'

/** Windows that one pass looks at; the others follow in the next. */
const MAX_WINDOWS = 20

/**
 * Looks at the windows of launched runs whose newest revision was not looked at: a run is cancelled
 * or told of it where its condition no longer holds.
 *
 * @param windows by end, the earliest first
 * @returns whether more are left
 */
export async function answerForRestated(
  { queries, ledger }: { queries: PolicyQueries; ledger: Ledger },
  { modelId, policy }: { modelId: string; policy: ParsedPolicy },
  windows: readonly WindowRevision[],
  answers: ReadonlyMap<string, Answer>,
): Promise<boolean> {
  const restated = windows.filter(({ windowEnd, revision }) => {
    const earlier = answers.get(windowCause(windowEnd))
    return earlier?.launched === true && earlier.revision < revision
  })
  for (const { windowEnd, revision } of restated.slice(0, MAX_WINDOWS)) {
    const { name } = policy.policy
    const cause = windowCause(windowEnd)
    const first = windows.findIndex((window) => window.windowEnd === windowEnd)
    const since = windows[Math.max(0, first - policy.windows - SPARE_WINDOWS)]!.windowEnd
    const span = { since, until: windowEnd }
    const evidence = await readWindowEvidence(queries, modelId, policy, span)
    const launch = { modelId, policy: name, cause, revision }
    if (couldStillHold(policy.condition, { ...evidence, windowEnd }))
      await keepRestated(ledger.postgres, launch)
    else await withdrawRun(ledger, launch)
  }
  return restated.length > MAX_WINDOWS
}
