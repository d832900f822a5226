/** The route by which a policy is tried on stored history; nothing is launched or kept. */
import { eventTime } from '../../../lib/events/fields.ts'
import { atOnce } from '../../../lib/http/limits/at-once.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { whenProblemsOf } from '../../../lib/models/retrain-problems.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { answersToBody } from '../../../schemas/http/errors.ts'
import {
  PolicyTrialAnswer,
  PolicyTrialBody,
  type PolicyTrialAnswer as Answer,
} from '../../../schemas/http/runs/policy-trials.ts'
import {
  baselineOf,
  nextPass,
  parsedAlone,
  SPARE_WINDOWS,
  windowCause,
  type ParsedPolicy,
} from '../decide/policies.ts'
import {
  tryPolicy,
  untoldTests,
  type TriedDecision,
  type TriedWindow,
} from '../decide/tried-policy.ts'
import type { WindowRevision } from '../queries/policy-queries.ts'
import { readWindowEvidence } from '../loop/window-evidence.ts'
import {
  readPerformance,
  readTriedWindows,
  type Performance,
  type TrialSpan,
} from '../queries/policy-trials.ts'
import { readModelRuns } from '../queries/runs.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { READ, tags } from './parameters.ts'

/** Trials that a process makes at the same time. */
const MAX_AT_ONCE = 2
const RETRY_AFTER_S = 5
const MAX_WINDOWS = 2000
const MAX_RUNS = 1000
/** Windows after a decision over which the model is told of. */
const AFTER = 4
const MAX_SPAN_MS = 3 * 366 * 86_400_000

/** Adds `POST /v1/policy-trials`. */
export function addPolicyTrial(http: Http, options: RetrainRoutesOptions): void {
  const { models } = options.rollouts
  const inTurn = atOnce(MAX_AT_ONCE, 'policies are being tried', RETRY_AFTER_S)
  http.post(
    '/v1/policy-trials',
    {
      bodyLimit: 65_536,
      config: READ,
      schema: {
        summary: 'What a policy would have done on stored windows, beside what was done',
        description: 'Nothing is launched, and nothing is kept.',
        tags,
        body: PolicyTrialBody,
        response: answersToBody({ 200: PolicyTrialAnswer }),
      },
    },
    async ({ body, reach }) => {
      reach('read').require(body.model_id)
      const span = spanOf(body)
      const parsed = parsedOf(models.get(body.model_id), body)
      return inTurn(() => trialOf(options, { parsed, span }))
    },
  )
}

function spanOf({ model_id: modelId, from, to }: PolicyTrialBody): TrialSpan {
  const span = { modelId, from: eventTime(from)!, to: eventTime(to)! }
  if (!(span.from < span.to) || span.to - span.from > MAX_SPAN_MS)
    throw new Problem(400, 'invalid_request', 'from must be before to, by three years at most')
  return span
}

function parsedOf(model: Model, { when, cooldown, max_per_month }: PolicyTrialBody): ParsedPolicy {
  const problems = whenProblemsOf(when, model)
  if (problems.length > 0)
    throw new Problem(400, 'invalid_request', problems.map((one) => `when: ${one}`).join('; '))
  const policy = { ...NEVER_LAUNCHED, when, cooldown, max_per_month }
  return parsedAlone(policy, baselineOf(model))
}

/** The rest of a policy, none of which a trial asks for. */
const NEVER_LAUNCHED = {
  name: 'tried',
  approval: 'none',
  launch: { kind: 'webhook', url: 'http://127.0.0.1/' },
} as unknown as ParsedPolicy['policy']

async function trialOf(
  { engine, rollouts: { db } }: RetrainRoutesOptions,
  { parsed, span }: { parsed: ParsedPolicy; span: TrialSpan },
): Promise<Answer> {
  const { modelId, from, to } = span
  const all = await engine.queries.windows(modelId)
  const isWithin = ({ windowEnd }: WindowRevision) => windowEnd >= from && windowEnd <= to
  const until = all.findLastIndex(isWithin) + 1
  const first = Math.max(all.findIndex(isWithin), until - MAX_WINDOWS)
  const tried = all.slice(Math.max(0, first), until).map(({ windowEnd }) => windowEnd)
  const windows = await readTriedWindows(db, modelId, tried)
  const back = all.slice(Math.max(0, first - parsed.windows - SPARE_WINDOWS), until)
  const decisions = await decided(engine, modelId, parsed, { windows, back })
  const seen = { modelId, from: tried[0] ?? from, to }
  const told = { ...seen, to: all[Math.min(until + AFTER, all.length) - 1]?.windowEnd ?? to }
  const performance = windows.length === 0 ? [] : await readPerformance(db, told)
  const done = await readModelRuns(engine.ledger.postgres, seen, MAX_RUNS)
  return {
    model_id: modelId,
    windows: windows.length,
    untold: untoldTests(parsed),
    metric: performance[0]?.metric ?? null,
    decisions: decisions.map(({ windowEnd, launches, reason }) => ({
      window_end: new Date(windowEnd).toISOString(),
      launches,
      reason,
      ...around(performance, windowEnd),
    })),
    runs: done.map(({ run_id, policy, state, window_end }) => ({
      run_id,
      policy,
      state,
      window_end: window_end!,
      ...around(performance, Date.parse(window_end!)),
    })),
    labels: String(windows.at(-1)?.labels ?? 0),
  }
}

/**
 * Decides in the passes in which the service answers for windows, so that no more results are held
 * at once, and others have their turn between.
 */
async function decided(
  { queries }: RetrainRoutesOptions['engine'],
  modelId: string,
  parsed: ParsedPolicy,
  { windows, back }: { windows: readonly TriedWindow[]; back: readonly WindowRevision[] },
): Promise<TriedDecision[]> {
  const tried = new Map(windows.map((one) => [one.windowEnd, one]))
  const answered = ({ windowEnd, revision }: WindowRevision) =>
    [windowCause(windowEnd), { launched: false, revision }] as const
  const answers = new Map(back.filter((one) => !tried.has(one.windowEnd)).map(answered))
  const decide = tryPolicy(parsed)
  const decisions: TriedDecision[] = []
  for (let pass = nextPass(back, answers, parsed.windows); pass;) {
    const evidence = await readWindowEvidence(queries, modelId, parsed, pass)
    const own = pass.windows.map(({ windowEnd }) => tried.get(windowEnd)!)
    for (const decision of decide({ windows: own, evidence })) decisions.push(decision)
    for (const [cause, answer] of pass.windows.map(answered)) answers.set(cause, answer)
    pass = nextPass(back, answers, parsed.windows)
  }
  return decisions
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
