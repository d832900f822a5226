/** (rollout, terms, what is known, now) -> where the traffic of a candidate goes next. Pure. */
import type { CanaryAnswer } from '../../../lib/stats/canary/compare-arms.ts'
import { durationMs } from '../../../lib/runtime/durations.ts'
import type { Promote } from '../../../schemas/model-retrain.ts'
import type { Rollout, StepVerdict } from '../../../schemas/http/runs/rollout.ts'

/** The rules of a rollout that a run keeps; how its steps are launched is the model file's. */
export type StepTerms = Omit<Promote, 'launch'>

/** Where the launch of a step stands; times are epoch milliseconds. */
export interface StepLaunch {
  state: string
  message: string
  launchedAt: number | undefined
}

/** What is known when it is asked; times are epoch milliseconds. */
export interface RolloutFacts {
  rollout: Rollout
  terms: StepTerms
  /** The candidate; '' where its job has told none. */
  version: string
  launch: StepLaunch | undefined
  /** Events that each version served, since the step is served or lately; shadows left out. */
  served: ReadonlyMap<string, number>
  /** Undefined where both versions have no events of the same days. */
  verdict: StepVerdict | undefined
  now: number
  /** How far events have come. */
  streamAt: number
}

/** What follows; `stay` keeps what was learned and changes nothing else. */
export type Move =
  | { kind: 'stay'; rollout: Rollout }
  | { kind: 'step'; place: number; currentVersion: string; reason: string }
  | { kind: 'roll_back'; reason: string }
  | { kind: 'hold'; reason: string; severity: Rollout['severity']; proposes: Rollout['proposes'] }
  | { kind: 'promote'; reason: string }
  | { kind: 'rolled_back'; reason: string }

/** Below this many events of a candidate that were to be expected, none of them says nothing. */
const LEAST_EXPECTED = 30

/** A rollout that has not begun. */
export const newRollout = ({ steps, step_within: within }: StepTerms, now: number): Rollout => ({
  state: 'waiting',
  steps: [...steps],
  place: -1,
  share: 0,
  current_version: '',
  step_run: null,
  begun_at: new Date(now).toISOString(),
  served_at: null,
  served_stream_at: null,
  until: new Date(now + durationMs(within)).toISOString(),
  reason: 'waits for the new version',
  proposes: null,
  severity: null,
  verdict: null,
  turn: 0,
})

/** Where the traffic of a candidate goes next by itself. */
export function nextMove(facts: RolloutFacts): Move {
  const { rollout } = facts
  if (rollout.state === 'waiting') return first(facts)
  if (rollout.state === 'moving') return whileMoving(facts)
  if (rollout.state === 'watching') return whileWatching(facts)
  if (rollout.state === 'going_back') return whileGoingBack(facts)
  return rollout.state === 'held' ? whileHeld(facts) : { kind: 'stay', rollout }
}

const held = (
  reason: string,
  severity: Rollout['severity'],
  proposes: Rollout['proposes'] = null,
): Move => ({ kind: 'hold', reason, severity, proposes })

const isLate = ({ rollout: { until }, now }: RolloutFacts) =>
  until !== null && now >= Date.parse(until)

function first(facts: RolloutFacts): Move {
  const { rollout, version, terms } = facts
  const current = mostServed(facts)
  const why =
    version === ''
      ? 'its job has told no new version'
      : current === undefined
        ? `no other version serves that ${version} could be held against`
        : undefined
  if (why === undefined) {
    const reason = `version ${current} serves`
    return { kind: 'step', place: 0, currentVersion: current!, reason }
  }
  return isLate(facts)
    ? held(`${why}, within ${terms.step_within}`, 'warning')
    : { kind: 'stay', rollout: { ...rollout, reason: why } }
}

/** The version that serves most beside the candidate; undefined where none does. */
function mostServed({
  served,
  version,
}: Pick<RolloutFacts, 'served' | 'version'>): string | undefined {
  const others = [...served].filter(([name, n]) => name !== version && n > 0)
  return others.toSorted((a, b) => b[1] - a[1])[0]?.[0]
}

const ENDED_BADLY = ['failed', 'timed_out', 'cancelled']

