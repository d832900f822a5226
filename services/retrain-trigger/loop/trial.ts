/** Tries a policy on stored history: what it would have done, beside what was done. */
import { testsOf } from '../../../lib/models/language/logic.ts'
import { isWindowTest } from '../../../lib/models/language/policy-tests.ts'
import type { PolicyTrialAnswer } from '../../../schemas/http/runs/policy-trials.ts'
import { see, type Seen } from '../decide/knobs.ts'
import {
  nextPass,
  SPARE_WINDOWS,
  windowCause,
  type Pass,
  type ParsedPolicy,
} from '../decide/policies.ts'
import { tryPolicy, type TriedDecision, type TriedWindow } from '../decide/tried-policy.ts'
import type { WindowRevision } from '../queries/policy-queries.ts'
import {
  readPerformance,
  readTriedWindows,
  readWorst,
  type Performance,
  type TrialSpan,
} from '../queries/trials/policy-trials.ts'
import { readModelRuns } from '../queries/runs.ts'
import { momentsOf, type Moments } from './moments.ts'
import type { PolicyEngine } from './policies.ts'
import type { RolloutParts } from './rollouts.ts'
import { readWindowEvidence } from './window-evidence.ts'

const MAX_WINDOWS = 2000
const MAX_RUNS = 1000
/** Windows after a decision over which the model is told of. */
const AFTER = 4

/** What a trial reads by. */
export interface TrialParts {
  engine: Pick<PolicyEngine, 'queries' | 'ledger'>
  rollouts: Pick<RolloutParts, 'db'>
}

/** A policy that is tried, and on which history. */
export interface Trial {
  parsed: ParsedPolicy
  span: TrialSpan
}

/** What a trial found, and what its windows held. */
export interface Tried {
  answer: Omit<PolicyTrialAnswer, 'policy' | 'knobs'>
  seen: Seen
}

/** Tries a policy on the newest windows of a span, 2 000 at most. */
export async function trialOf(parts: TrialParts, { parsed, span }: Trial): Promise<Tried> {
  const { engine, rollouts } = parts
  const { db } = rollouts
  const { modelId, from, to } = span
  const { back, ends, told, since } = windowsOf(await engine.queries.windows(modelId), parsed, span)
  const windows = await readTriedWindows(db, modelId, ends)
  const { postgres, now } = engine.ledger
  const asOf = { postgres, db, now: now() }
  const moments = await momentsOf(asOf, parsed, { ...span, from: since ?? from })
  const history = { windows, back, moments }
  const { decisions, seen } = await decided(engine, modelId, parsed, history)
  const asked = { modelId, from: since ?? from, to }
  const performance = ends.length === 0 ? [] : await readPerformance(db, { ...asked, to: told })
  const worst = ends.length === 0 ? new Map() : await readWorst(db, asked)
  const done = await readModelRuns(engine.ledger.postgres, asked, MAX_RUNS)
  const valueOf = new Map(performance.map((one) => [one.windowEnd, one.value]))
  return {
    seen,
    answer: {
      model_id: modelId,
      windows: windows.length,
      untold: moments.untold,
      timeline: ends.map((windowEnd) => ({
        window_end: iso(windowEnd),
        verdict: worst.get(windowEnd) ?? 'none',
        value: valueOf.get(windowEnd) ?? null,
      })),
      metric: performance[0]?.metric ?? null,
      decisions: decisions.map(({ at, occasion, windowEnd, launches, reason }) => ({
        at: iso(at),
        occasion,
        window_end: windowEnd === undefined ? null : iso(windowEnd),
        launches,
        reason,
        ...around(performance, windowEnd ?? at),
      })),
      runs: done.map(({ run_id, policy, state, window_end }) => ({
        run_id,
        policy,
        state,
        window_end: window_end!,
        ...around(performance, Date.parse(window_end!)),
      })),
      labels: String(seen.labels),
    },
  }
}

const iso = (time: number) => new Date(time).toISOString()

