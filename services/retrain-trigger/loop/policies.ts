/**
 * Asks every policy of a model about every window it has not answered for yet, and about what else
 * is new.
 */
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import { decide } from '../decide/decide.ts'
import { newsCause } from '../decide/news-cause.ts'
import { groundsOf } from '../decide/grounds.ts'
import type { Evidence, Occasion, Schedule } from '../decide/condition-tests.ts'
import {
  askedByLooks,
  FAILURE_CAUSE,
  failureReason,
  nextPass,
  parsePolicies,
  scheduledBy,
  tickCause,
  windowCause,
  type ParsedPolicy,
  type Policies,
} from '../decide/policies.ts'
import { decideByHistory, forgetDecision, recordDecision } from '../queries/decision-ledger.ts'
import { readAnswers } from '../queries/decisions.ts'
import type { Ledger } from '../queries/ledger.ts'
import type { PolicyQueries, WindowRevision } from '../queries/policy-queries.ts'
import { triggersOf } from '../decide/triggers.ts'
import { canaryAsked, isSilent, readNews, type News } from './news.ts'
import { answerForRestated } from './restated-windows.ts'
import { newestEvidence, readWindowEvidence } from './window-evidence.ts'

/** The policies of a process, what they read and where they record. */
export interface PolicyEngine {
  /** Those of the model files in force; whoever does a piece of work takes them once. */
  readonly policies: Policies
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
): PolicyEngine => {
  let declared = models.declared
  let policies = parsePolicies(declared)
  return {
    ...parts,
    get policies() {
      if (models.declared !== declared) {
        declared = models.declared
        policies = parsePolicies(declared)
      }
      return policies
    },
    sound: new Set(),
  }
}

/**
 * What became of one look at a model: the policies that failed, and whether windows are left for
 * another.
 */
export interface Evaluated {
  failures: { policy: string; error: unknown }[]
  more: boolean
}

/**
 * Asks each policy of a model about its windows, and about what else is new, as its condition
 * needs.
 */
export async function evaluatePolicies(engine: PolicyEngine, modelId: string): Promise<Evaluated> {
  const policies = askedByLooks(engine.policies, modelId)
  if (policies.length === 0) return { failures: [], more: false }
  const windows = await engine.queries.windows(modelId)
  return askEach(engine, modelId, policies, async (policy) => {
    const { askedOn } = policy
    const isMore =
      askedOn.has('window') && (await answerForWindows(engine, modelId, policy, windows))
    // What else is new is asked of the newest window, so once those before it are answered for.
    if (askedOn.has('news') && !isMore) await answerForNews(engine, modelId, policy, windows)
    return isMore
  })
}

/** Asks each policy of a model whose schedule has come due at `at`, epoch milliseconds. */
export const tickPolicies = (
  engine: PolicyEngine,
  modelId: string,
  due: Schedule,
  at: number,
): Promise<Evaluated> =>
  askNow(engine, modelId, scheduledBy(engine.policies, modelId, due), {
    occasion: { kind: 'tick', ...due },
    cause: tickCause(at),
    at,
  })

/** Asks policies at a moment of wall time, about the newest window. */
export async function askNow(
  engine: PolicyEngine,
  modelId: string,
  policies: readonly ParsedPolicy[],
  { occasion, cause, at }: { occasion: Occasion; cause: string; at: number },
): Promise<Evaluated> {
  if (policies.length === 0) return { failures: [], more: false }
  const windows = await engine.queries.windows(modelId)
  return askEach(engine, modelId, policies, async (policy) => {
    const news = await readNews(engine, modelId, policy)
    const evidence = await newestEvidence(engine.queries, modelId, policy, windows)
    await decideAndRecord(
      engine,
      policy,
      { ...evidence, ...news, occasion },
      { modelId, cause, at, news },
    )
    return false
  })
}

/** Answers once for what is new since the policy's last run: labels, predictions, silence. */
async function answerForNews(
  engine: PolicyEngine,
  modelId: string,
  policy: ParsedPolicy,
  windows: readonly WindowRevision[],
): Promise<void> {
  const news = await readNews(engine, modelId, policy)
  const evidence = policy.askedOn.has('window')
    ? await newestEvidence(engine.queries, modelId, policy, windows)
    : { results: [], values: [], windowEnd: undefined }
  // The stream time of what is new is the end of the last evaluated window.
  const at = windows.at(-1)?.windowEnd ?? engine.ledger.now()
  const silentSince = isSilent(policy, news) ? news.lastReceived : undefined
  const cause = newsCause(news.from, silentSince, canaryAsked(policy, news))
  await decideAndRecord(
    engine,
    policy,
    { ...evidence, ...news, occasion: { kind: 'news' } },
    { modelId, cause, at, news },
  )
}

/**
 * Answers for windows whose newest revision the policy has not seen, in the order of their ends;
 * true when more are left.
 */
async function answerForWindows(
  engine: PolicyEngine,
  modelId: string,
  policy: ParsedPolicy,
  windows: readonly WindowRevision[],
): Promise<boolean> {
  const { queries, ledger } = engine
  const answers = await readAnswers(ledger.postgres, modelId, policy.policy.name)
  const isMore = await answerForRestated(engine, { modelId, policy }, windows, answers)
  const pass = nextPass(windows, answers, policy.windows)
  if (!pass) return isMore
  const news = await readNews(engine, modelId, policy)
  const { since, until } = pass
  const evidence = await readWindowEvidence(queries, modelId, policy, { since, until })
  for (const { windowEnd, revision, computedAt } of pass.windows)
    await decideAndRecord(
      engine,
      policy,
      { ...evidence, ...news, windowEnd, occasion: { kind: 'window' } },
      {
        modelId,
        cause: windowCause(windowEnd),
        revision,
        at: windowEnd,
        news,
        detectedAt: computedAt,
      },
    )
  return pass.more || isMore
}

/** What a decision is about, besides its evidence. */
interface Occurrence {
  modelId: string
  cause: string
  revision?: number
  /** Stream time for windows and counts, wall time for schedules and alerts; epoch milliseconds. */
  at: number
  news: News
  /** When the window was evaluated, epoch milliseconds. */
  detectedAt?: number
}

function decideAndRecord(
  { ledger }: PolicyEngine,
  parsed: ParsedPolicy,
  evidence: Evidence,
  { modelId, cause, revision = 0, at, news, detectedAt }: Occurrence,
) {
  const { policy } = parsed
  return decideByHistory(
    ledger,
    { modelId, policy: policy.name, cause, windowEnd: evidence.windowEnd, revision },
    (runs) => {
      const decision = decide(parsed, evidence, runs, at)
      return decision.action === 'launch'
        ? { ...decision, grounds: groundsOf(parsed, evidence, runs, at) }
        : decision
    },
    {
      policy,
      modelFile: parsed.modelFile,
      decidedAt: at,
      labelsKnown: news.labelsKnown,
      predictionsKnown: news.predictionsKnown,
      triggers: triggersOf(parsed.condition, evidence),
      detectedAt,
    },
  )
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

/**
 * Writes a row that people see at `GET /v1/decisions`; what the ledger refuses is left to the log.
 */
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
