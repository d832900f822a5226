/** Asks every policy of a model about every window it has not answered for yet, and about labels and the clock. */
import { parseCondition, testsOf, type Condition } from '../../../lib/models/policy-language.ts'
import { messageOf } from '../../../lib/runtime/errors.ts'
import type { Model, Models } from '../../../lib/models/model-files.ts'
import type { RetrainPolicy } from '../../../schemas/model.ts'
import { decide, type Evidence } from '../decide/decide.ts'
import type { PolicyQueries, WindowRevision } from '../queries/policy-queries.ts'
import type { RunLedger } from '../queries/runs.ts'

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

/** What a decision is about, besides its evidence. */
interface Occasion {
  cause: string
  revision?: number
  /** Stream time for verdicts and labels, wall time for schedules; epoch milliseconds. */
  at: number
  labelsKnown: number
}

export function policyEngine(
  models: Pick<Models, 'declared'>,
  { queries, ledger, now }: PolicyOptions,
) {
  const parsed = new Map(
    models.declared
      .filter((model) => model.retrain.length > 0)
      .map((model): [string, { model: Model; policies: ParsedPolicy[] }] => [
        model.modelId,
        { model, policies: model.retrain.map(parsePolicy) },
      ]),
  )

  function decideAndRecord(
    modelId: string,
    { policy, condition }: ParsedPolicy,
    evidence: Evidence,
    { cause, revision = 0, at, labelsKnown }: Occasion,
  ) {
    return ledger.decide(
      { modelId, policy: policy.name, cause, windowEnd: evidence.windowEnd, revision },
      (runs) => decide(policy, condition, evidence, runs, at),
      { policy, decidedAt: at, labelsKnown },
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
      await decideAndRecord(modelId, policy, evidence, { cause, at, labelsKnown: labels.known })
      return false
    }
    const answered = await ledger.answers(modelId, policy.policy.name)
    const unanswered = windows.filter(({ windowEnd, revision }) => {
      const earlier = answered.get(causeOf(windowEnd))
      return !earlier || (!earlier.launched && earlier.revision < revision)
    })
    const batch = unanswered.slice(0, WINDOWS_A_PASS)
    const [oldest] = batch
    if (!oldest) return false
    const back = windows.indexOf(oldest) - policy.windows - SPARE_WINDOWS
    const since = windows[Math.max(0, back)]!.windowEnd
    const facts = await queries.facts(modelId, since, batch.at(-1)!.windowEnd)
    for (const { windowEnd, revision } of batch) {
      const evidence = { facts, windowEnd, newLabels: labels.fresh, tick: undefined }
      await decideAndRecord(modelId, policy, evidence, {
        cause: causeOf(windowEnd),
        revision,
        at: windowEnd,
        labelsKnown: labels.known,
      })
    }
    return unanswered.length > batch.length
  }

  /** Policies, by model and name, of which no row tells of a failure; a start knows of none. */
  const sound = new Set<string>()

  /** Leaves a row that people see at `GET /v1/decisions`; what the ledger refuses is left to the log. */
  async function tellFailure(modelId: string, policy: string, error: unknown): Promise<void> {
    sound.delete(JSON.stringify([modelId, policy]))
    const reason = `it could not be evaluated: ${messageOf(error).replaceAll(UNPRINTABLE, ' ')}`
    const decision = { action: 'none' as const, reason }
    await ledger
      .decided(
        { modelId, policy, cause: FAILURE, decision, windowEnd: undefined, revision: 0 },
        undefined,
      )
      .catch(() => {})
  }

  async function tellRecovery(modelId: string, policy: string): Promise<void> {
    const key = JSON.stringify([modelId, policy])
    if (sound.has(key)) return
    await ledger.forget(modelId, policy, FAILURE)
    sound.add(key)
  }

  /** Asks policies of a model one by one: what one fails at is its own, and told. */
  async function askEach(
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
        await tellRecovery(modelId, name)
      } catch (error) {
        failures.push({ policy: name, error })
        await tellFailure(modelId, name, error)
      }
    }
    return { failures, more }
  }

  return {
    modelIds: () => [...parsed.keys()],
    /** Models of which a policy waits for labels. */
    labelCounters: () =>
      [...parsed].flatMap(([modelId, { policies }]) =>
        policies.some((policy) => policy.countsLabels) ? [modelId] : [],
      ),
    crons: () =>
      [...parsed].flatMap(([modelId, { policies }]) =>
        policies.flatMap((p) => p.crons.map((cron) => ({ modelId, cron }))),
      ),

    /** Asks each policy of a model that no schedule asks. */
    evaluate: async (modelId: string): Promise<Evaluated> => {
      const policies = parsed.get(modelId)?.policies.filter((p) => p.crons.length === 0) ?? []
      if (policies.length === 0) return { failures: [], more: false }
      const windows = await queries.windows(modelId)
      return askEach(modelId, policies, (policy) => evaluatePolicy(modelId, policy, windows))
    },

    /** A cron expression has come due. */
    tick: async (modelId: string, cron: string, at: number): Promise<Evaluated> => {
      const policies = parsed.get(modelId)?.policies.filter((p) => p.crons.includes(cron)) ?? []
      const windows = await queries.windows(modelId)
      const facts = await queries.facts(modelId, windows.at(-LOOK_BACK)?.windowEnd ?? 0)
      const windowEnd = windows.at(-1)?.windowEnd
      const cause = `cron:${new Date(Math.floor(at / 60_000) * 60_000).toISOString()}`
      return askEach(modelId, policies, async (policy) => {
        const labels = await newLabels(modelId, policy)
        const evidence = { facts, windowEnd, newLabels: labels.fresh, tick: cron }
        await decideAndRecord(modelId, policy, evidence, { cause, at, labelsKnown: labels.known })
        return false
      })
    },

    policyOf: (modelId: string, name: string): RetrainPolicy | undefined =>
      parsed.get(modelId)?.policies.find((p) => p.policy.name === name)?.policy,
  }
}
export type PolicyEngine = ReturnType<typeof policyEngine>

/** Windows a policy answers for in one pass. */
const WINDOWS_A_PASS = 200
/** The cause under which a policy's failure stands, until it can be evaluated again. */
const FAILURE = 'failure'
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