/** The windows that are tried, by their ends; with those that tests look back over; and how far is told of. */
function windowsOf(all: readonly WindowRevision[], parsed: ParsedPolicy, { from, to }: TrialSpan) {
  const isWithin = ({ windowEnd }: WindowRevision) => windowEnd >= from && windowEnd <= to
  const until = all.findLastIndex(isWithin) + 1
  const first = Math.max(0, all.findIndex(isWithin), until - MAX_WINDOWS)
  return {
    ends: all.slice(first, until).map(({ windowEnd }) => windowEnd),
    // Where windows are too many the newest are tried, and what else came from there on.
    since: until - first === MAX_WINDOWS ? all[first]!.windowEnd : undefined,
    back: all.slice(Math.max(0, first - parsed.windows - SPARE_WINDOWS), until),
    told: all[Math.min(until + AFTER, all.length) - 1]?.windowEnd ?? to,
  }
}

/** What a policy is tried on. */
interface TriedHistory {
  windows: readonly TriedWindow[]
  back: readonly WindowRevision[]
  moments: Moments
}

/**
 * Decides in the passes in which the service answers for windows, so that no more results are held
 * at once, and others have their turn between.
 */
async function decided(
  { queries }: TrialParts['engine'],
  modelId: string,
  parsed: ParsedPolicy,
  { windows, back, moments }: TriedHistory,
): Promise<{ decisions: TriedDecision[]; seen: Seen }> {
  const tried = new Map(windows.map((one) => [one.windowEnd, one]))
  const tests = testsOf(parsed.condition).filter(isWindowTest)
  const { labels = 0, predictions = 0 } = windows.at(-1) ?? {}
  const seen: Seen = { spans: new Map(), labels, predictions }
  const answered = ({ windowEnd, revision }: WindowRevision) =>
    [windowCause(windowEnd), { launched: false, revision }] as const
  const answers = new Map(back.filter((one) => !tried.has(one.windowEnd)).map(answered))
  const before = back.findLast(({ windowEnd }) => !tried.has(windowEnd))?.windowEnd
  const decide = tryPolicy(parsed, { before, standing: moments.standing })
  const decisions: TriedDecision[] = []
  let told = 0
  const momentsUpTo = (until: number) => {
    const own = moments.moments.slice(told).filter(({ at }) => at <= until)
    told += own.length
    return own
  }
  const next = (): Pass<WindowRevision> | undefined => nextPass(back, answers, parsed.windows)
  for (let pass = next(); pass; pass = next()) {
    const evidence = await readWindowEvidence(queries, modelId, parsed, pass)
    const own = pass.windows.map(({ windowEnd }) => tried.get(windowEnd)!)
    const part = { windows: own, moments: momentsUpTo(pass.until), evidence }
    for (const decision of decide(part)) decisions.push(decision)
    see(seen, tests, evidence)
    for (const [cause, answer] of pass.windows.map(answered)) answers.set(cause, answer)
  }
  const last = back.at(-(parsed.windows + SPARE_WINDOWS)) ?? back[0]
  const rest = momentsUpTo(Infinity)
  if (rest.length === 0) return { decisions, seen }
  const evidence = await readWindowEvidence(queries, modelId, parsed, {
    since: last?.windowEnd ?? 0,
    until: back.at(-1)?.windowEnd ?? 0,
  })
  for (const decision of decide({ windows: [], moments: rest, evidence })) decisions.push(decision)
  return { decisions, seen }
}

/** How the model did in a window, and on average in those that followed. */
function around(performance: readonly Performance[], windowEnd: number) {
  const own = performance.find((one) => one.windowEnd === windowEnd)
  const after = performance.filter((one) => one.windowEnd > windowEnd).slice(0, AFTER)
  return {
    value: own?.value ?? null,
    value_after:
      after.length === 0 ? null : after.reduce((sum, one) => sum + one.value, 0) / after.length,
  }
}
