/** Routes by which people delegate approvals, take that back, and approve in another's stead. */
import { eventTime } from '../../../lib/events/fields.ts'
import { knownBy } from '../../../lib/http/api-keys.ts'
import { actorOf, namedPerson } from '../../../lib/http/callers.ts'
import type { Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { isSamePerson } from '../../../lib/runtime/person-names.ts'
import { answers, answersToBody } from '../../../schemas/http/errors.ts'
import { RunPath } from '../../../schemas/http/parts.ts'
import {
  ApproveForBody,
  DelegationAnswer,
  DelegationBody,
  DelegationPath,
  DelegationsAnswer,
  DelegationsQuery,
  RevocationBody,
} from '../../../schemas/http/runs/delegations.ts'
import { RunAnswer } from '../../../schemas/http/retrain-trigger.ts'
import { lapsedBy } from '../decide/delegators.ts'
import { approveRun } from '../queries/approvals/approvals.ts'
import {
  delegate,
  endLapsed,
  listDelegations,
  readDelegation,
  revokeDelegation,
} from '../queries/approvals/delegations.ts'
import { readRun } from '../queries/runs.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { OPERATE, READ, tags } from './parameters.ts'

const DAY_MS = 86_400_000
const MAX_SPAN_DAYS = 90
const MAX_AHEAD_DAYS = 365

/** Adds `GET /v1/delegations`. */
export function addDelegationList(http: Http, { engine, rights }: RetrainRoutesOptions): void {
  http.get(
    '/v1/delegations',
    {
      config: READ,
      schema: {
        summary: 'Who approves in whose stead, the newest first; those that have ended too',
        tags,
        querystring: DelegationsQuery,
        response: answers({ 200: DelegationsAnswer }),
      },
    },
    async ({ query: { limit }, reach }) => {
      await endLapsed(engine.ledger, lapsedBy(rights))
      const { ids } = reach('read')
      return { delegations: await listDelegations(engine.ledger.postgres, ids, limit) }
    },
  )
}

/** Adds `POST /v1/delegations`. */
export function addDelegation(http: Http, { engine }: RetrainRoutesOptions): void {
  http.post(
    '/v1/delegations',
    {
      config: OPERATE,
      schema: {
        summary: 'Lets another person approve runs in the caller’s stead for a span of time',
        tags,
        body: DelegationBody,
        response: answersToBody({ 201: DelegationAnswer }, 409),
      },
    },
    async ({ body, caller, reach }, reply) => {
      const operate = reach('operate')
      if (body.models === undefined && operate.ids)
        throw new Problem(
          403,
          'foreign_model',
          `${caller?.id ?? 'nobody'} may not approve for every model: name those of models`,
        )
      for (const model of body.models ?? []) operate.require(model)
      const made = await delegate(engine.ledger, {
        delegator: actorOf(caller, body.actor),
        delegate: namedPerson(caller, body.to, 'to'),
        models: body.models,
        reason: body.reason,
        knownBy: knownBy(caller),
        ...spanOf(body, engine.ledger.now()),
      })
      void reply.code(201)
      return made
    },
  )
}

/** When a delegation begins and ends, epoch milliseconds; none begins before it is made. */
function spanOf({ from, until }: { from?: string; until: string }, now: number) {
  const refuse = (message: string) => new Problem(400, 'invalid_request', message)
  const known = (field: string, text: string) => {
    const at = eventTime(text)
    if (at === undefined) throw refuse(`${field} must be RFC 3339 between 1990 and 2099`)
    return at
  }
  const beginsAt = Math.max(now, from === undefined ? now : known('from', from))
  const endsAt = known('until', until)
  if (endsAt <= beginsAt)
    throw refuse('until must be later than from, and than the time of the request')
  if (endsAt - beginsAt > MAX_SPAN_DAYS * DAY_MS)
    throw refuse(`until must be ${MAX_SPAN_DAYS} days after from at most`)
  if (beginsAt - now > MAX_AHEAD_DAYS * DAY_MS)
    throw refuse(`from must be ${MAX_AHEAD_DAYS} days ahead at most`)
  return { beginsAt, endsAt }
}

/** Adds `POST /v1/delegations/:id/revoke`. */
export function addRevocation(http: Http, { engine }: RetrainRoutesOptions): void {
  http.post(
    '/v1/delegations/:id/revoke',
    {
      config: OPERATE,
      schema: {
        summary: 'Takes a delegation back: whoever made it, or who may operate all that it is for',
        tags,
        params: DelegationPath,
        body: RevocationBody,
        response: answersToBody({ 200: DelegationAnswer }, 404, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      const actor = actorOf(caller, body.actor)
      const known = await readDelegation(engine.ledger.postgres, params.id)
      const operate = reach('operate')
      if (known && operate.ids && !isSamePerson(known.delegator, actor)) {
        if (known.models === null)
          throw new Problem(
            403,
            'foreign_model',
            `${actor} may not take back what is for every model`,
          )
        for (const model of known.models) operate.require(model)
      }
      return revokeDelegation(engine.ledger, params.id, actor, body.message)
    },
  )
}

/** Adds `POST /v1/runs/:id/approve-for`. */
export function addApprovalFor(http: Http, { engine, rights, wake }: RetrainRoutesOptions): void {
  http.post(
    '/v1/runs/:id/approve-for',
    {
      // The right to approve is that of the person in whose stead it is done.
      config: READ,
      schema: {
        summary: 'Approves a run in the stead of a person who delegated that to the caller',
        tags,
        params: RunPath,
        body: ApproveForBody,
        response: answersToBody({ 200: RunAnswer }, 404, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      const known = await readRun(engine.ledger.postgres, params.id)
      if (known) reach('read').require(known.model_id)
      const run = await approveRun(engine.ledger, params.id, {
        actor: actorOf(caller, body.actor),
        message: body.message,
        inStead: { person: namedPerson(caller, body.for, 'for'), lapsed: lapsedBy(rights) },
      })
      wake()
      return run
    },
  )
}
