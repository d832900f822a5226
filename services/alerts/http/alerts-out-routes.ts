/** Routes of alerts that go out: what became of messages, who is told, and tests. */
import { actorOf } from '../../../lib/http/callers.ts'
import { requireEvery } from '../../../lib/http/model-access.ts'
import type { Http } from '../../../lib/http/server.ts'
import { requirePrintable } from '../../../lib/events/text-rules.ts'
import type { Models } from '../../../lib/models/model-files.ts'
import { appendAudit } from '../../../lib/postgres/audit-log.ts'
import type { Postgres } from '../../../lib/postgres/port.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { didYouMean } from '../../../lib/runtime/nearest-name.ts'
import {
  AlertTestAnswer,
  AlertTestBody,
  DeliveriesAnswer,
  DeliveriesQuery,
  ReceiversAnswer,
} from '../../../schemas/http/alerts/alerts-out.ts'
import { answers, answersToBody } from '../../../schemas/http/errors.ts'
import type { AlertKind } from '../../../schemas/alerts-file.ts'
import { ownersOf } from '../decide/incidents.ts'
import { testMessage } from '../decide/messages.ts'
import { targetsOf } from '../decide/routes.ts'
import type { AlertsInForce } from '../loop/alerts-file.ts'
import { countWaiting, listDeliveries } from '../queries/deliveries.ts'
import { enqueue } from '../queries/incidents.ts'

/** What the routes need. */
export interface AlertsRoutesOptions {
  postgres: Postgres
  models: Models
  /** Undefined where no file is set. */
  alerts: (() => AlertsInForce) | undefined
  base: () => string
  now: () => number
  /** Something may be due. */
  wake: () => void
}

const READ = { scope: 'read' as const, isByModel: true }
const OPERATE = { scope: 'operate' as const, isByModel: true }
const tags = ['alerts']

/** Adds the routes of alerts that go out; a text that no store keeps is refused on each. */
export function alertsRoutes(http: Http, options: AlertsRoutesOptions): void {
  void http.register(async (scope: Http) => {
    scope.addHook('preHandler', async ({ body }) => {
      requirePrintable('body', body)
    })
    addDeliveries(scope, options)
    addReceivers(scope, options)
    addTest(scope, options)
  })
}

function addDeliveries(http: Http, { postgres }: AlertsRoutesOptions): void {
  http.get(
    '/v1/alerts/deliveries',
    {
      config: READ,
      schema: {
        summary: 'Who was told of what, and what became of it, newest first',
        tags,
        querystring: DeliveriesQuery,
        response: answers({ 200: DeliveriesAnswer }),
      },
    },
    async ({ query, reach }) => {
      const { model_id: id, receiver, state, delivery_id: deliveryId, limit } = query
      const { ids, require } = reach('read')
      if (id !== undefined) require(id)
      const modelIds = id === undefined ? ids : [id]
      const asked = { modelIds, receiver, state, deliveryId, limit }
      return { deliveries: await listDeliveries(postgres, asked) }
    },
  )
}

const iso = (ms: number) => new Date(ms).toISOString()

function addReceivers(http: Http, { postgres, alerts }: AlertsRoutesOptions): void {
  http.get(
    '/v1/alerts/receivers',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Who is told by the file in force, and what waits for them',
        tags,
        response: answers({ 200: ReceiversAnswer }),
      },
    },
    async () => {
      if (!alerts) return { file: null, loaded_at: null, receivers: [], refused: null }
      const { path, loadedAt, file, refused } = alerts()
      const waiting = new Map((await countWaiting(postgres)).map((one) => [one.receiver, one]))
      return {
        file: path,
        loaded_at: iso(loadedAt),
        receivers: file.receivers.map(({ name, kind }) => {
          const own = waiting.get(name)
          const oldest = own ? new Date(own.oldest).toISOString() : null
          return { name, kind, waiting: own?.waiting ?? 0, oldest_waiting_at: oldest }
        }),
        refused: refused ? { at: iso(refused.at), problems: [...refused.problems] } : null,
      }
    },
  )
}

function addTest(http: Http, options: AlertsRoutesOptions): void {
  const { postgres, base, now, wake } = options
  http.post(
    '/v1/alerts/test',
    {
      config: OPERATE,
      schema: {
        summary: 'Sends a test message to a receiver, or to those that an alert of a model goes to',
        tags,
        body: AlertTestBody,
        response: answersToBody({ 201: AlertTestAnswer }, 404, 409),
      },
    },
    async ({ body, caller, reach }, reply) => {
      if (body.model_id === undefined) requireEvery(reach('operate'), caller, 'operate')
      else reach('operate').require(body.model_id)
      const actor = actorOf(caller, body.actor ?? (caller?.isKnown ? undefined : 'anonymous'))
      const receivers = askedReceivers(options, body)
      const at = new Date(now())
      const ids = await postgres.transaction(async (tx) => {
        await appendAudit(tx, {
          at,
          actor,
          action: 'alert.test',
          subject: receivers.join(', '),
          detail: { ...(body.model_id !== undefined && { model_id: body.model_id }) },
        })
        const made = receivers.map((receiver) => {
          const about = { receiver, at: at.toISOString(), page: `${base()}/` }
          return { receiver, message: testMessage(`test/${receiver}`, about), hash: '' }
        })
        return enqueue(tx, made, at)
      })
      wake()
      void reply.code(201)
      return {
        deliveries: receivers.map((receiver, i) => ({ delivery_id: ids[i]!, receiver })),
      }
    },
  )
}

interface AskedTest {
  receiver?: string | undefined
  model_id?: string | undefined
  severity?: 'warning' | 'alarm' | undefined
  kind?: AlertKind | undefined
}

/** @throws {Problem} where no file is set, or nobody is meant */
function askedReceivers({ alerts, models }: AlertsRoutesOptions, asked: AskedTest): string[] {
  const { receiver, model_id, severity = 'alarm', kind = 'alarm' } = asked
  if (!alerts) throw new Problem(409, 'no_alerts_file', 'nobody is told: set PLUMBLINE_ALERTS_FILE')
  const { file } = alerts()
  if ((receiver === undefined) === (model_id === undefined))
    throw new Problem(400, 'invalid_request', 'the body must have receiver, or model_id')
  if (receiver !== undefined) {
    const names = file.receivers.map(({ name }) => name)
    if (names.includes(receiver)) return [receiver]
    throw new Problem(
      ...([404, 'unknown_receiver'] as const),
      `there is no receiver ${receiver}${didYouMean(receiver, names)}`,
    )
  }
  const owners = ownersOf(models.get(model_id!).ownership)
  const targets = targetsOf(file, { model_id: model_id!, severity, kind, ...owners })
  if (targets.length > 0) return targets.map(({ receiver: name }) => name)
  throw new Problem(
    ...([404, 'no_route'] as const),
    `no route takes ${kind} of severity ${severity} of the model ${model_id}, and there is no default`,
  )
}
