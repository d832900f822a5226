import Type, { type Static } from 'typebox'

/** Settings of ingest, by the name of their environment variable. */
export const IngestConfig = Type.Object({
  PLUMBLINE_MAX_BODY_BYTES: Type.Integer({
    minimum: 1024,
    maximum: 1 << 28,
    default: 10 << 20,
    description: 'Largest request body in bytes, after decompression.',
  }),
  PLUMBLINE_MAX_PENDING_BYTES: Type.Integer({
    minimum: 1024,
    default: 64 << 20,
    description:
      'Bytes of all request bodies that are held at a time, after decompression; beyond it requests are answered 429.',
  }),
  PLUMBLINE_PAIRING_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 300,
    description:
      'How long a logged request or response waits for its other half before it becomes a dead letter.',
  }),
  PLUMBLINE_MLSERVER_TOPICS: Type.Optional(
    Type.String({
      pattern: '^[^,]+,[^,]+$',
      description:
        'The topics of MLServer’s requests and responses, such as mlserver-input,mlserver-output. Unset: none are read.',
    }),
  ),
})
/** The settings as parsed. */
export type IngestConfig = Static<typeof IngestConfig>
