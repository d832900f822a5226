/** Makes the decision that a run follows from again, from what is stored. */
import { hashOf, readAudit } from '../../../lib/postgres/audit-log.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { ReplayAnswer } from '../../../schemas/http/retrain-trigger.ts'
import type { Decision } from '../decide/decide.ts'
import { replayOf, type Grounds, type Replayed } from '../decide/grounds.ts'
import { parsedAlone } from '../decide/policies.ts'
import type { Ledger } from '../queries/ledger.ts'
import type { PolicyQueries } from '../queries/policy-queries.ts'
import type { Run } from '../queries/run-record.ts'

/** What replaying reads. */
export interface ReplayParts {
  queries: Pick<PolicyQueries, 'seen'>
  ledger: Pick<Ledger, 'postgres'>
}

/** Makes a decision again, and says whether it is identical, or what differs. */
export async function replayRun({ queries, ledger }: ReplayParts, run: Run): Promise<ReplayAnswer> {
  const recorded: Decision = { action: 'launch', reason: run.reason }
  const answer = (outcome: ReplayAnswer['outcome'], differences: string[]): ReplayAnswer => ({
    run_id: run.run_id,
    outcome,
    differences,
    recorded,
    recomputed: null,
    windows: 0,
    results_sha256: '',
  })
  const entry = await firstEntry(ledger, run.run_id)
  if (!entry)
    return answer('different', ['the audit log has no entry of this run: it was removed from it'])
  const grounds = entry.detail['grounds'] as Grounds | undefined
  const edited = hashOf(entry) === entry.hash ? [] : [`audit entry ${entry.sequence} was edited`]
  if (!grounds)
    return answer(edited.length > 0 ? 'different' : 'not_replayable', [
      ...edited,
      run.requested_by === 'policy'
        ? 'it was decided before the log kept what decisions are made of'
        : `${run.requested_by || 'somebody'} asked for it: no condition was evaluated`,
    ])
  const replayed = await madeAgain(queries, run, grounds, recorded)
  const differences = [...edited, ...differsFromEntry(run, entry.detail), ...replayed.differences]
  return {
    ...answer(differences.length > 0 ? 'different' : 'identical', differences),
    recomputed: replayed.recomputed,
    windows: grounds.seen.length,
    results_sha256: grounds.results_sha256,
  }
}

/** The entry that tells how a run began. */
async function firstEntry({ postgres }: Pick<Ledger, 'postgres'>, runId: string) {
  const [row] = await postgres.query<{ sequence: string | number }>(
    'select min(sequence) as sequence from audit_log where subject = $1 having count(*) > 0',
    [runId],
  )
  if (!row) return undefined
  const [entry] = await readAudit(postgres, Number(row.sequence) - 1, 1)
  return entry
}

function differsFromEntry(run: Run, detail: Record<string, unknown>): string[] {
  return (['model_id', 'policy', 'reason'] as const).flatMap((name) =>
    detail[name] === run[name]
      ? []
      : [`the run’s ${name} is “${run[name]}”, and its audit entry has “${String(detail[name])}”`],
  )
}

async function madeAgain(
  queries: ReplayParts['queries'],
  run: Run,
  grounds: Grounds,
  recorded: Decision,
): Promise<Pick<Replayed, 'differences'> & { recomputed: Decision | null }> {
  try {
    const { versions, values: metrics, baseline } = parsedAlone(grounds.policy, grounds.baseline)
    const { seen } = grounds
    const ends = seen.map(({ end }) => end).toSorted((a, b) => a - b)
    const span = { since: ends[0] ?? 0, until: ends.at(-1) ?? 0 }
    const question = { modelId: run.model_id, versions, metrics, baseline, seen, ...span }
    return replayOf(grounds, recorded, await queries.seen(question))
  } catch (error) {
    return { recomputed: null, differences: [`it cannot be made again: ${messageOf(error)}`] }
  }
}
