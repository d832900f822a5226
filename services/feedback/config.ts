import Type, { type Static } from 'typebox'
import { CommandConfig, OutgoingConfig } from '../../lib/http/outgoing/outgoing-config.ts'

/** Settings of feedback, by the name of their environment variable. */
export const FeedbackConfig = Type.Object({
  PLUMBLINE_REVIEW_LEASE_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 600,
    description: 'How long a claimed review task stays with its reviewer.',
  }),
  PLUMBLINE_FEEDBACK_KEY_FILE: Type.Optional(
    Type.String({
      description:
        'File of the key that signs tokens of `POST /v1/feedback`, of 32 bytes or more; a second line is the key before it, whose tokens are good until they end. Unset: no ratings from browsers.',
    }),
  ),
  PLUMBLINE_FEEDBACK_ORIGINS: Type.Optional(
    Type.String({
      pattern: '^https?://[^\\s,*/]+(,https?://[^\\s,*/]+)*$',
      description:
        'Origins whose pages may ask `POST /v1/feedback`, exactly as browsers send them, separated by commas: https://shop.example.com,http://localhost:3000. Unset: our own alone.',
    }),
  ),
  PLUMBLINE_LAUNCH_ADDRESSES: OutgoingConfig.properties.PLUMBLINE_LAUNCH_ADDRESSES,
  ...CommandConfig.properties,
})
/** The settings as parsed. */
export type FeedbackConfig = Static<typeof FeedbackConfig>
