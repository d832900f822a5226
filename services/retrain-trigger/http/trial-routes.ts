/** Routes by which a policy is seen and tried on stored history; nothing is launched or kept. */
import { eventTime } from '../../../lib/events/fields.ts'
import { atOnce } from '../../../lib/http/limits/at-once.ts'
import type { Http } from '../../../lib/http/server.ts'
import type { Model } from '../../../lib/models/model-files.ts'
import { whenProblemsOf } from '../../../lib/models/retrain-problems.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { answers, answersToBody } from '../../../schemas/http/errors.ts'
import { ModelPath } from '../../../schemas/http/parts.ts'
import {
  PoliciesAnswer,
  PolicyTrialAnswer,
  PolicyTrialBody,
} from '../../../schemas/http/runs/policy-trials.ts'
import { knobsOf, turned } from '../decide/knobs.ts'
import { baselineOf, parsedAlone, type ParsedPolicy } from '../decide/policies.ts'
import {
  readPolicyText,
  rewritten,
  textOf,
  withoutLaunches,
  type ReadPolicy,
  type WrittenPolicy,
} from '../decide/policy-text.ts'
import { trialOf } from '../loop/trial.ts'
import type { TrialSpan } from '../queries/trials/policy-trials.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { READ, tags } from './parameters.ts'

/** Trials that a process makes at the same time. */
const MAX_AT_ONCE = 2
const RETRY_AFTER_S = 5
const MAX_SPAN_MS = 3 * 366 * 86_400_000

/** Adds `GET /v1/models/{id}/policies`. */
export function addPolicies(http: Http, { rollouts: { models } }: RetrainRoutesOptions): void {
  http.get(
    '/v1/models/:id/policies',
    {
      config: READ,
      schema: {
        summary: 'The retraining policies of a model that are in force, as they may be written',
        tags,
        params: ModelPath,
        response: answers({ 200: PoliciesAnswer }),
      },
    },
    async ({ params: { id }, reach }) => {
      reach('read').require(id)
      const { retrain } = models.get(id)
      return {
        model_id: id,
        policies: retrain.map((policy) => ({ name: policy.name, text: textOf(policy) })),
      }
    },
  )
}

/** Adds `POST /v1/policy-trials`. */
export function addPolicyTrial(http: Http, options: RetrainRoutesOptions): void {
  const { models } = options.rollouts
  const inTurn = atOnce(MAX_AT_ONCE, 'policies are being tried', RETRY_AFTER_S)
  http.post(
    '/v1/policy-trials',
    {
      bodyLimit: 131_072,
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
      const model = models.get(body.model_id)
      const { parsed, written } = askedOf(model, body)
      const { answer, seen } = await inTurn(() => trialOf(options, { parsed, span }))
      return {
        ...answer,
        policy: written?.text ?? null,
        knobs: written ? knobsOf(written.policy, seen) : [],
      }
    },
  )
}

const refused = (message: string) => new Problem(400, 'invalid_request', message)

function spanOf({ model_id: modelId, from, to }: PolicyTrialBody): TrialSpan {
  const span = { modelId, from: eventTime(from)!, to: eventTime(to)! }
  if (!(span.from < span.to) || span.to - span.from > MAX_SPAN_MS)
    throw refused('from must be before to, by three years at most')
  return span
}

/** What is asked to be tried, and how it is written where it is a whole policy. */
interface Asked {
  parsed: ParsedPolicy
  written?: { text: string; policy: WrittenPolicy }
}

function askedOf(model: Model, body: PolicyTrialBody): Asked {
  const { when, policy: text, turn, cooldown = '0s', max_per_month = 100 } = body
  if ((when === undefined) === (text === undefined))
    throw refused('either when or policy must be given, and not both')
  if (text === undefined) {
    if (turn) throw refused('turn must stand beside policy')
    const problems = whenProblemsOf(when!, model)
    if (problems.length > 0) throw refused(problems.map((one) => `when: ${one}`).join('; '))
    return { parsed: parsedOf(model, { when: when!, cooldown, max_per_month }) }
  }
  if (body.cooldown !== undefined || body.max_per_month !== undefined)
    throw refused('cooldown and max_per_month must stand in policy, where that is given')
  const written = turnedBy(readText(text, model), model, turn)
  return { parsed: parsedOf(model, written.policy), written }
}

function readText(text: string, model: Model): ReadPolicy {
  const read = readPolicyText(text, model)
  if (Array.isArray(read)) throw refused(read.join('; '))
  return read
}

/** A policy with one of its numbers at another value. */
function turnedBy(read: ReadPolicy, model: Model, turn: PolicyTrialBody['turn']) {
  if (!turn) return { policy: read.policy, text: withoutLaunches(read.document) }
  const set = turned(read.policy, turn.knob, turn.value)
  if (set === undefined) throw refused(`turn.knob: the policy has no number ${turn.knob}`)
  if (typeof set === 'string') throw refused(set)
  const text = rewritten(read, set.field, set.value)
  return { policy: readText(text, model).policy, text }
}

function parsedOf(
  model: Model,
  policy: Pick<WrittenPolicy, 'when' | 'cooldown' | 'max_per_month'>,
): ParsedPolicy {
  return parsedAlone({ ...NEVER_LAUNCHED, ...policy }, baselineOf(model))
}

/** The rest of a policy, none of which a trial asks for. */
const NEVER_LAUNCHED = {
  name: 'tried',
  approval: 'none',
  launch: { kind: 'webhook', url: 'http://127.0.0.1/' },
} as unknown as ParsedPolicy['policy']
