/** (requirements, evidence, now) -> whether a candidate is promoted, rejected or waited for. Pure. */
import {
  parseRequirement,
  SHADOW_METRICS,
  type Requirement,
} from '../../../lib/models/guards/acceptance.ts'
import type { Validation } from '../../../schemas/model-retrain.ts'
import type { Acceptance, RequirementResult } from '../../../schemas/http/runs/run-outcomes.ts'
import { compares } from './condition-tests.ts'

/** What one version answered to the requests that both answered. */
export interface ArmCounts {
  /** Requests, and those of them with a truth that this arm's answer can be held against. */
  events: number
  labelled: number
  correct: number
  tp: number
  fp: number
  fn: number
  /** Pairs with numbers on both sides, and sums over them. */
  numbers: number
  absErrors: number
  squaredErrors: number
  labelSum: number
  labelSquares: number
  /** Pairs with a probability, and sums over them. */
  scored: number
  logLoss: number
  brier: number
  auc: number | null
  failed: number
  latencies: number
  p50: number | null
  p95: number | null
  p99: number | null
  /** Answers with a time to first token, and its quantiles. */
  firstTokens: number
  first50: number | null
  first95: number | null
  first99: number | null
  costs: number
  costSum: number
}

/** What a job reported of the candidate and of the version that serves, by `family.metric`. */
export interface Reported {
  candidate: Readonly<Record<string, number>>
  current: Readonly<Record<string, number>>
}

/** What is known of a candidate. */
export interface CandidateEvidence {
  /** Undefined where no shadow predictions are there. */
  shadow: { candidate: ArmCounts; current: ArmCounts } | undefined
  reported: Reported | undefined
  /** '' where the job has told no version. */
  version: string
}

/** When it is asked, and until when incomplete evidence is waited for; epoch milliseconds. */
export interface AcceptanceTerms {
  validation: Pick<Validation, 'evidence' | 'min_events'>
  now: number
  until: number
}

/**
 * Decides about a candidate: rejected as soon as one requirement is known not to be met, promoted
 * once all are met, and rejected where the evidence is incomplete at `until`.
 */
export function acceptanceOf(
  accept: readonly string[],
  evidence: CandidateEvidence,
  terms: AcceptanceTerms,
): Acceptance {
  const requirements = accept.map((text) => resultOf(parseRequirement(text), evidence, terms))
  const common = {
    requirements,
    evaluated_at: new Date(terms.now).toISOString(),
    until: new Date(terms.until).toISOString(),
  }
  const missed = requirements.filter(({ met }) => met === false)
  const open = requirements.filter(({ met }) => met === null)
  if (missed.length > 0)
    return { decision: 'rejected', reason: `not reached: ${sentences(missed)}`, ...common }
  if (open.length === 0)
    return { decision: 'promoted', reason: `reached: ${sentences(requirements)}`, ...common }
  const lacking = open.map(({ requirement, reason }) => `${requirement} (${reason})`).join('; ')
  return terms.now < terms.until
    ? { decision: 'waiting', reason: `the evidence is incomplete: ${lacking}`, ...common }
    : {
        decision: 'rejected',
        reason: `the evidence was still incomplete at the time limit: ${lacking}`,
        ...common,
      }
}

const rounded = (value: number | null) =>
  value === null ? 'unknown' : String(Number(value.toPrecision(4)))

const sentences = (results: readonly RequirementResult[]) =>
  results
    .map(({ requirement, candidate, current, line, source, n }) => {
      const by = source === 'shadow' ? `by ${n} shadow predictions` : 'as its job reported'
      const beside = /\bcurrent\b/.test(requirement)
        ? `, current ${rounded(current)}, line ${rounded(line)}`
        : ''
      return `${requirement} (candidate ${rounded(candidate)}${beside}, ${by})`
    })
    .join('; ')

/** Numbers of one source, or why there are none. */
type Told = Pick<RequirementResult, 'candidate' | 'current' | 'n'> | { reason: string }

