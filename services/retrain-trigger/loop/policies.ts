/** Asks every policy of a model about every window it has not answered for yet, and about labels and the clock. */
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import { decide, type Evidence } from '../decide/decide.ts'
import {
  FAILURE_CAUSE,
  failureReason,
  labelsCause,
  nextPass,
  parsePolicies,
  scheduledBy,
  tickCause,
  unscheduled,
  windowCause,
  type ParsedPolicy,
  type Policies,
} from '../decide/policies.ts'
import { decideByHistory, forgetDecision, recordDecision } from '../queries/decision-ledger.ts'
import { readAnswers } from '../queries/decisions.ts'
import type { Ledger } from '../queries/ledger.ts'
import type { PolicyQueries, WindowRevision } from '../queries/policy-queries.ts'
import { readHistory } from '../queries/runs.ts'

/** The policies of a process, what they read and where they record. */
export interface PolicyEngine {
  policies: Policies
  queries: PolicyQueries
  ledger: Ledger
  /** Policies, by model and name, of which no row tells of a failure; a start knows of none. */
  sound: Set<string>
}

/**
 * Makes the engine of the declared models' policies.
 *
 * @throws where a condition is not of the policy language
 */
export const policyEngine = (
  models: Pick<Models, 'declared'>,
  parts: Pick<PolicyEngine, 'queries' | 'ledger'>,
): PolicyEngine => ({ ...parts, policies: parsePolicies(models.declared), sound: new Set() })

/** What became of one look at a model: the policies that failed, and whether windows are left for another. */
export interface Evaluated {
  failures: { policy: string; error: unknown }[]
  more: boolean
}

/** Asks each policy of a model that no schedule asks. */
export async function evaluatePolicies(engine: PolicyEngine, modelId: string): Promise<Evaluated> {
  const policies = unscheduled(engine.policies, modelId)
  if (policies.length === 0) return { failures: [], more: false }
  const windows = await engine.queries.windows(modelId)
  return askEach(engine, modelId, policies, (policy) =>
    policy.byWindow
      ? answerForWindows(engine, modelId, policy, windows)
      : answerForLabels(engine, modelId, policy, windows),
  )
}

/** Windows whose metric results a policy sees at a tick. */
const LOOK_BACK = 64

/** Asks each policy of a model whose cron expression has come due at `at`, epoch milliseconds. */
export async function tickPolicies(
  engine: PolicyEngine,
  modelId: string,
  cron: string,
  at: number,
): Promise<Evaluated> {
  const { queries } = engine
  const windows = await queries.windows(modelId)
  const results = await queries.results(modelId, windows.at(-LOOK_BACK)?.windowEnd ?? 0)
  const windowEnd = windows.at(-1)?.windowEnd
  const cause = tickCause(at)
  const policies = scheduledBy(engine.policies, modelId, cron)
  return askEach(engine, modelId, policies, async (policy) => {
    const labels = await newLabels(engine, modelId, policy)
    const evidence = { results, windowEnd, newLabels: labels.fresh, tick: cron }
    const occasion = { modelId, cause, at, labelsKnown: labels.known }
    await decideAndRecord(engine, policy, evidence, occasion)
    return false
  })
}

/** Answers once for the labels that have come since the policy's last run; no window is left for another pass. */
async function answerForLabels(
  engine: PolicyEngine,
  modelId: string,
  policy: ParsedPolicy,
  windows: readonly WindowRevision[],
): Promise<boolean> {
  const labels = await newLabels(engine, modelId, policy)
  // The stream time of labels is the end of the last evaluated window.
  const at = windows.at(-1)?.windowEnd ?? engine.ledger.now()
  const evidence = { results: [], windowEnd: undefined, tick: undefined, newLabels: labels.fresh }
  const cause = labelsCause(labels.runs)
  await decideAndRecord(engine, policy, evidence, { modelId, cause, at, labelsKnown: labels.known })
  return false
}

