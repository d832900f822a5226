import Type, { type Static } from 'typebox'

/** Settings of feedback, by the name of their environment variable. */
export const FeedbackConfig = Type.Object({
  PLUMBLINE_REVIEW_LEASE_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 600,
    description: 'How long a claimed review task stays with its reviewer.',
  }),
})
/** The settings as parsed. */
export type FeedbackConfig = Static<typeof FeedbackConfig>
