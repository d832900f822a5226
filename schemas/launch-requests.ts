/** What every launch by a request has: its headers, and how long it may take and be tried again. */
import Type, { type Static } from 'typebox'

/** Objects of a model file have no fields besides those that are declared. */
export const closed = { additionalProperties: false }

/** Such as `15s` or `6h`. */
export const DURATION = '^\\d+(ms|s|m|h|d)$'

/** A client that gets the token of a launch by the client credentials grant of OAuth 2. */
const ClientCredentials = Type.Object(
  {
    token_url: Type.String({ pattern: '^https?://', maxLength: 2000 }),
    client_id: Type.String({ minLength: 1, maxLength: 400 }),
    client_secret: Type.String({
      pattern: '^secret://env/[A-Za-z_][A-Za-z0-9_]*$',
      description: 'As `secret://env/NAME`.',
    }),
    scope: Type.Optional(Type.String({ maxLength: 2000 })),
    audience: Type.Optional(Type.String({ maxLength: 2000 })),
  },
  closed,
)
/** A client with the reference of its secret, as read and checked. */
export type ClientCredentials = Static<typeof ClientCredentials>

/** The fields of a launch by HTTP, whatever takes it. */
export const requestFields = {
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String({ maxLength: 4000 }), {
      maxProperties: 50,
      description:
        'Headers of the request. `{{run_id}}` and the like stand for values of the run, `secret://env/NAME` for a variable of the environment.',
    }),
  ),
  oauth: Type.Optional(ClientCredentials),
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
}
