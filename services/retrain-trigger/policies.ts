/** Asks every policy of a model about every window it has not answered for yet, and about labels and the clock. */
import { parseCondition, testsOf, type Condition } from '../../lib/conditions.ts'
import type { Model, Models } from '../../lib/models.ts'
import type { RetrainPolicy } from '../../schemas/model.ts'
import { decide, type Evidence } from './decide.ts'
import type { PolicyQueries } from './queries.ts'
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

  return {
    modelIds: () => [...parsed.keys()],
    crons: () =>
      [...parsed].flatMap(([modelId, { policies }]) =>
        policies.flatMap((p) => p.crons.map((cron) => ({ modelId, cron }))),
      ),

    /** Answers for every window whose newest revision a policy has not seen, in the order of their ends. */
    evaluate: async (modelId: string): Promise<void> => {
      const entry = parsed.get(modelId)
      if (!entry) return
      const windows = await queries.windows(modelId)
      const open = entry.policies.filter((p) => p.crons.length === 0)
      for (const policy of open) {
        const labels = await newLabels(modelId, policy)
        if (!policy.byWindow) {
          // Stream time of labels: the last judged window.
          const at = windows.at(-1)?.windowEnd ?? now()
          const evidence = {
            facts: [],
            windowEnd: undefined,
            newLabels: labels.fresh,
            tick: undefined,
          }
          await decideAndRecord(
            modelId,
            policy,
            evidence,
            `labels:${labels.runs}`,
            0,
            at,
            labels.known,
          )
          continue
        }
        const answered = new Map(
          (await ledger.decisions(modelId, policy.policy.name)).map((d) => [d.cause, d]),
        )
        const unanswered = windows.filter(({ windowEnd, revision }) => {
          const earlier = answered.get(causeOf(windowEnd))
          return !earlier || (earlier.action === 'none' && earlier.evidence_revision < revision)
        })
        const [oldest] = unanswered
        if (!oldest) continue
        const since =
          windows[Math.max(0, windows.indexOf(oldest) - policy.windows - SPARE_WINDOWS)]!.windowEnd
        const facts = await queries.facts(modelId, since)
        for (const { windowEnd, revision } of unanswered) {
          const evidence = { facts, windowEnd, newLabels: labels.fresh, tick: undefined }
          await decideAndRecord(
            modelId,
            policy,
            evidence,
            causeOf(windowEnd),
            revision,
            windowEnd,
            labels.known,
          )
        }
      }
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
