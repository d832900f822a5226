/**
 * What is new to a policy besides windows: labels and predictions since its last run, and how long
 * no event has come.
 */
import { isCanary, type SeenCanary } from '../decide/condition-tests.ts'
import type { Position } from '../decide/news-cause.ts'
import type { ParsedPolicy } from '../decide/policies.ts'
import type { Ledger } from '../queries/ledger.ts'
import type { PolicyQueries } from '../queries/policy-queries.ts'
import { readCanary, readHistory } from '../queries/runs.ts'

/** What is new to a policy; zeros where its condition asks for none. */
export interface News {
  /** All that is known now. */
  labelsKnown: number
  predictionsKnown: number
  /** What was known at the policy's last run, whatever became of it: counts begin there. */
  from: Position
  newLabels: number
  newPredictions: number
  /** When the newest event came, epoch milliseconds. */
  lastReceived: number | undefined
  silentMs: number | undefined
  /** What is known of the model's newest candidate that gets its traffic by steps. */
  canary: SeenCanary | undefined
}

/** Counts what is new to a policy of a model. */
export async function readNews(
  { ledger, queries }: { ledger: Ledger; queries: PolicyQueries },
  modelId: string,
  { policy, countsLabels, countsPredictions, silences, canaries }: ParsedPolicy,
): Promise<News> {
  const runs =
    countsLabels || countsPredictions
      ? await readHistory(ledger.postgres, modelId, policy.name)
      : []
  const from = {
    labels: Math.max(0, ...runs.map((run) => run.labelsKnown)),
    predictions: Math.max(0, ...runs.map((run) => run.predictionsKnown)),
  }
  const labelsKnown = countsLabels ? await queries.labelledOutcomes(modelId) : 0
  const predictionsKnown = countsPredictions ? await queries.predictions(modelId) : 0
  const lastReceived = silences.length > 0 ? await queries.lastReceived(modelId) : undefined
  return {
    labelsKnown,
    predictionsKnown,
    from,
    newLabels: labelsKnown - from.labels,
    newPredictions: predictionsKnown - from.predictions,
    lastReceived,
    silentMs: lastReceived === undefined ? undefined : ledger.now() - lastReceived,
    canary: canaries.length > 0 ? await readCanary(ledger.postgres, modelId) : undefined,
  }
}

/** Whether a silence that a policy asks for has come. */
export const isSilent = ({ silences }: ParsedPolicy, { silentMs = 0 }: News): boolean =>
  silences.some((ms) => silentMs > ms)

/** The canary that a policy asks for, where it is so; undefined where it is not. */
export const canaryAsked = (
  { canaries }: ParsedPolicy,
  { canary }: News,
): SeenCanary | undefined => (canaries.some((test) => isCanary(test, canary)) ? canary : undefined)
