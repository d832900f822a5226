/** Bodies and answers that every service has: health, and the session of the pages. */
import Type from 'typebox'
import { closed, empty, nullable } from './parts.ts'

/** The process runs. */
export const LiveAnswer = closed(
  { status: Type.Enum(['live']) },
  { description: 'The process runs.', examples: [{ status: 'live' }] },
)

/** Every module has started, and every store answers. */
export const ReadyAnswer = closed(
  {
    status: Type.Enum(['ready']),
    waiting: Type.Optional(
      Type.Array(Type.String(), {
        description: 'A sentence for each source whose topic is not there yet; absent without any.',
      }),
    ),
  },
  { description: 'Everything is there.', examples: [{ status: 'ready' }] },
)

/** The metrics of the process, in the text format of Prometheus. */
export const MetricsAnswer = {
  description: 'The text format of Prometheus.',
  content: {
    'text/plain': {
      schema: Type.String(),
      example:
        '# TYPE plumbline_events_total counter\nplumbline_events_total{service="ingest",topic="plumbline.predictions.v1",outcome="stored",reason=""} 1\n',
    },
  },
}

const Caller = closed({ id: Type.String(), scopes: Type.Array(Type.String()) })

/** Begins a session. */
export const SessionBody = closed(
  { key: Type.String({ minLength: 1, maxLength: 1000, description: 'An API key.' }) },
  { examples: [{ key: 'the key' }] },
)

/** Whose session it is. */
export const SessionAnswer = closed(
  {
    caller: nullable(Caller),
    key_needed: Type.Boolean({ description: 'Whether keys or an issuer are set at all.' }),
    login_at: nullable(
      Type.String({ description: 'Where people sign in at the issuer; null where they cannot.' }),
    ),
  },
  {
    description: 'Who asks; null where nobody known does.',
    examples: [
      { caller: { id: 'ann', scopes: ['read', 'operate'] }, key_needed: true, login_at: null },
    ],
  },
)

/** A session that has begun. */
export const SessionBegun = closed(
  { caller: Caller },
  {
    description: 'The session, in a cookie that scripts cannot read.',
    examples: [{ caller: { id: 'ann', scopes: ['read', 'operate'] } }],
  },
)

/** The session has ended. */
export const SessionEnded = empty('The session has ended.')

/** The document itself. */
export const DocumentAnswer = Type.Unsafe<unknown>({
  type: 'object',
  description: 'This document, OpenAPI 3.1.',
  required: ['openapi', 'info', 'paths'],
  properties: {
    openapi: { type: 'string' },
    info: { type: 'object' },
    paths: { type: 'object' },
  },
  examples: [{ openapi: '3.1.0', info: { title: 'Plumbline', version: '1' }, paths: {} }],
})
