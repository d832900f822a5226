/** Policies as their conditions need to be asked, and which windows they have yet to answer for. */
import { isBaseline, type Model } from '../../../lib/models/model-files.ts'
import { testsOf } from '../../../lib/models/language/logic.ts'
import { parseCondition } from '../../../lib/models/language/policy-language.ts'
import {
  isWindowTest,
  type CanaryTest,
  type Condition,
} from '../../../lib/models/language/policy-tests.ts'
import type { Launch } from '../../../schemas/launch.ts'
import type { RetrainPolicy } from '../../../schemas/model-retrain.ts'
import { isOfOccasion, type Occasion, type Schedule } from './condition-tests.ts'

/** A policy with what its condition asks for. */
export interface ParsedPolicy {
  policy: RetrainPolicy
  condition: Condition
  schedules: readonly Schedule[]
  /** Names of the alerts it waits for. */
  alerts: readonly string[]
  /** What may make the condition true; a policy is asked on each of them. */
  askedOn: ReadonlySet<Occasion['kind']>
  countsLabels: boolean
  countsPredictions: boolean
  /** How long no event must have come, milliseconds of wall time, for each test that asks so. */
  silences: readonly number[]
  /** What it asks of canaries. */
  canaries: readonly CanaryTest[]
  /** Windows its tests look back over. */
  windows: number
  /** Versions its tests name, and '' for the model as a whole. */
  versions: readonly string[]
  /** `family/metric` of the values it compares. */
  values: readonly string[]
  /** The reference that verdicts come from; values against others are not compared. */
  baseline: string
  /** SHA-256 of the model file that it is of; '' where it stands alone. */
  modelFile: string
}

/** Policies by model; models without one are left out. */
export type Policies = ReadonlyMap<string, readonly ParsedPolicy[]>

type ModelPolicies = Pick<Model, 'modelId' | 'retrain' | 'references' | 'sha256'>

/**
 * Parses the policies of models.
 *
 * @throws where a condition is not of the policy language
 */
export const parsePolicies = (models: readonly ModelPolicies[]): Policies =>
  new Map(
    models
      .filter((model) => model.retrain.length > 0)
      .map((model) => [
        model.modelId,
        model.retrain.map((policy) => ({
          ...parsedAlone(policy, baselineOf(model)),
          modelFile: model.sha256,
        })),
      ]),
  )

const OCCASIONS: readonly Occasion['kind'][] = ['window', 'tick', 'alert', 'news']

/** The reference that verdicts of a model come from; '' where it has none. */
export const baselineOf = ({ references }: Pick<Model, 'references'>): string =>
  Object.entries(references).find(([, reference]) => isBaseline(reference))?.[0] ?? ''

/**
 * Parses one policy.
 *
 * @param baseline the reference that verdicts come from; '' where there is none
 * @throws where its condition is not of the policy language
 */
export function parsedAlone(policy: RetrainPolicy, baseline: string): ParsedPolicy {
  const condition = parseCondition(policy.when)
  const tests = testsOf(condition)
  const ofWindows = tests.filter(isWindowTest)
  return {
    policy,
    condition,
    schedules: tests.flatMap((test) =>
      test.kind === 'schedule' ? [{ cron: test.cron, timezone: test.timezone }] : [],
    ),
    alerts: tests.flatMap((test) => (test.kind === 'alert' ? [test.name] : [])),
    askedOn: new Set(OCCASIONS.filter((occasion) => couldHold(condition, occasion))),
    countsLabels: tests.some((test) => test.kind === 'labels'),
    countsPredictions: tests.some((test) => test.kind === 'predictions'),
    silences: tests.flatMap((test) => (test.kind === 'silence' ? [test.forMs] : [])),
    canaries: tests.filter((test) => test.kind === 'canary'),
    windows: Math.max(1, ...ofWindows.map((test) => test.of)),
    versions: [...new Set(['', ...ofWindows.map((test) => test.version ?? '')])],
    values: ofWindows.flatMap((test) =>
      test.kind === 'value' ? [`${test.family}/${test.metric}`] : [],
    ),
    baseline,
    modelFile: '',
  }
}

/** What a condition may come to. */
interface Prospect {
  true: boolean
  false: boolean
  /** Whether what the occasion is about has a say in it. */
  isNews: boolean
}

/** Whether a condition may hold on an occasion, by something that the occasion is about. */
function couldHold(condition: Condition, occasion: Occasion['kind']): boolean {
  const prospect = prospectOf(condition, occasion)
  return prospect.true && prospect.isNews
}

