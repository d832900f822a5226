import Type, { type Static } from 'typebox'

export const FeedbackConfig = Type.Object({
  PLUMBLINE_REVIEW_LEASE_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 600,
    description: 'How long a claimed review task stays with its reviewer.',
  }),
})
export type FeedbackConfig = Static<typeof FeedbackConfig>
