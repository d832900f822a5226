/** Ends what people delegated who may not approve any more. */
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Logger } from '../../../lib/runtime/log.ts'
import type { Module } from '../../../lib/runtime/modules.ts'
import { pollLoop } from '../../../lib/runtime/poll-loop.ts'
import { lapsedBy, type Rights } from '../decide/delegators.ts'
import { endLapsed } from '../queries/approvals/delegations.ts'
import type { Ledger } from '../queries/ledger.ts'

/** How often it is looked; whoever lists or uses delegations looks besides. */
const LOOK_MS = 60_000

/** Looks for such delegations; without keys nobody can know of any. */
export function lapsesModule({
  ledger,
  rights,
  log,
}: {
  ledger: Ledger
  rights: Rights
  log: Logger
}): Module {
  return pollLoop({
    name: 'lapsed delegations',
    everyMs: LOOK_MS,
    step: async () => {
      if (!rights.grantsOf) return { isIdle: true }
      return { isIdle: (await endLapsed(ledger, lapsedBy(rights))) === 0 }
    },
    onError: (error) =>
      log.error({ error: messageOf(error) }, 'delegations were not looked at, trying again'),
  }).module
}