/** A schedule is false but at its tick, and an alert but when it comes. */
function prospectOf(condition: Condition, occasion: Occasion['kind']): Prospect {
  if (condition.kind === 'not') {
    const inner = prospectOf(condition.inner, occasion)
    return { ...inner, true: inner.false, false: inner.true }
  }
  if (condition.kind !== 'and' && condition.kind !== 'or') {
    const isNews = isOfOccasion(condition, occasion)
    const isMoment = condition.kind === 'schedule' || condition.kind === 'alert'
    return { true: isNews || !isMoment, false: true, isNews }
  }
  const sides = [prospectOf(condition.left, occasion), prospectOf(condition.right, occasion)]
  const isAnd = condition.kind === 'and'
  const isTrue = isAnd ? sides.every((side) => side.true) : sides.some((side) => side.true)
  const isFalse = isAnd ? sides.some((side) => side.false) : sides.every((side) => side.false)
  return { true: isTrue, false: isFalse, isNews: sides.some((side) => side.isNews && side.true) }
}

/** The policy of a model by its name; undefined where the model file has none. */
export const policyOf = (
  policies: Policies,
  modelId: string,
  name: string,
): RetrainPolicy | undefined => parsedPolicyOf(policies, modelId, name)?.policy

/**
 * The policy of a model by its name with what it asks for; undefined where the model file has none.
 */
export const parsedPolicyOf = (
  policies: Policies,
  modelId: string,
  name: string,
): ParsedPolicy | undefined => policies.get(modelId)?.find(({ policy }) => policy.name === name)

/** Policies of a model that are asked about windows or about what else is new. */
export const askedByLooks = (policies: Policies, modelId: string): readonly ParsedPolicy[] =>
  policies.get(modelId)?.filter(({ askedOn }) => askedOn.has('window') || askedOn.has('news')) ?? []

/** Policies of a model that a tick of this schedule asks. */
export const scheduledBy = (
  policies: Policies,
  modelId: string,
  { cron, timezone }: Schedule,
): readonly ParsedPolicy[] =>
  policies
    .get(modelId)
    ?.filter(({ schedules }) =>
      schedules.some((s) => s.cron === cron && s.timezone === timezone),
    ) ?? []

/** Policies of a model that wait for an alert of this name. */
export const alertedBy = (
  policies: Policies,
  modelId: string,
  name: string,
): readonly ParsedPolicy[] =>
  policies.get(modelId)?.filter(({ alerts }) => alerts.includes(name)) ?? []

/** Models of which a policy waits for labels, predictions or silence: nothing tells of these. */
export const modelsToLookAt = (policies: Policies): string[] =>
  [...policies].flatMap(([modelId, parsed]) =>
    parsed.some(({ askedOn }) => askedOn.has('news')) ? [modelId] : [],
  )

/** Every schedule of every model, once. */
export const schedulesOf = (policies: Policies): ({ modelId: string } & Schedule)[] =>
  [...policies].flatMap(([modelId, parsed]) => {
    const all = parsed.flatMap(({ schedules }) => schedules)
    const byName = new Map(all.map((s) => [JSON.stringify([s.cron, s.timezone]), s]))
    return [...byName.values()].map((schedule) => ({ modelId, ...schedule }))
  })

/** The cause under which a policy's failure is shown, until the policy can be evaluated again. */
export const FAILURE_CAUSE = 'failure'

/** Names a window by its end (epoch milliseconds) as the cause of a decision. */
export const windowCause = (windowEnd: number) => `window:${new Date(windowEnd).toISOString()}`

const MINUTE_MS = 60_000

/**
 * Names the minute of a tick (epoch milliseconds) as the cause of a decision: processes that tick
 * together share it.
 */
export const tickCause = (at: number) =>
  `cron:${new Date(Math.floor(at / MINUTE_MS) * MINUTE_MS).toISOString()}`

/**
 * What a policy answered for a window: whether it launched, and on which revision of the window.
 */
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
export const SPARE_WINDOWS = 16

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
 * The next windows that a policy has to answer for: those it has not answered for, and those with a
 * newer revision than it saw, unless it has launched for them.
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

/**
 * How a run is launched by its policy as it is now: the job of retraining, or a step of traffic;
 * undefined where the model file no longer has it.
 */
export function launchOfRun(
  policies: Policies,
  run: { model_id: string; policy: string; step: object | null },
): Launch | undefined {
  const policy = policyOf(policies, run.model_id, run.policy)
  return run.step ? policy?.promote?.launch : policy?.launch
}

const UNPRINTABLE = /[^\P{C}\n\t]/gu

/**
 * The reason that a decision shows for a policy's failure, without characters that no store keeps.
 */
export const failureReason = (message: string) =>
  `it could not be evaluated: ${message.replaceAll(UNPRINTABLE, ' ')}`
