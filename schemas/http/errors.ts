/** The answer of a request that is not served, and the statuses a route may answer with. */
import Type, { type Static, type TSchema } from 'typebox'
import { closed, nullable } from './parts.ts'

/** An item of a batch that is refused while others may be taken. */
export const RejectedItem = closed({
  index: Type.Integer({ minimum: 0, description: 'Its place in the batch, from 0.' }),
  id: nullable(Type.String({ description: 'Its id; null where it has none that can be read.' })),
  code: Type.String({ description: 'The rule it breaks, such as `missing_field`.' }),
  message: Type.String({ description: 'One sentence that names the field and the rule.' }),
  also: Type.Optional(
    Type.Array(Type.String(), {
      maxItems: 10,
      description:
        'Its other faults, a sentence each, and names that were probably meant to be fields.',
    }),
  ),
})
export type RejectedItem = Static<typeof RejectedItem>

/** An RFC 9457 problem document. */
export const ProblemDocument = Type.Object(
  {
    type: Type.String({ description: '`urn:plumbline:` and the code.' }),
    title: Type.String({ description: 'The code in words.' }),
    status: Type.Integer({ description: 'The HTTP status.' }),
    detail: Type.String({ description: 'One sentence that names the field and the rule.' }),
    code: Type.String({ description: 'The kind of problem; it does not change.' }),
    accepted: Type.Optional(Type.Integer({ description: 'Accepted events of a batch: 0.' })),
    rejected: Type.Optional(
      Type.Array(RejectedItem, { description: 'Each rejected item of a batch.' }),
    ),
    limit: Type.Optional(
      Type.Enum(['events', 'bytes'], {
        description: 'What the caller has sent as much of as they may, of `rate_limited`.',
      }),
    ),
    per_second: Type.Optional(Type.Number({ description: 'How much that is a second.' })),
    burst: Type.Optional(Type.Number({ description: 'How much of it may come at once.' })),
    retry_after_s: Type.Optional(
      Type.Integer({ description: 'Seconds until something is taken again.' }),
    ),
  },
  {
    $id: 'Problem',
    additionalProperties: false,
    description: 'A request that is not served (RFC 9457).',
    examples: [
      {
        type: 'urn:plumbline:invalid_request',
        title: 'invalid request',
        status: 400,
        detail: "body must have required property 'model_id'",
        code: 'invalid_request',
      },
    ],
  },
)
export type ProblemDocument = Static<typeof ProblemDocument>

/** `google.rpc.Status`, which OTLP answers for a request that is not served. */
export const RpcStatus = Type.Object(
  {
    code: Type.Integer({ description: 'A code of gRPC, such as 3, invalid argument.' }),
    message: Type.String({ description: 'One sentence that names what is wrong.' }),
  },
  {
    $id: 'RpcStatus',
    additionalProperties: false,
    description: 'A request of OTLP that is not served, in the encoding of the request.',
    examples: [{ code: 3, message: 'the body is not JSON: Unexpected end of JSON input' }],
  },
)

const MEANINGS = {
  400: 'The request breaks a rule of the route; nothing was done.',
  401: 'A known key or a good token is needed.',
  403: 'The caller lacks the scope, or a page of another site asks.',
  404: 'There is nothing of that name.',
  409: 'What the request asks for does not fit the state it finds.',
  413: 'The body is larger than one may be.',
  415: 'The content type or its encoding is not read.',
  421: 'The Host is not one of this service.',
  429: 'Too many bodies are under way, or the caller has sent as much as they may; try again after `Retry-After` seconds.',
  500: 'The service failed; its log says why.',
  503: 'A store or the log cannot be reached, or is full; try again.',
} as const
/** A status that a problem is answered with. */
export type ProblemStatus = keyof typeof MEANINGS

const ALWAYS: readonly ProblemStatus[] = [400, 401, 403, 421, 500, 503]
const OF_BODIES: readonly ProblemStatus[] = [413, 415, 429]

const problem = (status: ProblemStatus) => ({
  description: MEANINGS[status],
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
})

const rpcStatus = (status: ProblemStatus) => ({
  description: MEANINGS[status],
  content: { 'application/json': { schema: { $ref: 'RpcStatus#' } } },
})

type Answers = Partial<Record<200 | 201 | 204, TSchema>>

function withProblems<A extends Answers>(
  success: A,
  statuses: readonly ProblemStatus[],
  described: (status: ProblemStatus) => object = problem,
): A {
  const problems = statuses.toSorted((a, b) => a - b).map((status) => [status, described(status)])
  return { ...success, ...(Object.fromEntries(problems) as object) }
}

/**
 * Declares what a route without a body answers.
 *
 * @param success the answers by status, which the handler's type is held against
 * @param problems statuses besides those that every route may answer with
 * @returns all of them; problems are thrown, so the type leaves them out
 */
export const answers = <A extends Answers>(success: A, ...problems: ProblemStatus[]): A =>
  withProblems(success, [...ALWAYS, ...problems])

/** Declares what a route that takes a body answers; otherwise as {@link answers}. */
export const answersToBody = <A extends Answers>(success: A, ...problems: ProblemStatus[]): A =>
  withProblems(success, [...ALWAYS, ...OF_BODIES, ...problems])

/**
 * Declares what an endpoint of OTLP answers: a request that is not served gets {@link RpcStatus};
 * otherwise as {@link answers}.
 */
export const answersOfOtlp = <A extends Answers>(success: A): A =>
  withProblems(success, [...ALWAYS, ...OF_BODIES], rpcStatus)