/** Answers for windows whose newest revision the policy has not seen, in the order of their ends; true when more are left. */
async function answerForWindows(
  engine: PolicyEngine,
  modelId: string,
  policy: ParsedPolicy,
  windows: readonly WindowRevision[],
): Promise<boolean> {
  const { queries, ledger } = engine
  const labels = await newLabels(engine, modelId, policy)
  const answers = await readAnswers(ledger.postgres, modelId, policy.policy.name)
  const pass = nextPass(windows, answers, policy.windows)
  if (!pass) return false
  const results = await queries.results(modelId, pass.since, pass.until)
  for (const { windowEnd, revision } of pass.windows) {
    const evidence = { results, windowEnd, newLabels: labels.fresh, tick: undefined }
    const cause = windowCause(windowEnd)
    const occasion = { modelId, cause, revision, at: windowEnd, labelsKnown: labels.known }
    await decideAndRecord(engine, policy, evidence, occasion)
  }
  return pass.more
}

/** What a decision is about, besides its evidence. */
interface Occasion {
  modelId: string
  cause: string
  revision?: number
  /** Stream time for verdicts and labels, wall time for schedules; epoch milliseconds. */
  at: number
  labelsKnown: number
}

function decideAndRecord(
  { ledger }: PolicyEngine,
  parsed: ParsedPolicy,
  evidence: Evidence,
  { modelId, cause, revision = 0, at, labelsKnown }: Occasion,
) {
  const { policy } = parsed
  return decideByHistory(
    ledger,
    { modelId, policy: policy.name, cause, windowEnd: evidence.windowEnd, revision },
    (runs) => decide(parsed, evidence, runs, at),
    { policy, decidedAt: at, labelsKnown },
  )
}

/** Counts a model's labels, all and since the policy's last run, and the policy's runs; zeros where it asks for none. */
async function newLabels(
  { ledger, queries }: PolicyEngine,
  modelId: string,
  { policy, countsLabels }: ParsedPolicy,
): Promise<{ known: number; fresh: number; runs: number }> {
  if (!countsLabels) return { known: 0, fresh: 0, runs: 0 }
  const runs = await readHistory(ledger.postgres, modelId, policy.name)
  const known = await queries.labelledOutcomes(modelId)
  return { known, fresh: known - (runs.at(-1)?.labelsKnown ?? 0), runs: runs.length }
}

/** Asks policies of a model one by one: what one fails at is its own, and shown. */
async function askEach(
  engine: PolicyEngine,
  modelId: string,
  policies: readonly ParsedPolicy[],
  ask: (policy: ParsedPolicy) => Promise<boolean>,
): Promise<Evaluated> {
  const failures: Evaluated['failures'] = []
  let more = false
  for (const policy of policies) {
    const { name } = policy.policy
    try {
      if (await ask(policy)) more = true
      await recordRecovery(engine, modelId, name)
    } catch (error) {
      failures.push({ policy: name, error })
      await recordFailure(engine, modelId, name, error)
    }
  }
  return { failures, more }
}

/** Writes a row that people see at `GET /v1/decisions`; what the ledger refuses is left to the log. */
async function recordFailure(
  { ledger, sound }: PolicyEngine,
  modelId: string,
  policy: string,
  error: unknown,
): Promise<void> {
  sound.delete(JSON.stringify([modelId, policy]))
  const decision = { action: 'none' as const, reason: failureReason(messageOf(error)) }
  await recordDecision(
    ledger,
    { modelId, policy, cause: FAILURE_CAUSE, decision, windowEnd: undefined, revision: 0 },
    undefined,
  ).catch(() => {})
}

async function recordRecovery(
  { ledger, sound }: PolicyEngine,
  modelId: string,
  policy: string,
): Promise<void> {
  const key = JSON.stringify([modelId, policy])
  if (sound.has(key)) return
  await forgetDecision(ledger.postgres, modelId, policy, FAILURE_CAUSE)
  sound.add(key)
}
