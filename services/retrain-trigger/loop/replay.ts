/** Makes the decision that a run follows from again, from what is stored. */
import { hashOf, readAudit, sortedJson } from '../../../lib/postgres/audit-log.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import { manifestSha256 } from '../../../lib/postgres/manifest-hash.ts'
import type { ReplayAnswer } from '../../../schemas/http/runs/run-evidence.ts'
import type { Dataset } from '../../../schemas/http/runs/run-evidence.ts'
import type { Decision } from '../decide/decide.ts'
import { replayOf, type Grounds, type Replayed } from '../decide/grounds.ts'
import { parsedAlone } from '../decide/policies.ts'
import { codeSha256 } from '../queries/code-version.ts'
import { readAgain, type DatasetReader } from '../queries/dataset.ts'
import type { Ledger } from '../queries/ledger.ts'
import type { PolicyQueries } from '../queries/policy-queries.ts'
import type { Run } from '../queries/run-record.ts'

/** What replaying reads. */
export interface ReplayParts {
  queries: Pick<PolicyQueries, 'seen'>
  ledger: Pick<Ledger, 'postgres'>
  /** SHA-256 of the file of the model that is in force; '' where it has none. */
  modelFile: string
  readDataset: DatasetReader
}

/** Makes a decision again, and says whether it is identical, or what differs. */
export async function replayRun(parts: ReplayParts, run: Run): Promise<ReplayAnswer> {
  const { queries, ledger } = parts
  const recorded: Decision = { action: 'launch', reason: run.reason }
  const answer = (outcome: ReplayAnswer['outcome'], differences: string[]): ReplayAnswer => ({
    run_id: run.run_id,
    outcome,
    differences,
    recorded,
    recomputed: null,
    windows: 0,
    results_sha256: '',
    configuration: run.configuration && {
      recorded: run.configuration,
      current: { model_file_sha256: parts.modelFile, code_sha256: codeSha256() },
    },
    dataset: data.dataset,
  })
  const data = await datasetAgain(parts, run)
  const entry = await firstEntry(ledger, run.run_id)
  if (!entry)
    return answer('different', ['the audit log has no entry of this run: it was removed from it'])
  const grounds = entry.detail['grounds'] as Grounds | undefined
  const isEdited = hashOf(entry) !== entry.hash
  const edited = [
    ...(isEdited ? [`audit entry ${entry.sequence} was edited`] : []),
    ...configurationDiffers(run, entry.detail),
    ...data.differences,
  ]
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

/** Whether a run's data set is still what its manifest says. */
async function datasetAgain(
  { ledger, readDataset }: ReplayParts,
  run: Run,
): Promise<{ dataset: ReplayAnswer['dataset']; differences: string[] }> {
  const kept = run.dataset
  const [entry] = await ledger.postgres.query<{ sha256: string }>(
    "select detail ->> 'sha256' as sha256 from audit_log where subject = $1 and action = 'dataset.kept'",
    [run.run_id],
  )
  if (!kept) {
    const none = { outcome: 'none', recorded_sha256: '', recomputed_sha256: '' } as const
    const differences = entry ? ['the manifest of its data set was removed from the run'] : []
    return { dataset: none, differences }
  }
  const tampered =
    entry?.sha256 === kept.sha256 && manifestSha256(kept) === kept.sha256
      ? []
      : ['the manifest of its data set is not the one that the audit log has']
  let again: Dataset | undefined
  let changed: string[]
  try {
    again = await readAgain(readDataset, run, kept)
    changed = datasetDifferences(kept, again)
  } catch (error) {
    changed = [`its data set cannot be read again: ${messageOf(error)}`]
  }
  const differences = [...tampered, ...changed]
  const dataset = {
    outcome: differences.length > 0 ? 'different' : 'identical',
    recorded_sha256: kept.sha256,
    recomputed_sha256: again?.sha256 ?? '',
  } as const
  return { dataset, differences }
}

const datasetDifferences = (kept: Dataset, again: Dataset): string[] =>
  kept.parts.flatMap((part) => {
    const now = again.parts.find(({ table }) => table === part.table)
    if (now?.content_sha256 === part.content_sha256) return []
    return now === undefined || now.rows === part.rows
      ? [`${part.rows} rows of ${part.table} in its data set are not those of its manifest`]
      : [`its data set has ${now.rows} rows of ${part.table}, and its manifest ${part.rows}`]
  })

function configurationDiffers(run: Run, detail: Record<string, unknown>): string[] {
  const logged = detail['configuration'] ?? null
  return sortedJson(logged) === sortedJson(run.configuration)
    ? []
    : ['the run’s configuration is not the one that its audit entry has']
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
