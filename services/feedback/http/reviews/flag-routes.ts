/** The routes by which reviewers flag tasks and operators close the flags. */
import { requirePrintable } from '../../../../lib/events/text-rules.ts'
import { actorOf } from '../../../../lib/http/callers.ts'
import type { Http } from '../../../../lib/http/server.ts'
import { answers, answersToBody } from '../../../../schemas/http/errors.ts'
import { ModelPath, TaskPath } from '../../../../schemas/http/parts.ts'
import {
  CloseFlagBody,
  ClosedFlag,
  FlagAnswer,
  FlagBody,
  FlagPath,
  FlagsAnswer,
  FlagsQuery,
} from '../../../../schemas/http/reviews/flags.ts'
import { closeFlag, flagTask, listFlags } from '../../queries/review-flags.ts'
import {
  checkTexts,
  heldLease,
  keptComment,
  requireTask,
  type ReviewRoutesOptions,
} from '../review-routes.ts'

type Options = Pick<ReviewRoutesOptions, 'reviews' | 'privacy'>

const tags = ['reviews']

/** Registers the routes of flags. */
export function flagRoutes(http: Http, options: Options): void {
  flagRoute(http, options)
  listRoute(http, options)
  closeRoute(http, options)
}

function flagRoute(http: Http, { reviews, privacy }: Options): void {
  http.post(
    '/v1/reviews/:task_id/flag',
    {
      config: { scope: 'review', isByModel: true, isPersonal: true },
      schema: {
        summary: 'Says what is wrong with a claimed task itself',
        tags,
        params: TaskPath,
        body: FlagBody,
        response: answersToBody({ 200: FlagAnswer }, 409),
      },
    },
    async ({ params, body, caller, reach }) => {
      checkTexts({ ...params, ...body })
      const modelId = await requireTask(reviews, params.task_id, reach)
      const held = heldLease(params.task_id, caller, body)
      const comment = keptComment(privacy, modelId, body.comment ?? '')
      return flagTask(reviews, { ...held, reason: body.reason, comment })
    },
  )
}

function listRoute(http: Http, { reviews }: Options): void {
  http.get(
    '/v1/models/:id/flags',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'Tasks that reviewers have flagged, and why',
        tags,
        params: ModelPath,
        querystring: FlagsQuery,
        response: answers({ 200: FlagsAnswer }),
      },
    },
    async ({ params, query }) => ({
      model_id: params.id,
      ...(await listFlags(reviews.db, params.id, query)),
    }),
  )
}

function closeRoute(http: Http, { reviews }: Options): void {
  http.post(
    '/v1/models/:id/flags/:flag_id/close',
    {
      config: { scope: 'operate', isPersonal: true },
      schema: {
        summary: 'Closes a flag, and takes its task off the queue where asked to',
        tags,
        params: FlagPath,
        body: CloseFlagBody,
        response: answersToBody({ 200: ClosedFlag }, 404, 409),
      },
    },
    async ({ params, body, caller }) => {
      requirePrintable('message', body.message)
      return closeFlag(reviews, {
        modelId: params.id,
        flagId: params.flag_id,
        actor: actorOf(caller, body.actor),
        message: body.message ?? '',
        takeOff: body.take_off ?? false,
      })
    },
  )
}
