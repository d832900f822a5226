/** How a policy starts the job of its runs, as its model file says. */
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }
const DURATION = '^\\d+(ms|s|m|h|d)$'

/** A job that is started by a request to a webhook. */
const WebhookLaunch = Type.Object(
  {
    kind: Type.Literal('webhook'),
    url: Type.String({ pattern: '^https?://' }),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: 4000 }), {
        maxProperties: 50,
        description:
          'Headers of the request. `{{run_id}}` and the like stand for values of the run, `secret://env/NAME` for a variable of the environment.',
      }),
    ),
    body: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'The JSON that is posted, with `{{run_id}}` and the like in its texts.',
      }),
    ),
    timeout: Type.Optional(
      Type.String({
        pattern: DURATION,
        description: 'How long one request may take, 1s to 5m; 15s unless given.',
      }),
    ),
    give_up_after: Type.Optional(
      Type.String({
        pattern: DURATION,
        description:
          'How long a request that fails for now is tried again, from the first on; 6h unless given.',
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
  Type.Object(
    { kind: Type.Literal('command'), command: Type.Array(Type.String(), { minItems: 1 }) },
    closed,
  ),
])
/** How a job is started, as read and checked. */
export type Launch = Static<typeof Launch>
