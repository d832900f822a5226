/** What policies are asked on, of evaluated windows. */
import type { Evidence } from '../decide/condition-tests.ts'
import { SPARE_WINDOWS, type ParsedPolicy } from '../decide/policies.ts'
import type { PolicyQueries, WindowRevision } from '../queries/policy-queries.ts'

/** Results and values of the newest window and of those before it that a policy looks back over. */
export async function newestEvidence(
  queries: PolicyQueries,
  modelId: string,
  policy: ParsedPolicy,
  windows: readonly WindowRevision[],
): Promise<Pick<Evidence, 'results' | 'values' | 'windowEnd'>> {
  const since = windows.at(-(policy.windows + SPARE_WINDOWS))?.windowEnd ?? 0
  const windowEnd = windows.at(-1)?.windowEnd
  return { ...(await readWindowEvidence(queries, modelId, policy, { since })), windowEnd }
}

/** Results and values of the windows that end from `since` to `until`, epoch milliseconds. */
export async function readWindowEvidence(
  queries: PolicyQueries,
  modelId: string,
  { versions, values: metrics, baseline, askedOn }: ParsedPolicy,
  span: { since: number; until?: number },
): Promise<Pick<Evidence, 'results' | 'values'>> {
  const question = { modelId, versions, ...span }
  return {
    results: askedOn.size > 0 ? await queries.results(question) : [],
    values: await queries.values({ ...question, metrics, baseline }),
  }
}