function resultOf(
  requirement: Requirement,
  evidence: CandidateEvidence,
  { validation: { evidence: from, min_events: least } }: AcceptanceTerms,
): RequirementResult {
  const needsCurrent = requirement.factor !== 0
  const whole = (told: Told): Told => {
    if ('reason' in told) return told
    if (told.candidate === null) return { reason: 'the candidate has no such number' }
    return needsCurrent && told.current === null
      ? { reason: 'the version that serves has no such number' }
      : told
  }
  const sources = [
    ...(from === 'reported'
      ? []
      : [['shadow', whole(byShadow(requirement, evidence, least))] as const]),
    ...(from === 'shadow' ? [] : [['reported', whole(byReport(requirement, evidence))] as const]),
  ]
  const found = sources.find(([, told]) => !('reason' in told))
  if (!found) {
    const reason = sources.map(([, told]) => ('reason' in told ? told.reason : '')).join(', and ')
    return {
      requirement: requirement.text,
      met: null,
      candidate: null,
      current: null,
      line: null,
      source: 'none',
      n: 0,
      reason,
    }
  }
  const [source, told] = found as ['shadow' | 'reported', Exclude<Told, { reason: string }>]
  const line = requirement.factor * (told.current ?? 0) + requirement.offset
  const met = compares(told.candidate!, { sign: requirement.sign, limit: line })
  return { requirement: requirement.text, met, ...told, line, source, reason: '' }
}

function byShadow(
  { metric }: Requirement,
  { shadow, version }: CandidateEvidence,
  least: number,
): Told {
  if (!SHADOW_METRICS.has(metric)) return { reason: 'shadow predictions do not tell it' }
  if (version === '') return { reason: 'the job has told no new version' }
  if (!shadow) return { reason: `version ${version} has no shadow predictions beside served ones` }
  const [candidate, current] = [
    metricOf(shadow.candidate, metric),
    metricOf(shadow.current, metric),
  ]
  const n = Math.min(candidate.n, current.n)
  return n < least
    ? { reason: `${n} of ${least} requests that shadow predictions are counted by` }
    : { candidate: candidate.value, current: current.value, n }
}

function byReport({ metric }: Requirement, { reported }: CandidateEvidence): Told {
  const candidate = reported && Object.hasOwn(reported.candidate, metric)
  if (!candidate) return { reason: 'the job has not reported it' }
  const current = Object.hasOwn(reported.current, metric) ? reported.current[metric]! : null
  return { candidate: reported.candidate[metric]!, current, n: 0 }
}

/**
 * A metric of one arm, and by how many requests it is told; null where it has no value.
 *
 * @param metric one of `SHADOW_METRICS`
 */
export function metricOf(arm: ArmCounts, metric: string): { value: number | null; n: number } {
  const { labelled, numbers, scored, events, tp, fp, fn } = arm
  const ratio = (above: number, below: number) => (below > 0 ? above / below : null)
  switch (metric.slice(metric.indexOf('.') + 1)) {
    case 'accuracy':
      return { value: ratio(arm.correct, labelled), n: labelled }
    case 'precision':
      return { value: ratio(tp, tp + fp), n: labelled }
    case 'recall':
      return { value: ratio(tp, tp + fn), n: labelled }
    case 'f1':
      return { value: ratio(2 * tp, 2 * tp + fp + fn), n: labelled }
    case 'mae':
      return { value: ratio(arm.absErrors, numbers), n: numbers }
    case 'rmse':
      return { value: numbers > 0 ? Math.sqrt(arm.squaredErrors / numbers) : null, n: numbers }
    case 'r2':
      return { value: rSquared(arm), n: numbers }
    case 'log_loss':
      return { value: ratio(arm.logLoss, scored), n: scored }
    case 'brier':
      return { value: ratio(arm.brier, scored), n: scored }
    case 'roc_auc':
      return { value: arm.auc, n: scored }
    case 'error_ratio':
      return { value: ratio(arm.failed, events), n: events }
    case 'latency_p50_ms':
      return { value: arm.p50, n: arm.latencies }
    case 'latency_p95_ms':
      return { value: arm.p95, n: arm.latencies }
    case 'latency_p99_ms':
      return { value: arm.p99, n: arm.latencies }
    case 'time_to_first_token_p50_ms':
      return { value: arm.first50, n: arm.firstTokens }
    case 'time_to_first_token_p95_ms':
      return { value: arm.first95, n: arm.firstTokens }
    case 'time_to_first_token_p99_ms':
      return { value: arm.first99, n: arm.firstTokens }
    default:
      return { value: ratio(arm.costSum, arm.costs), n: arm.costs }
  }
}

/** Null where the truths are all alike. */
function rSquared({ numbers, squaredErrors, labelSum, labelSquares }: ArmCounts): number | null {
  const spread = labelSquares - labelSum ** 2 / Math.max(1, numbers)
  return numbers > 1 && spread > 0 ? 1 - squaredErrors / spread : null
}