function whileMoving(facts: RolloutFacts): Move {
  const { rollout, terms, launch } = facts
  const { share } = rollout
  if (launch?.state === 'succeeded') {
    if (share === 100) return { kind: 'promote', reason: 'all of the traffic is its own' }
    return { kind: 'stay', rollout: asServed(facts, 'watching') }
  }
  if (!launch || ENDED_BADLY.includes(launch.state))
    return held(`the step to ${share} % was not made${told(launch)}`, 'alarm')
  const timed = asLaunched(facts)
  if (!isLate({ ...facts, rollout: timed })) return { kind: 'stay', rollout: timed }
  const late = `the step to ${share} % was not made within ${terms.step_within}`
  return terms.when_late === 'roll_back' ? { kind: 'roll_back', reason: late } : held(late, 'alarm')
}

const told = (launch: StepLaunch | undefined) =>
  launch === undefined || launch.message === '' ? '' : `: ${launch.message}`

/** Time runs from the launch on: what quiet hours hold back is not late. */
function asLaunched({ rollout, terms, launch }: RolloutFacts): Rollout {
  if (rollout.until !== null || launch?.launchedAt === undefined) return rollout
  const until = launch.launchedAt + durationMs(terms.step_within)
  return { ...rollout, until: new Date(until).toISOString() }
}

function asServed(facts: RolloutFacts, state: 'watching' | 'held'): Rollout {
  const { now, streamAt } = facts
  return {
    ...asLaunched(facts),
    state,
    served_at: new Date(now).toISOString(),
    // The newest event is of before the step.
    served_stream_at: new Date(streamAt + 1).toISOString(),
  }
}

function whileGoingBack({ rollout, launch }: RolloutFacts): Move {
  if (launch?.state === 'succeeded') return { kind: 'rolled_back', reason: rollout.reason }
  return !launch || ENDED_BADLY.includes(launch.state)
    ? held(`the traffic was not given back${told(launch)}`, 'alarm', 'roll_back')
    : { kind: 'stay', rollout }
}

function whileWatching(facts: RolloutFacts): Move {
  const { rollout, terms, version, verdict, now } = facts
  const known: Rollout = { ...rollout, verdict: verdict ?? rollout.verdict }
  const away = awayReason(facts)
  if (away !== undefined) return held(away, 'warning')
  if (verdict?.decision === 'invalid') return held(verdict.reason, 'warning')
  if (verdict?.decision === 'worse') return whenWorse(facts, verdict)
  const next = rollout.place + 1
  const { current_version: currentVersion } = rollout
  const lacking = lackingOf(facts)
  if (lacking === '')
    return { kind: 'step', place: next, currentVersion, reason: goodReason(facts, verdict) }
  if (!isLate(facts)) return { kind: 'stay', rollout: { ...known, reason: lacking } }
  const late = `late: within ${terms.step_within} of ${rollout.share} % for version ${version}, ${lacking}`
  if (terms.when_late === 'go_on' && now >= servedUntil(facts))
    return { kind: 'step', place: next, currentVersion, reason: late }
  return terms.when_late === 'roll_back'
    ? { kind: 'roll_back', reason: late }
    : held(late, 'warning')
}

/** Why the two versions cannot be held against each other any more; undefined where they can. */
function awayReason({ rollout, terms, version, served }: RolloutFacts): string | undefined {
  const { current_version: current, share } = rollout
  const of = (name: string) => served.get(name) ?? 0
  const all = [...served.values()].reduce((sum, n) => sum + n, 0)
  const other = [...served].find(
    ([name, n]) => name !== version && name !== current && n >= terms.min_events,
  )?.[0]
  if (of(current) === 0 && other !== undefined)
    return `version ${current}, which it is held against, serves no longer, and ${other} does`
  if (of(version) === 0 && (all * share) / 100 >= LEAST_EXPECTED)
    return `none of ${all} events since the step is of version ${version}, which was to have ${share} %: it serves no longer, or never did`
  return undefined
}

function whenWorse(facts: RolloutFacts, verdict: StepVerdict): Move {
  const { terms } = facts
  const reason = worseReason(facts, verdict)
  if (terms.on_worse === 'roll_back') return { kind: 'roll_back', reason }
  return held(reason, terms.on_worse === 'page' ? 'alarm' : 'warning', 'roll_back')
}

