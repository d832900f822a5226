/** How a policy starts the job of its runs, as its model file says. */
import Type, { type Static } from 'typebox'
import { closed, requestFields } from './launch-requests.ts'
import { SystemLaunch } from './launch-systems.ts'

/** A job that is started by a request to a webhook. */
const WebhookLaunch = Type.Object(
  {
    kind: Type.Literal('webhook'),
    url: Type.String({ pattern: '^https?://' }),
    ...requestFields,
    body: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'The JSON that is posted, with `{{run_id}}` and the like in its texts.',
      }),
    ),
  },
  closed,
)
/** A job that is started by a request to a webhook, as read and checked. */
export type WebhookLaunch = Static<typeof WebhookLaunch>

/** How a job is started. */
export const Launch = Type.Union([
  WebhookLaunch,
  ...SystemLaunch,
  Type.Object(
    { kind: Type.Literal('command'), command: Type.Array(Type.String(), { minItems: 1 }) },
    closed,
  ),
])
/** How a job is started, as read and checked. */
export type Launch = Static<typeof Launch>
