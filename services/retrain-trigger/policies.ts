/** Asks every policy of a model about every window it has not answered for yet, and about labels and the clock. */
import { parseCondition, testsOf, type Condition } from '../../lib/conditions.ts'
import { messageOf } from '../../lib/errors.ts'
import type { Model, Models } from '../../lib/models.ts'
import type { RetrainPolicy } from '../../schemas/model.ts'
import { decide, type Evidence } from './decide.ts'
import type { PolicyQueries, WindowRevision } from './queries.ts'
import type { RunLedger } from './runs.ts'

export interface PolicyOptions {
  queries: PolicyQueries
  ledger: RunLedger
  now: () => number
}

interface ParsedPolicy {
  policy: RetrainPolicy
  condition: Condition
  crons: readonly string[]
  byWindow: boolean
  countsLabels: boolean
  /** Windows a verdict test looks back over. */
  windows: number
}

export function policyEngine(models: Models, { queries, ledger, now }: PolicyOptions) {
  const parsed = new Map(
    models.declared
      .filter((model) => model.retrain.length > 0)
      .map((model): [string, { model: Model; policies: ParsedPolicy[] }] => [
        model.modelId,
        { model, policies: model.retrain.map(parsePolicy) },
      ]),
  )

  async function decideAndRecord(
    modelId: string,
    { policy, condition }: ParsedPolicy,
    evidence: Evidence,
    cause: string,
    revision: number,
    at: number,
    labelsKnown: number,
  ) {
    const runs = await ledger.history(modelId, policy.name)
    const decision = decide(policy, condition, evidence, runs, at)
    const launches = decision.action === 'launch'
    return ledger.decided(
      { modelId, policy: policy.name, cause, decision, windowEnd: evidence.windowEnd, revision },
      launches
        ? {
            modelId,
            policy,
            cause,
            reason: decision.reason,
            windowEnd: evidence.windowEnd,
            decidedAt: at,
            labelsKnown,
          }
        : undefined,
    )
  }

  async function newLabels(
    modelId: string,
    { policy, countsLabels }: ParsedPolicy,
  ): Promise<{ known: number; fresh: number; runs: number }> {
    if (!countsLabels) return { known: 0, fresh: 0, runs: 0 }
    const runs = await ledger.history(modelId, policy.name)
    const known = await queries.labelledOutcomes(modelId)
    return { known, fresh: known - (runs.at(-1)?.labelsKnown ?? 0), runs: runs.length }
  }

  /** Answers for windows whose newest revision it has not seen, in the order of their ends; true when more are left. */
  async function evaluatePolicy(
    modelId: string,
    policy: ParsedPolicy,
    windows: readonly WindowRevision[],
  ): Promise<boolean> {
    const labels = await newLabels(modelId, policy)
    if (!policy.byWindow) {
      // Stream time of labels: the last judged window.
      const at = windows.at(-1)?.windowEnd ?? now()
      const evidence = {
        facts: [],
        windowEnd: undefined,
        tick: undefined,
        newLabels: labels.fresh,
      }
      const cause = `labels:${labels.runs}`
      await decideAndRecord(modelId, policy, evidence, cause, 0, at, labels.known)
      return false
    }
    const answered = new Map(
      (await ledger.decisions(modelId, policy.policy.name)).map((d) => [d.cause, d]),
    )
    const unanswered = windows.filter(({ windowEnd, revision }) => {
      const earlier = answered.get(causeOf(windowEnd))
      return !earlier || (earlier.action === 'none' && earlier.evidence_revision < revision)
    })
    const batch = unanswered.slice(0, WINDOWS_A_PASS)
    const [oldest] = batch
    if (!oldest) return false
    const back = windows.indexOf(oldest) - policy.windows - SPARE_WINDOWS
    const since = windows[Math.max(0, back)]!.windowEnd
    const facts = await queries.facts(modelId, since, batch.at(-1)!.windowEnd)
    for (const { windowEnd, revision } of batch) {
      const evidence = { facts, windowEnd, newLabels: labels.fresh, tick: undefined }
      const cause = causeOf(windowEnd)
      await decideAndRecord(modelId, policy, evidence, cause, revision, windowEnd, labels.known)
    }
    return unanswered.length > batch.length
  }

  /** Leaves a row that people see at `GET /v1/decisions`; what the ledger refuses is left to the log. */
  async function tellFailure(modelId: string, policy: string, error: unknown): Promise<void> {
    const reason = `it could not be evaluated: ${messageOf(error).replaceAll(UNPRINTABLE, ' ')}`
    const decision = { action: 'none' as const, reason }
    await ledger
      .decided(
        { modelId, policy, cause: 'failure', decision, windowEnd: undefined, revision: 0 },
        undefined,
      )
      .catch(() => {})
  }

  return {
    modelIds: () => [...parsed.keys()],
    crons: () =>
      [...parsed].flatMap(([modelId, { policies }]) =>
        policies.flatMap((p) => p.crons.map((cron) => ({ modelId, cron }))),
      ),

    /** Asks each policy of a model by itself: what one fails at is its own, and told. */
    evaluate: async (modelId: string): Promise<Evaluated> => {
      const entry = parsed.get(modelId)
      if (!entry) return { failures: [], more: false }
      const windows = await queries.windows(modelId)
      const failures: Evaluated['failures'] = []
      let more = false
      for (const policy of entry.policies.filter((p) => p.crons.length === 0))
        try {
          if (await evaluatePolicy(modelId, policy, windows)) more = true
        } catch (error) {
          const { name } = policy.policy
          failures.push({ policy: name, error })
          await tellFailure(modelId, name, error)
        }
      return { failures, more }
    },

    /** A cron expression has come due. */
    tick: async (modelId: string, cron: string, at: number): Promise<void> => {
      const entry = parsed.get(modelId)
      const windows = await queries.windows(modelId)
      const facts = await queries.facts(modelId, windows.at(-LOOK_BACK)?.windowEnd ?? 0)
      for (const policy of entry?.policies.filter((p) => p.crons.includes(cron)) ?? []) {
        const labels = await newLabels(modelId, policy)
        const evidence = {
          facts,
          windowEnd: windows.at(-1)?.windowEnd,
          newLabels: labels.fresh,
          tick: cron,
        }
        const minute = new Date(Math.floor(at / 60_000) * 60_000).toISOString()
        await decideAndRecord(modelId, policy, evidence, `cron:${minute}`, 0, at, labels.known)
      }
    },

    policyOf: (modelId: string, name: string): RetrainPolicy | undefined =>
      parsed.get(modelId)?.policies.find((p) => p.policy.name === name)?.policy,
  }
}
export type PolicyEngine = ReturnType<typeof policyEngine>

/** Windows a policy answers for in one pass. */
const WINDOWS_A_PASS = 200
const UNPRINTABLE = /[^\P{C}\n\t]/gu

/** What became of one look at a model: the policies that failed, and whether windows are left for another. */
export interface Evaluated {
  failures: { policy: string; error: unknown }[]
  more: boolean
}

/** Windows beyond those a test counts: incomplete ones do not break a streak. */
const SPARE_WINDOWS = 16
const LOOK_BACK = 64

const causeOf = (windowEnd: number) => `window:${new Date(windowEnd).toISOString()}`

function parsePolicy(policy: RetrainPolicy): ParsedPolicy {
  const condition = parseCondition(policy.when)
  const tests = testsOf(condition)
  return {
    policy,
    condition,
    crons: tests.flatMap((test) => (test.kind === 'schedule' ? [test.cron] : [])),
    byWindow: tests.some((test) => test.kind === 'verdict'),
    countsLabels: tests.some((test) => test.kind === 'labels'),
    windows: Math.max(1, ...tests.map((test) => (test.kind === 'verdict' ? test.windows : 1))),
  }
}
