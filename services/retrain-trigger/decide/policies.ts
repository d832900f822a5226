/** Policies as their conditions need to be asked, and which windows they have yet to answer for. */
import { parseCondition, testsOf, type Condition } from '../../../lib/models/policy-language.ts'
import type { RetrainPolicy } from '../../../schemas/model.ts'

/** A policy with what its condition asks for. */
export interface ParsedPolicy {
  policy: RetrainPolicy
  condition: Condition
  /** Cron expressions that the condition names; a policy with one is asked by the clock alone. */
  crons: readonly string[]
  /** Whether the condition tests verdicts: then it is asked once a window. */
  byWindow: boolean
  countsLabels: boolean
  /** Windows a verdict test looks back over. */
  windows: number
}

/** Policies by model; models without one are left out. */
export type Policies = ReadonlyMap<string, readonly ParsedPolicy[]>

/**
 * Parses the policies of models.
 *
 * @throws where a condition is not of the policy language
 */
export const parsePolicies = (
  models: readonly { modelId: string; retrain: readonly RetrainPolicy[] }[],
): Policies =>
  new Map(
    models
      .filter((model) => model.retrain.length > 0)
      .map(({ modelId, retrain }) => [modelId, retrain.map(parsePolicy)]),
  )

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

/** The policy of a model by its name; undefined where the model file has none. */
export const policyOf = (
  policies: Policies,
  modelId: string,
  name: string,
): RetrainPolicy | undefined =>
  policies.get(modelId)?.find(({ policy }) => policy.name === name)?.policy

/** Policies of a model that no schedule asks. */
export const unscheduled = (policies: Policies, modelId: string): readonly ParsedPolicy[] =>
  policies.get(modelId)?.filter(({ crons }) => crons.length === 0) ?? []

/** Policies of a model that this cron expression asks. */
export const scheduledBy = (
  policies: Policies,
  modelId: string,
  cron: string,
): readonly ParsedPolicy[] =>
  policies.get(modelId)?.filter(({ crons }) => crons.includes(cron)) ?? []

/** Models of which a policy waits for labels. */
export const labelCounters = (policies: Policies): string[] =>
  [...policies].flatMap(([modelId, parsed]) =>
    parsed.some(({ countsLabels }) => countsLabels) ? [modelId] : [],
  )

/** Every cron expression of every model, as often as policies name it. */
export const schedulesOf = (policies: Policies): { modelId: string; cron: string }[] =>
  [...policies].flatMap(([modelId, parsed]) =>
    parsed.flatMap(({ crons }) => crons.map((cron) => ({ modelId, cron }))),
  )

/** The cause under which a policy's failure is shown, until the policy can be evaluated again. */
export const FAILURE_CAUSE = 'failure'

/** Names a window by its end (epoch milliseconds) as the cause of a decision. */
export const windowCause = (windowEnd: number) => `window:${new Date(windowEnd).toISOString()}`

/** Names labels as the cause of a decision, once per run that the policy has had. */
export const labelsCause = (runs: number) => `labels:${runs}`

const MINUTE_MS = 60_000

/** Names the minute of a tick (epoch milliseconds) as the cause of a decision: processes that tick together share it. */
export const tickCause = (at: number) =>
  `cron:${new Date(Math.floor(at / MINUTE_MS) * MINUTE_MS).toISOString()}`

/** What a policy answered for a window: whether it launched, and on which revision of the window. */
export interface Answer {
  launched: boolean
  revision: number
}

/** An evaluated window by its end (epoch milliseconds), and its newest revision. */
export interface EvaluatedWindow {
  windowEnd: number
  revision: number
}

/** Windows a policy answers for in one pass. */
const WINDOWS_A_PASS = 200
/** Windows beyond those a test counts: incomplete ones do not break a streak. */
const SPARE_WINDOWS = 16

/** The windows of one pass, never empty. */
export interface Pass<W extends EvaluatedWindow> {
  windows: readonly W[]
  /** The window ends between which the policy's tests look, epoch milliseconds, both included. */
  since: number
  until: number
  /** Whether unanswered windows are left for another pass. */
  more: boolean
}

/**
 * The next windows that a policy has to answer for: those it has not answered for, and those with a newer revision than it
 * saw, unless it has launched for them.
 *
 * @param windows by end, the earliest first
 * @param back windows a test of the policy looks back over
 * @returns undefined where every window is answered for
 */
export function nextPass<W extends EvaluatedWindow>(
  windows: readonly W[],
  answers: ReadonlyMap<string, Answer>,
  back: number,
): Pass<W> | undefined {
  const unanswered = windows.filter(({ windowEnd, revision }) => {
    const earlier = answers.get(windowCause(windowEnd))
    return !earlier || (!earlier.launched && earlier.revision < revision)
  })
  const pass = unanswered.slice(0, WINDOWS_A_PASS)
  const [oldest] = pass
  if (!oldest) return undefined
  const first = Math.max(0, windows.indexOf(oldest) - back - SPARE_WINDOWS)
  return {
    windows: pass,
    since: windows[first]!.windowEnd,
    until: pass.at(-1)!.windowEnd,
    more: unanswered.length > pass.length,
  }
}

const UNPRINTABLE = /[^\P{C}\n\t]/gu

/** The reason that a decision shows for a policy's failure, without characters that no store keeps. */
export const failureReason = (message: string) =>
  `it could not be evaluated: ${message.replaceAll(UNPRINTABLE, ' ')}`