const rounded = (value: number | null) =>
  value === null ? 'unknown' : String(Number(value.toPrecision(4)))

function worseReason({ rollout, version }: RolloutFacts, { metrics }: StepVerdict): string {
  const worse = metrics
    .filter(({ decision }) => decision === 'worse')
    .map(
      ({ metric, candidate, current, ci_low, ci_high }) =>
        `${metric} ${rounded(candidate)} beside ${rounded(current)} (difference from ${rounded(ci_low)} to ${rounded(ci_high)})`,
    )
  return `at ${rollout.share} % version ${version} is worse than ${rollout.current_version}: ${worse.join(', ')}`
}

const goodReason = (
  { rollout, version }: RolloutFacts,
  verdict: StepVerdict | undefined,
): string => {
  const { share, current_version: current } = rollout
  const better = verdict?.decision === 'better' ? ` (${verdict.reason})` : ''
  return `at ${share} % version ${version} was not worse than ${current}${better}, by ${verdict?.n_candidate ?? 0} units beside ${verdict?.n_current ?? 0}`
}

/** What a step lacks before the next one; '' for nothing. */
function lackingOf({ rollout, terms, verdict, now }: RolloutFacts): string {
  const units = smaller(verdict?.n_candidate, verdict?.n_current)
  if (units < terms.min_events) return `${units} of ${terms.min_events} units of each version`
  const labelled = smaller(verdict?.labelled_candidate, verdict?.labelled_current)
  if (labelled < terms.min_labelled)
    return `${labelled} of ${terms.min_labelled} units of each version with their truth`
  return now < Date.parse(rollout.served_at ?? '') + durationMs(terms.at_least)
    ? `it is served for less than ${terms.at_least}`
    : ''
}

const smaller = (a = 0, b = 0) => (a < b ? a : b)

const servedUntil = ({ rollout, terms }: RolloutFacts) =>
  Date.parse(rollout.served_at ?? '') + durationMs(terms.at_least)

/** What was held stays so, but for a candidate that turns out to be worse. */
function whileHeld(facts: RolloutFacts): Move {
  const { rollout, launch, verdict } = facts
  if (rollout.served_at === null)
    return {
      kind: 'stay',
      rollout:
        launch?.state === 'succeeded' && rollout.place >= 0 && rollout.proposes === null
          ? { ...asServed(facts, 'held'), until: rollout.until }
          : rollout,
    }
  const known = { ...rollout, verdict: verdict ?? rollout.verdict }
  const isNews = verdict?.decision === 'worse' && rollout.proposes === null
  return isNews ? whenWorse(facts, verdict) : { kind: 'stay', rollout: known }
}

/** What a person's leave to go on comes to, or why there is nothing to go on with. */
export function goOn({
  rollout,
  version,
  served,
}: Pick<RolloutFacts, 'rollout' | 'version' | 'served'>): Move | string {
  const { state, place, steps, served_at: servedAt, current_version: known } = rollout
  if (state === 'moving') return 'the step is being made'
  if (state !== 'held' && state !== 'watching' && state !== 'waiting') return `it is ${state}`
  if (version === '') return 'its job has told no new version'
  const currentVersion = known || mostServed({ served, version }) || ''
  const next = servedAt === null && place >= 0 ? place : place + 1
  if (next >= steps.length) return { kind: 'promote', reason: '' }
  return { kind: 'step', place: next, currentVersion, reason: '' }
}

/** A verdict as a run keeps it. */
export const verdictOf = (
  { decision, reason, metrics }: CanaryAnswer,
  counts: Pick<
    StepVerdict,
    'n_current' | 'n_candidate' | 'labelled_current' | 'labelled_candidate'
  >,
  now: number,
): StepVerdict => ({
  decision,
  reason,
  ...counts,
  metrics: metrics.map((one) => ({
    metric: one.metric,
    current: one.champion,
    candidate: one.candidate,
    difference: one.difference,
    ci_low: one.ci_low,
    ci_high: one.ci_high,
    decision: one.decision,
  })),
  evaluated_at: new Date(now).toISOString(),
})
